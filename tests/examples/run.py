#!/usr/bin/env python3
"""The example agents, alone and through the bridge: good and bad input, and the check-list's approval.

Prints "N passed, N failed".
"""
import http.client
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.join(HERE, "..", "..")
AGENTS = os.path.join(ROOT, "examples", "agents")
BINARY = os.environ.get("AGENTBRIDGE", os.path.join(ROOT, "build", "agentbridge"))
EMBEDDED = os.path.join(os.path.dirname(BINARY), "examples", "countdown")
GIT = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com"]


def make_checkout(folder):
    """A small repository with awkward names; returns its path."""
    path = os.path.join(folder, 'a "strange" folder')
    os.makedirs(os.path.join(path, "tests"))
    for name, text in (("README.md", "# Strange\n"), ("main.py", "print(1)\n# TODO: more\n"), ("tests/test_a.py", "\n")):
        with open(os.path.join(path, name), "w", encoding="utf-8") as file:
            file.write(text)
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", 'first: with "quotes" and \\ backslash'],
                    ["tag", "v1"], ["commit", "-q", "--allow-empty", "-m", "second: ünïcode"]):
        subprocess.run(GIT + command, cwd=path, check=True, capture_output=True)
    return path


def run_events(program, *lines):
    """Runs an events agent on these stdin lines; every line it writes must be JSON."""
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    done = subprocess.run([os.path.join(AGENTS, program)], input=text, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run_text(program, text):
    return subprocess.run([os.path.join(AGENTS, program)], input=text, capture_output=True, text=True, timeout=60)


def last(events, kind):
    found = [event[kind] for event in events if kind in event]
    assert found, f"no {kind} in {events}"
    return found[-1]


def request(path):
    return {"task": {"id": "t"}, "arguments": {"path": path}, "input": {"text": "", "files": []}}


def test_report(checkout, folder):
    events = run_events("report.py", request(checkout))
    data = last(events, "result")["data"]
    assert data["files"] == 3 and data["commits"] == 2 and data["languages"]["Python"] == 3, data
    assert "## Languages" in last(events, "artifact")["parts"][0]["text"]
    assert last(events, "progress")["total"] == 4


def test_report_of_the_text(checkout, folder):
    events = run_events("report.py", {"task": {}, "input": {"text": checkout}})
    assert last(events, "result")["data"]["commits"] == 2


def test_report_of_nothing(checkout, folder):
    assert "There is no folder" in last(run_events("report.py", request("/no/such/folder")), "failed")


def test_report_outside_git(checkout, folder):
    plain = os.path.join(folder, "plain")
    os.makedirs(plain)
    with open(os.path.join(plain, "x.bin"), "wb") as file:
        file.write(b"\0\1\2")
    assert last(run_events("report.py", request(plain)), "result")["data"]["commits"] == 0


def test_analyst(checkout, folder):
    path = os.path.join(folder, "app.log")
    with open(path, "w", encoding="utf-8") as file:
        for minute in (1, 1, 1, 2):
            file.write(f"2026-07-28 10:0{minute}:05 INFO request {minute} took 15 ms\n")
        file.write("2026-07-28 10:03:00 ERROR disk is full\n")
    for question, expected in (("errors in ", "1 of 5 lines are errors"), ("busiest minutes in ", "3  2026-07-28 10:01"),
                               ("top messages in ", "4  INFO request # took # ms"), ("grep disk in ", "1 of 5 lines hold"),
                               ("", "5 lines, from 2026-07-28 10:01 to 2026-07-28 10:03")):
        done = run_text("analyst.pl", question + path)
        assert done.returncode == 0 and expected in done.stdout, (question, done.stdout, done.stderr)


def test_analyst_without_file(checkout, folder):
    for question, expected in (("", "Say which file"), ("errors in /no/such.log", "no such file"),
                               (f"errors in {folder}", "that is a folder")):
        done = run_text("analyst.pl", question)
        assert done.returncode != 0 and expected in done.stderr, (question, done.stderr)


def test_checklist(checkout, folder):
    events = run_events("checklist.sh", request(checkout), {"answer": {"approve": {"action": "accept"}}})
    question = last(events, "ask")["approve"]
    assert question["kind"] == "approval" and "[x] README" in question["message"], question
    assert "[ ] open ends: 1 lines" in question["message"], question
    assert "second: ünïcode" in last(events, "artifact")["parts"][0]["text"]
    assert last(events, "result")["data"]["commits"] == 1


def test_checklist_declined(checkout, folder):
    for answer in ("decline", "cancel"):
        events = run_events("checklist.sh", request(checkout), {"answer": {"approve": {"action": answer}}})
        assert "not approved" in last(events, "failed")


def test_checklist_of_nothing(checkout, folder):
    for path in ("/no/such/folder", folder):
        assert path in last(run_events("checklist.sh", request(path)), "failed")


def test_configuration_of_remote_agents(checkout, folder):
    command = [BINARY, "check", "--config", os.path.join(ROOT, "examples", "remote.jsonc")]
    secrets = {"TRAVEL_KEY": "a", "WEATHER_KEY": "b"}
    good = subprocess.run(command, env={**os.environ, **secrets}, capture_output=True, text=True, timeout=60)
    assert good.returncode == 0, good.stdout + good.stderr
    bad = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert bad.returncode != 0 and "TRAVEL_KEY is not set" in bad.stdout + bad.stderr


# --- through the bridge, as `agentbridge serve` without a configuration serves it ---

class Bridge:
    def __init__(self, folder, command=(BINARY, "serve", "--listen", "127.0.0.1:0")):
        self.process = subprocess.Popen(list(command), cwd=folder,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://"), line
        self.address = line.split("//")[1].strip()

    def call(self, tool, arguments, **capabilities):
        version = "2026-07-28"
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments,
            "_meta": {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": capabilities}}}
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request("POST", "/mcp", json.dumps(body), {
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": version, "Mcp-Method": "tools/call", "Mcp-Name": tool})
        response = connection.getresponse()
        text = response.read().decode()
        if response.headers["Content-Type"].startswith("text/event-stream"):
            text = [line[6:] for line in text.splitlines() if line.startswith("data: ")][-1]
        return json.loads(text)["result"]

    def stop(self):
        self.process.terminate()
        assert self.process.wait(20) == 0


def test_through_the_bridge(checkout, folder):
    work = os.path.join(folder, "work")
    os.makedirs(work)
    bridge = Bridge(work)
    try:
        report = bridge.call("repository_report", {"path": checkout})
        assert report["structuredContent"]["commits"] == 2, report
        asked = bridge.call("release_checklist", {"path": checkout})
        task = asked["structuredContent"]
        assert task["status"] == "paused" and task["questions"]["approve"]["kind"] == "approval", asked
        bridge.call("reply-task", {"task_id": task["task_id"], "approve": True})
        done = bridge.call("get-task", {"task_id": task["task_id"]})
        assert done["structuredContent"]["status"] == "completed", done
        assert "Release notes" in done["content"][1]["text"], done
        wrong = bridge.call("log_analyst", {"text": "errors in /no/such.log"})
        assert wrong["isError"] and "no such file" in wrong["content"][0]["text"], wrong
    finally:
        bridge.stop()
    bridge = Bridge(work)
    try:
        again = bridge.call("get-task", {"task_id": task["task_id"]})
        assert again["structuredContent"]["status"] == "completed", again
    finally:
        bridge.stop()


def test_an_mcp_server_as_an_agent(checkout, folder):
    work = os.path.join(folder, "mcp")
    os.makedirs(work)
    config = os.path.join(ROOT, "examples", "mcp.jsonc")
    bridge = Bridge(work, [BINARY, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", os.path.join(work, "data")])
    try:
        # The first call waits until the server is known, and its tools with it.
        day = bridge.call("invoke", {"agent": "dates", "text": "2026-07-28"})["structuredContent"]
        assert day["status"] == "completed" and day["data"] == {"weekday": "Tuesday"}, day
        later = bridge.call("dates_add_days", {"date": "2026-02-28", "days": 1})
        assert later["structuredContent"] == {"date": "2026-03-01"}, later
        wrong = bridge.call("dates_weekday", {"date": "2026-02-30"})
        assert wrong["isError"], wrong
        agents = bridge.call("list-agents", {})["structuredContent"]["agents"]
        assert [skill["tool"] for skill in agents[0]["skills"]] == ["dates_days_between", "dates_add_days", "dates_weekday"], agents
    finally:
        bridge.stop()


def test_a_program_with_an_agent_of_its_own(checkout, folder):
    work = os.path.join(folder, "embedded")
    os.makedirs(work)
    bridge = Bridge(work, [EMBEDDED, "127.0.0.1:0"])
    try:
        done = bridge.call("countdown", {"from": 3})
        assert done["content"][0]["text"] == "Lift-off!", done
        wrong = bridge.call("countdown", {"from": 0})
        assert wrong["isError"] and "/properties/from/minimum" in wrong["content"][0]["text"], wrong
        long = bridge.call("invoke", {"agent": "countdown", "text": "x", "payload_extension": {}, "wait_s": 0})
        failed = bridge.call("get-task", {"task_id": long["structuredContent"]["task_id"]})["structuredContent"]
        assert failed["status"] == "error" and "give me" in failed["error"]["message"], failed
        tasks = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
        running = [bridge.call("countdown", {"from": 1000}, **tasks)["taskId"] for _ in range(2)]
        bridge.call("stop-task", {"task_id": running[0]})
        assert bridge.call("get-task", {"task_id": running[0]})["structuredContent"]["status"] == "stopped"
    finally:
        bridge.stop()  # in the middle of the other
    bridge = Bridge(work, [EMBEDDED, "127.0.0.1:0"])
    try:
        task = bridge.call("get-task", {"task_id": running[1]})["structuredContent"]
        assert task["status"] == "error" and task["reason"] == "interrupted", task
    finally:
        bridge.stop()


def main():
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        checkout = make_checkout(folder)
        for name, test in list(globals().items()):
            if not name.startswith("test_"):
                continue
            try:
                test(checkout, folder)
                passed += 1
            except Exception as error:  # whatever went wrong, this test failed
                failed += 1
                print(f"FAILED {name}: {type(error).__name__} {error}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
