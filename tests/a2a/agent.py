#!/usr/bin/env python3
"""Fixture agent that does whatever an A2A agent may do: the beginning of the message's id says what.

The names are those of the A2A compatibility kit's scenarios (without "tck-"), so that the kit can run against it, and
some of our own."""
import json
import sys
import time


def say(event):
    print(json.dumps(event), flush=True)


def artifact(*parts, **more):
    say({"artifact": {"id": more.pop("id", "out"), "parts": list(parts), **more}})


def working():
    say({"status": "executing", "message": "at it"})


def hear():
    """The next line of the caller: an answer, or None when there is nobody any more or the task was stopped."""
    line = sys.stdin.readline()
    return json.loads(line).get("answer") if line else None


def ask_text(key, message):
    schema = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    say({"ask": {key: {"kind": "form", "message": message, "schema": schema}}})
    return hear()[key].get("content", {}).get("text", "")


def completes():
    say({"result": {"text": "Hello"}})


def answers_with_a_message():
    say({"say": {"parts": [{"text": "Direct message response", "metadata": {"tone": "dry"}}]}})


def asks_for_input():
    """Asks on while it is told of history, so that a task can have many messages."""
    said = "history message"
    while "history message" in said:
        said = ask_text("text", "What then?")
    say({"result": {"text": "Hello"}})


def asks_for_ever():
    """A conversation without an end: the older kit goes on with tasks of any name, and cancels them."""
    while True:
        ask_text("text", "And then?")


def asks_for_a_sign_in():
    say({"ask": {"door": {"kind": "url", "url": "https://example.com/sign-in", "message": "Sign in, please"}}})
    answer = hear()
    working()
    say({"result": {"text": "in: " + answer["door"]["action"]}})


def notices_a_sign_in():
    """Asks, and goes on when the sign-in was done elsewhere."""
    say({"ask": {"door": {"kind": "url", "url": "https://example.com/sign-in", "message": "Sign in, please"}}})
    time.sleep(0.3)
    working()
    say({"result": {"text": "in"}})


def streams_text(text):
    def run():
        working()
        artifact({"text": text})
        say({"result": {}})
    return run


def artifact_of(*parts, **more):
    def run():
        artifact(*parts, **more)
        say({"result": {}})
    return run


def streams_chunks():
    working()
    artifact({"text": "chunk-1 "}, append=False)
    artifact({"text": "chunk-2"}, append=True, last=True)
    say({"result": {}})


def goes_in_steps():
    """Waits for a sign-in, for which streams stay open, then makes many artifacts."""
    say({"ask": {"door": {"kind": "url", "url": "https://example.com/", "message": "Go?"}}})
    hear()
    for number in range(20):
        artifact({"text": str(number)}, id=f"step {number}")
    say({"result": {}})


def answers_in_pieces():
    for piece in ("one ", "two ", "three"):
        say({"chunk": piece})


def shows_what_it_got():
    """The first line as it came, every byte of it."""
    say({"result": {"text": LINE.rstrip("\n")}})


def shows_what_it_is_answered():
    say({"ask": {"numbers": {"kind": "form", "message": "Which?", "schema": {"type": "object"}}}})
    say({"result": {"text": sys.stdin.readline().rstrip("\n")}})


def waits():
    """Works until it is stopped."""
    working()
    hear()


def is_silent():
    """Says nothing at all until it is stopped."""
    hear()


def is_slow():
    working()
    time.sleep(float(TASK["input"]["text"] if TASK["input"]["text"].replace(".", "").isdigit() else 5))
    say({"result": {"text": "at last"}})


BEHAVIOURS = {
    "complete-task": completes,
    "artifact-text": artifact_of({"text": "Generated text content"}),
    "artifact-file": artifact_of({"raw": "dGNr", "filename": "output.txt", "media_type": "text/plain"}),
    "artifact-file-url": artifact_of({"url": "https://example.com/output.txt", "filename": "output.txt", "media_type": "text/plain"}),
    "artifact-data": artifact_of({"data": {"key": "value", "count": 42}}),
    "artifact-scalars": artifact_of({"data": 12345678901234567890}, {"data": [1, None]}, {"data": None}, {"data": "word"}),
    "artifact-all": artifact_of({"text": "t", "media_type": "text/markdown", "metadata": {"n": 1}}, {"raw": "AAEC"}, {"url": "https://example.com/f"},
                                {"data": {"n": 1}}, name="All", description="One of each", last=True),
    "message-response": answers_with_a_message,
    "input-required": asks_for_input,
    "auth-required": asks_for_a_sign_in,
    "auth-elsewhere": notices_a_sign_in,
    "reject-task": lambda: say({"rejected": "rejected"}),
    "fail-task": lambda: say({"failed": "It cannot be done"}),
    "break-task": lambda: say({"error": {"code": 4711, "message": "out of paper"}}),
    "babble-task": lambda: print("Hello, I am no event", flush=True),
    "crash-task": lambda: sys.exit("something broke"),
    "stream-001": streams_text("Stream hello from TCK"),
    "stream-002": completes,
    "stream-003": streams_text("Stream task lifecycle"),
    "stream-ordering-001": streams_text("Ordered output"),
    "stream-artifact-text": streams_text("Streamed text content"),
    "stream-artifact-file": artifact_of({"raw": "dGNr", "filename": "output.txt", "media_type": "text/plain"}),
    "stream-artifact-chunked": streams_chunks,
    "pieces": answers_in_pieces,
    "steps": goes_in_steps,
    "mirror": shows_what_it_got,
    "mirror-answer": shows_what_it_is_answered,
    "wait": waits,
    "silent": is_silent,
    "slow": is_slow,
    "test-resubscribe-message-id": is_slow,
}

LINE = sys.stdin.readline()
TASK = json.loads(LINE)
NAME = TASK["message"]["message_id"].removeprefix("tck-")
found = [name for name in BEHAVIOURS if NAME.startswith(name)]
if found:
    BEHAVIOURS[max(found, key=len)]()
else:
    asks_for_ever()
