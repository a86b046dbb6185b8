"""What Ansible reads in inventories: its own reader, as ansible-inventory and `ansible -m debug` call it.

    python3 oracle.py < cases.json > answers.json

A case is {"sources": ["/p/hosts.ini"], "project": "/p"}; its answer {"failed": "why"}, or {"list": {…}, "values": {…}}
with each variable of each host as `debug` shows it, or {"failed": …} in its place. Floats are `float:1.0`.
"""
import datetime
import json
import logging
import os
import sys

os.environ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"] = "True"
logging.disable(logging.CRITICAL)
# Its warnings go to standard output and error.
answers = os.fdopen(os.dup(1), "w")
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 2)

from ansible import context
from ansible.cli.inventory import InventoryCLI
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from collections.abc import Mapping


def key_of(key):
    if isinstance(key, bool) or key is None:
        return json.dumps(key)
    return repr(key) if isinstance(key, float) else str(key)


def plain(value):
    if getattr(value, "__ENCRYPTED__", False):
        return {"__ansible_vault": value._ciphertext.decode()}
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, float):
        return f"float:{value!r}"
    if isinstance(value, int):
        return value if abs(value) < 2**53 else f"int:{value}"
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {key_of(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, str):
        return {"__ansible_unsafe": str(value)} if hasattr(value, "__UNSAFE__") and keep_unsafe else str(value)
    raise TypeError(f"a {type(value)} can't be written as JSON")


keep_unsafe = True


def answer(case):
    global keep_unsafe
    context.CLIARGS = ImmutableDict(export=False, basedir=case["project"])
    loader = DataLoader()
    loader.set_basedir(case["project"])
    inventory = InventoryManager(loader=loader, sources=case["sources"])
    variables = VariableManager(loader=loader, inventory=inventory)
    cli = InventoryCLI.__new__(InventoryCLI)
    cli.loader, cli.inventory, cli.vm = loader, inventory, variables
    keep_unsafe = True
    listed = plain(cli.json_inventory(inventory.groups["all"]))
    keep_unsafe = False
    HostVars(inventory=inventory, variable_manager=variables, loader=loader)
    values = {}
    for host in inventory.get_hosts():
        names = listed["_meta"]["hostvars"].get(host.name, {})
        templar = Templar(loader=loader, variables=variables.get_vars(host=host))
        values[host.name] = {name: evaluated(templar, name) for name in names}
    return {"list": listed, "values": values}


def evaluated(templar, name):
    try:
        return {"value": plain(templar.template("{{ %s }}" % name, fail_on_undefined=True))}
    except Exception as error:
        return {"failed": str(error)[:200]}


def safely(case):
    try:
        return answer(case)
    except Exception as error:
        return {"failed": str(error)[:300]}


json.dump([safely(case) for case in json.load(sys.stdin)], answers)
answers.close()
