#!/usr/bin/env python3
"""The program at the end of the chain. Its text says what it does; each run leaves a line in $CHAIN_LEDGER."""
import json
import os
import sys


def say(event):
    sys.stdout.write(json.dumps(event) + "\n")
    sys.stdout.flush()


def note(line):
    with open(os.environ["CHAIN_LEDGER"], "a", encoding="utf-8") as ledger:
        ledger.write(line + "\n")


task = json.loads(sys.stdin.readline())
text = task["input"]["text"]
note("began " + text)
say({"progress": {"value": 1, "total": 3, "message": "one of three"}})
say({"log": {"level": "notice", "text": "looking around"}})
say({"chunk": "Hel"})
say({"chunk": "lo"})
name = "nobody"
if "ask" in text:
    say({"ask": {"who": {"kind": "form", "message": "Who are you?", "schema": {
        "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}}})
    line = json.loads(sys.stdin.readline() or '{"cancel": true}')
    if "cancel" in line:
        note("cancelled " + text)
        sys.exit(1)
    name = line["answer"]["who"]["content"]["name"]
if "hang" in text:
    note("hangs " + text)
    sys.stdin.readline()
    note("cancelled " + text)
    sys.exit(1)
if "fail" in text:
    say({"failed": "it cannot be done"})
    sys.exit(0)
if "protocol" in text:
    say({"error": {"code": 4711, "message": "of its own", "data": {"k": 1}}})
    sys.exit(0)
if "reject" in text:
    say({"rejected": "not here"})
    sys.exit(0)
say({"progress": {"value": 2, "total": 3, "message": "two of three"}})
say({"artifact": {"id": "a", "name": "notes", "parts": [{"text": "first "}], "append": False, "last": False}})
say({"artifact": {"id": "a", "parts": [{"text": "second"}], "append": True, "last": True}})
say({"result": {"parts": [{"text": f"done {text} by {name}"}], "data": {"name": name}}})
