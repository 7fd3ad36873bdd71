#!/usr/bin/env python3
"""The REST tests' agent: the first word of the task's text says what it does, the rest is for that."""
import json
import os
import sys


def say(**event):
    print(json.dumps(event), flush=True)


def ask(**questions):
    say(ask=questions)
    return json.loads(sys.stdin.readline()).get("answer")


task = json.loads(sys.stdin.readline())
what, _, rest = task["input"]["text"].partition(" ")
if what == "echo":
    say(result={"text": rest})
elif what == "tell":  # what it was given
    say(result={"data": {name: task[name] for name in ("input", "options", "history", "message")}})
elif what == "json":
    say(result={"text": rest})
elif what == "fail":
    say(failed=rest)
elif what == "reject":
    say(rejected=rest)
elif what == "protocol":
    say(error={"code": 7, "message": rest})
elif what == "crash":
    os.abort()
elif what == "wait":
    say(status="executing", message="waiting")
    sys.stdin.readline()
elif what == "all":
    say(status="executing", message="at it")
    say(progress={"value": 1, "total": 2, "message": "half"})
    say(log={"level": "info", "text": "a line"})
    say(chunk="one ")
    say(artifact={"id": "a", "name": "notes", "parts": [{"text": "n"}]})
    say(chunk="two")
elif what == "form":
    schema = {"type": "object", "properties": {"who": {"type": "string", "minLength": 2}}, "required": ["who"]}
    answers = ask(name={"kind": "form", "message": "For whom?", "schema": schema}, go={"kind": "approval", "title": "Go on?"})
    say(result={"data": answers})
elif what == "approve":
    say(result={"data": ask(go={"kind": "approval", "title": "Go on?", "message": "There is no way back."})})
elif what == "sign-in":
    say(result={"data": ask(door={"kind": "url", "message": "Sign in", "url": "https://example.com/sign-in"})})
elif what == "flood":
    number, size = map(int, rest.split())
    for i in range(number):
        say(chunk=f"{i}:" + "x" * size + "\n")
    say(result={"text": "done"})
elif what == "steps":  # one at a time, each when it is told to
    for i in range(int(rest)):
        say(progress={"value": i})
        ask(**{f"next{i}": {"kind": "approval", "title": "Next?"}})
    say(result={"text": "done"})
