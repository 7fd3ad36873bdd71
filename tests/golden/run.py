#!/usr/bin/env python3
"""Plays the golden transcripts against the built bridge and compares every answer, word by word.

A transcript (tests/golden/<protocol>/<version>/NN-name.json) is a list of steps:
  {"method"?: "POST", "path"?: "/mcp", "headers"?: {...},      what is sent ("text" instead of "body": as it stands)
   "body"?: ...,
   "status": 200, "response_headers"?: {...}, "expect": ...,   what must come back: JSON, or a list of events
   "open"?: "name",                                            the stream stays open, its first events are the expected
   "save"?: {"name": "/result/task_id"}}   JSON Pointer into the (last) message
  {"from": "name", "expect": {...}}      what is still to come on that stream: it is read until this message comes
In what is expected, "<any>" stands for anything, "<string>", "<number>", and inside of a string "<id>" for 32
hexadecimal digits, "<time>" for a time, "<address>" for the bridge's own; "{name}" is a saved value; a member "...":
true lets further members be.

Every message is also checked against the version's published schema, where that is at hand (published.py).
"""
import glob
import http.client
import json
import os
import re
import subprocess
import sys
import tempfile

from published import Misfit, Published, why_not

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ.get("AGENTBRIDGE", os.path.join(HERE, "..", "..", "build", "agentbridge"))
PATTERNS = {
    "<id>": r"[0-9a-f]{32}",
    "<time>": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z",
    "<address>": r"127\.0\.0\.1:\d+",
}


class Mismatch(Exception):
    pass


def compare(expected, found, path):
    if expected == "<any>":
        return
    if expected in ("<string>", "<number>"):
        kind = str if expected == "<string>" else (int, float)
        if not isinstance(found, kind) or isinstance(found, bool):
            raise Mismatch(f"{path}: expected {expected}, found {found!r}")
        return
    if isinstance(expected, str) and any(name in expected for name in PATTERNS):
        pattern = re.escape(expected)
        for name, one in PATTERNS.items():
            pattern = pattern.replace(re.escape(name), one)
        if not isinstance(found, str) or not re.fullmatch(pattern, found):
            raise Mismatch(f"{path}: expected {expected}, found {found!r}")
        return
    if isinstance(expected, dict) and isinstance(found, dict):
        names = {n for n in expected if n != "..."}
        missing = names - found.keys()
        extra = set() if "..." in expected else found.keys() - names
        if missing or extra:
            raise Mismatch(f"{path}: missing {sorted(missing)}, not expected {sorted(extra)}; found {json.dumps(found)}")
        for name in names:
            compare(expected[name], found[name], f"{path}/{name}")
        return
    if isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            raise Mismatch(f"{path}: expected {len(expected)} items, found {len(found)}: {json.dumps(found)}")
        for number, (one, other) in enumerate(zip(expected, found)):
            compare(one, other, f"{path}/{number}")
        return
    if type(expected) is not type(found) or expected != found:
        raise Mismatch(f"{path}: expected {json.dumps(expected)}, found {json.dumps(found)}")


def fill(value, saved):
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda m: saved.get(m.group(1), m.group(0)), value)
    if isinstance(value, list):
        return [fill(v, saved) for v in value]
    if isinstance(value, dict):
        return {fill(k, saved): fill(v, saved) for k, v in value.items()}
    return value


def pointer(value, path):
    for part in path.strip("/").split("/"):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


def read_events(text):
    events = []
    for block in text.replace("\r\n", "\n").split("\n\n"):
        data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
        if any(data):  # a priming event has none
            events.append(json.loads("\n".join(data)))
    return events


def next_event(response):
    """The next message of a stream that stays open."""
    data = []
    while line := response.readline().decode("utf-8"):
        if line == "\n" and any(data):
            return json.loads("\n".join(data))
        if line.startswith("data:"):
            data.append(line[5:].strip())
    raise Mismatch("the stream ended")


def check(schema, message, method):
    try:
        schema.check(message, method)
    except Misfit as misfit:
        raise Mismatch(f"{misfit}: {json.dumps(message)}") from None


def read_until(response, expected, schema):
    passed_by = []
    while True:
        try:
            message = next_event(response)
        except (OSError, Mismatch) as error:
            raise Mismatch(f"{error}; before it came {'; '.join(passed_by)}") from None
        check(schema, message, "subscriptions/listen")
        try:
            compare(expected, message, "")
            return
        except Mismatch as mismatch:
            passed_by.append(str(mismatch))


def play_step(address, step, saved, schema, path):
    if "from" in step:
        read_until(saved[step["from"]], fill(step["expect"], saved), schema)
        return
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    headers.update(fill(step.get("headers", {}), saved))
    headers = {name: value for name, value in headers.items() if value is not None}
    body = step["text"] if "text" in step else json.dumps(fill(step["body"], saved)) if "body" in step else None
    connection = http.client.HTTPConnection(address, timeout=30)
    connection.request(step.get("method", "POST"), fill(step.get("path", path), saved), body=body, headers=headers)
    response = connection.getresponse()
    if "open" in step:
        compare(fill(step["expect"], saved), [next_event(response) for _ in step["expect"]], "")
        saved[step["open"]] = response
        return
    text = response.read().decode("utf-8")
    connection.close()
    if response.status != step["status"]:
        raise Mismatch(f"expected status {step['status']}, found {response.status}: {text}")
    for name, value in step.get("response_headers", {}).items():
        compare(value, response.headers.get(name), f"header {name}")
    streamed = (response.headers.get("Content-Type") or "").startswith("text/event-stream")
    messages = read_events(text) if streamed else [json.loads(text)] if text else []
    for message in messages:
        check(schema, message, step.get("body", {}).get("method") if isinstance(step.get("body", {}), dict) else None)
    if "expect" in step:
        expected = fill(step["expect"], saved)
        compare(expected, messages if isinstance(expected, list) else messages[-1] if messages else None, "")
    for name, path in step.get("save", {}).items():
        saved[name] = response.headers.get(path[7:]) if path.startswith("header:") else pointer(messages[-1], path)


def play(address, path):
    protocol, version = path.split(os.sep)[-3:-1]
    schema = Published(protocol, version)
    address_path = "/a2a/golden" if protocol == "a2a" else "/mcp"
    saved = {}
    with open(path, encoding="utf-8") as file:
        steps = json.load(file)
    for number, step in enumerate(steps, 1):
        try:
            play_step(address, step, saved, schema, address_path)
        except Mismatch as mismatch:
            raise Mismatch(f"step {number}: {mismatch}") from None
    return schema.checked


def main():
    passed = failed = checked = 0
    with tempfile.TemporaryDirectory() as data:
        server = subprocess.Popen(
            [BINARY, "serve", "--config", os.path.join(HERE, "bridge.jsonc"), "--listen", "127.0.0.1:0", "--data", data],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            line = server.stdout.readline()
            if not line.startswith("listening on http://"):
                print(f"the bridge did not start: {line!r}\n0 passed, 1 failed")
                return 1
            address = line.split("//")[1].strip()
            for path in sorted(glob.glob(os.path.join(HERE, "*", "*", "*.json"))):
                name = os.path.relpath(path, HERE)
                try:
                    checked += play(address, path)
                    passed += 1
                except Exception as error:  # a broken answer of any kind is a failure of this transcript
                    failed += 1
                    print(f"FAILED {name}: {error}")
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()
    print(why_not() or f"{checked} messages fit the published schemas")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
