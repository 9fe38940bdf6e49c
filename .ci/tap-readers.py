"""Holds what TAP readers of others make of a run against the results as JSON: tap-readers.py TAP NPM-EVENTS RESULTS"""
import json
import sys

from tap.parser import Parser

TEXTS = ("message", "expected", "received")
tap, events, results = sys.argv[1:]


def point(ok, yaml):
    return ok, [(yaml or {}).get(k) for k in TEXTS]


with open(results) as f:
    cases = json.load(f)["results"]
with open(events) as f:
    npm = [point(e[1]["ok"], e[1].get("diag")) for e in json.load(f) if e[0] == "assert"]
lines = list(Parser().parse_file(tap))
python = [point(line.ok, line.yaml_block) for line in lines if line.category == "test"]
unknown = [str(line) for line in lines if line.category == "unknown"]
if unknown:
    sys.exit(f"Python's tap.parser does not know {unknown}")
if npm != python:
    sys.exit(f"the readers differ:\n{npm}\n{python}")
if len(python) != len(cases) or all(ok for ok, _ in python) or not any(texts[0] for _, texts in python):
    sys.exit(f"{len(cases)} cases, read {python}")
for case, (ok, texts) in zip(cases, python):
    for key, text in zip(TEXTS, texts):
        if case.get(key) and case[key] != text:
            sys.exit(f"{case['case']}: {key} is {case[key]!r}, read {text!r}")
print(f"{len(python)} points, read alike")
