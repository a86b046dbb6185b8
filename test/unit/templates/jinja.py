"""Evaluates templates as Ansible does: one JSON document a line in, one a line out."""
import json
import sys

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

loader = DataLoader()
for line in sys.stdin:
    given = json.loads(line)
    templar = Templar(loader=loader, variables=given['variables'])
    try:
        if given['as'] == 'value':
            made = templar.template(given['text'])
        else:
            # As the module template does it.
            made = templar.do_template(given['text'], preserve_trailing_newlines=True, escape_backslashes=False)
        print(json.dumps({'made': made}), flush=True)
    except Exception as error:
        print(json.dumps({'error': str(error)}), flush=True)
