#!/usr/bin/env python3
"""Asks what it is told to: the task's text is a JSON array of rounds, each {"<key>":{question}}. Its result is a JSON
array of the answers it heard, round by round."""
import json
import sys

task = json.loads(sys.stdin.readline())
heard = []
for questions in json.loads(task["input"]["text"] or task["arguments"]["text"]):
    print(json.dumps({"ask": questions}), flush=True)
    line = json.loads(sys.stdin.readline() or '{"cancel":true}')
    if "cancel" in line:
        sys.exit(0)
    heard.append(line["answer"])
print(json.dumps({"result": {"text": json.dumps(heard)}}), flush=True)
