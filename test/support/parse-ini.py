"""Reads [{path, options, top}] from standard input, and says as JSON what Python's configparser makes of
each file. Keys keep their letter case; `top` is a name for what comes before the first section."""

import configparser
import json
import sys

answers = []
for job in json.load(sys.stdin):
    parser = configparser.RawConfigParser(strict=False, **job["options"])
    parser.optionxform = str
    with open(job["path"], "rb") as file:
        text = file.read().removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    if job["top"]:
        text = f"[{job['top']}]\n{text}"
    # As lines of a file: splitlines() would end them at form feeds too.
    parser.read_file(text.replace("\r\n", "\n").split("\n"))
    answers.append({name: dict(parser.items(name)) for name in parser.sections()})
json.dump(answers, sys.stdout)
