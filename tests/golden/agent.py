#!/usr/bin/env python3
"""Fixture agent of the golden transcripts: the task's text says what it does."""
import json
import sys


def say(event):
    print(json.dumps(event), flush=True)


task = json.loads(sys.stdin.readline())
what = (task.get("arguments") or {}).get("what") or task["input"]["text"].split("\n")[0]
if what == "echo":
    say({"result": {"text": "echo"}})
elif what == "progress":
    for value in (1, 2, 3):
        say({"progress": {"value": value, "total": 3, "message": f"step {value}"}})
    say({"result": {"text": "done"}})
elif what == "log":
    say({"log": {"level": "debug", "text": "a detail"}})
    say({"log": {"level": "warning", "text": "careful"}})
    say({"result": {"text": "logged"}})
elif what == "data":
    say({"result": {"text": "three", "data": {"count": 3}}})
elif what == "artifact":
    say({"artifact": {"id": "a1", "name": "notes.md", "parts": [{"text": "# Notes", "media_type": "text/markdown"}]}})
    say({"result": {"text": "written"}})
elif what == "no":
    say({"failed": "I would rather not"})
elif what == "reject":
    say({"rejected": "not my job"})
elif what == "protocol":
    say({"error": {"code": 4711, "message": "out of paper", "data": {"tray": 2}}})
elif what == "ask":
    say({"ask": {"go": {"kind": "approval", "title": "Go on?", "message": "There is no way back."}}})
    answer = json.loads(sys.stdin.readline())
    say({"result": {"text": answer["answer"]["go"]["action"]}})
elif what == "form":
    schema = {"type": "object", "properties": {"who": {"type": "string", "minLength": 2},
                                               "size": {"type": "string", "enum": ["s", "m"], "default": "m"}},
              "required": ["who"]}
    said = []
    for _ in range(2):
        say({"ask": {"name": {"kind": "form", "message": "For whom?", "schema": schema},
                     "go": {"kind": "approval", "title": "Go on?"}}})
        said.append(json.loads(sys.stdin.readline())["answer"])
    say({"result": {"text": json.dumps(said, sort_keys=True)}})
elif what == "say":
    say({"say": {"parts": [{"text": "just a word"}]}})
elif what == "chunks":
    say({"chunk": "one "})
    say({"chunk": "two"})
elif what == "files":
    say({"artifact": {"id": "f", "name": "files", "parts": [{"raw": "AAEC", "media_type": "image/png", "filename": "a.png"}]}})
    say({"artifact": {"id": "f", "parts": [{"url": "https://example.com/b", "media_type": "text/html"}], "append": True}})
    say({"artifact": {"id": "f", "parts": [{"data": {"n": 1}, "metadata": {"m": True}}], "append": True, "last": True}})
    say({"result": {"text": "three"}})
elif what == "mirror":
    message = task["message"]
    say({"result": {"parts": message["parts"], "data": {"id": message["message_id"], "metadata": message["metadata"]}}})
elif what == "auth":
    say({"ask": {"door": {"kind": "url", "message": "Sign in", "url": "https://example.com/sign-in"}}})
    sys.stdin.readline()
    say({"result": {"text": "in"}})
elif what == "name":
    schema = {"type": "object", "properties": {"who": {"type": "string"}}, "required": ["who"]}
    say({"ask": {"name": {"kind": "form", "message": "For whom?", "schema": schema}}})
    answer = json.loads(sys.stdin.readline())
    say({"result": {"text": answer["answer"]["name"]["content"]["who"]}})
elif what == "wait":
    say({"status": "executing", "message": "waiting"})
    sys.stdin.readline()
