#!/usr/bin/env python3
"""An agent that gets half-way, then waits until somebody writes to the FIFO which its text names."""
import json
import sys


def say(event):
    print(json.dumps(event), flush=True)


task = json.loads(sys.stdin.readline())
say({"artifact": {"id": "draft", "name": "Draft", "parts": [{"text": "half"}], "last": True}})
say({"chunk": "before "})
say({"status": "executing", "message": "at the gate"})
with open(task["input"]["text"], encoding="utf-8") as gate:
    say({"chunk": gate.read()})
