#!/usr/bin/env python3
"""Kills the bridge at random moments under mixed load, again and again on one data directory, and checks what it
promised: every acknowledged task is there, terminal states never change, event numbers are dense, a finished task has
one end and its result, one idempotency key is one task, an acknowledged answer is in the log once and reaches the agent
once and unchanged, and who watched a call reads on from the last event it saw, without a gap and nothing twice.

  run.py [KILLS]      40, or what the environment's KILLS says; prints "N passed, N failed" (kills survived)
"""
import http.client
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ.get("AGENTBRIDGE", os.path.join(HERE, "..", "..", "build", "agentbridge"))
VERSION = "2026-07-28"
TERMINAL = {"completed", "failed", "error", "stopped"}
LOADERS = 4
WATCHERS = 2
LEGACY = "2025-11-25"
BROKEN = (OSError, http.client.HTTPException)


class Bridge:
    def __init__(self, data):
        self.heard = os.path.join(data, "heard")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--config", os.path.join(HERE, "bridge.jsonc"), "--listen", "127.0.0.1:0", "--data", data,
             "--log-level", "error"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "AB_HEARD": self.heard})
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise AssertionError("did not start: " + line + self.process.stderr.read())
        self.address = line.split("//")[1].strip()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()


class Client:
    """One connection. Any failure to get a whole answer is None: nothing was acknowledged."""

    def __init__(self, address):
        self.connection = http.client.HTTPConnection(address, timeout=20)

    def call(self, tool, arguments):
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments,
            "_meta": {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}}}
        try:
            self.connection.request("POST", "/mcp", json.dumps(body), {
                "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": tool})
            response = self.connection.getresponse()
            text = response.read().decode()
            if response.headers["Content-Type"].startswith("text/event-stream"):
                text = re.findall(r"^data: (.*)$", text, re.M)[-1]
            message = json.loads(text)
        except (OSError, http.client.HTTPException, IndexError, ValueError):
            self.connection.close()
            return None
        assert "result" in message, f"{tool} {arguments}: {message}"
        return message["result"]


class Watcher:
    """A call of a version with sessions, whose stream breaks and is resumed by the last event's id."""

    def __init__(self, address, agent):
        self.last_id = None
        self.lines = []
        self.result = None
        head, _ = self.post(address, {"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "watcher", "version": "1"}}}, {})
        head.read()
        self.session = head.headers["Mcp-Session-Id"]
        self.wish = {"name": "invoke", "arguments": {"agent": agent, "text": "slowly", "wait_s": 50}}

    @staticmethod
    def post(address, body, headers):
        connection = http.client.HTTPConnection(address, timeout=20)
        connection.request("POST", "/mcp", json.dumps(body), {
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers})
        return connection.getresponse(), connection

    def call(self, address):
        response, _ = self.post(address, {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": self.wish},
                                {"Mcp-Session-Id": self.session})
        if response.headers["Content-Type"].startswith("text/event-stream"):
            self.read(response)
        else:
            self.take(json.loads(response.read()))

    def resume(self, address):
        connection = http.client.HTTPConnection(address, timeout=20)
        connection.request("GET", "/mcp", headers={"Accept": "text/event-stream", "Mcp-Session-Id": self.session,
                                                   "Last-Event-ID": self.last_id})
        response = connection.getresponse()
        assert response.status == 200, f"{response.status} for the id of an event that was sent: {response.read()}"
        self.read(response)

    def read(self, response):
        """To the end, or until the stream breaks: half an event does not count."""
        fields = {}
        while line := response.readline().decode():
            if not line.endswith("\n"):
                return
            if line == "\n":
                self.last_id = fields.get("id", self.last_id)
                if fields.get("data"):
                    self.take(json.loads(fields["data"]))
                fields = {}
            elif not line.startswith(":"):
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value

    def take(self, message):
        if message.get("method") == "notifications/message":
            self.lines.append(message["params"]["data"])
        elif "method" not in message:
            self.result = message["result"]


class Ledger:
    """What the bridge has acknowledged so far."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tasks = {}  # id -> last known state
        self.keys = {}  # idempotency key -> id
        self.answered = {}  # id -> what was answered
        self.broken = []  # watchers whose stream broke
        self.watched = 0  # those who read on to the end

    def saw(self, state):
        with self.lock:
            before = self.tasks.get(state["task_id"])
            if before and before["status"] in TERMINAL and before["status"] != state["status"]:
                raise AssertionError(f"{state['task_id']} was {before['status']}, is {state['status']}")
            if before and state["last_event"] < before["last_event"]:
                raise AssertionError(f"{state['task_id']} had {before['last_event']} events, has {state['last_event']}")
            self.tasks[state["task_id"]] = {"status": state["status"], "last_event": state["last_event"]}


def load(address, ledger, seed, stop, problems):
    chance = random.Random(seed)
    client = Client(address)
    try:
        while not stop.is_set():
            key = f"{seed}-{chance.random()}"
            wish = {"agent": chance.choice(["once", "again"]), "text": chance.choice(["quick", "chatty", "ask"]),
                    "wait_s": chance.choice([0, 0, 0.2]), "idempotency_key": key}
            result = client.call("invoke", wish)
            if result is None:
                return
            state = result["structuredContent"]
            ledger.saw(state)
            with ledger.lock:
                ledger.keys[key] = (wish, state["task_id"])
            if state["status"] == "paused":
                result = client.call("reply-task", {"task_id": state["task_id"], "text": key})
                if result is None:
                    return
                if not result.get("isError"):
                    with ledger.lock:
                        ledger.answered[state["task_id"]] = key
    except Exception as error:  # told to the main thread
        problems.append(f"{type(error).__name__}: {error}")


def watch(address, ledger, seed, stop, problems):
    try:
        while not stop.is_set():
            watcher = None
            try:
                watcher = Watcher(address, random.choice(["once", "again"]))
                watcher.call(address)
            except BROKEN:
                pass
            if watcher is None or watcher.result is None:
                if watcher is not None and watcher.last_id is not None:
                    with ledger.lock:
                        ledger.broken.append(watcher)
                return
    except Exception as error:  # told to the main thread
        problems.append(f"{seed}: {type(error).__name__}: {error}")


def check_watchers(address, ledger):
    """Whoever lost a stream reads on: together that is the task's log, each line once."""
    client = Client(address)
    for watcher in ledger.broken:
        watcher.resume(address)
        assert watcher.result is not None, "a resumed stream ended without the result"
        task_id = watcher.result["structuredContent"]["task_id"]
        events = client.call("get-task", {"task_id": task_id, "wait_s": 0, "events_after": 0})["structuredContent"]["events"]
        lines = [event["text"] for event in events if event["kind"] == "log"]
        assert watcher.lines == lines, f"{task_id}: read {watcher.lines}, in the log are {lines}"
        ledger.watched += 1
    ledger.broken = []


def check_heard(bridge, ledger):
    """What agents heard: each answer as it was given, and by each run of a program one."""
    if not os.path.exists(bridge.heard):
        return
    with open(bridge.heard, encoding="ascii") as file:
        heard = [line.split() for line in file.read().splitlines()]
    for one in heard:
        task_id, key = one if len(one) == 2 else (one[0], None)
        given = ledger.answered.get(task_id)
        assert key is None or given is None or key == given, f"{task_id} was answered {given}, heard {key}"
    keys = [tuple(one) for one in heard if len(one) == 2]
    assert len(keys) == len(set(keys)), f"heard twice: {[one for one in keys if keys.count(one) > 1]}"


def check_task(client, ledger, task_id):
    result = client.call("get-task", {"task_id": task_id, "wait_s": 0, "events_after": 0})
    assert result is not None and "structuredContent" in result, f"{task_id} was acknowledged and is gone: {result}"
    state = result["structuredContent"]
    ledger.saw(state)
    events = state["events"]
    numbers = [event["number"] for event in events]
    assert numbers == list(range(1, len(numbers) + 1)), f"{task_id}: event numbers {numbers}"
    assert len(numbers) == state["last_event"], f"{task_id}: {len(numbers)} events, last_event {state['last_event']}"
    ends = [event for event in events if event["kind"] == "status" and event["status"] in TERMINAL]
    assert len(ends) == (1 if state["status"] in TERMINAL else 0), f"{task_id}: {state['status']} with ends {ends}"
    answers = [event for event in events if event["kind"] == "answer"]
    given = [answer["answers"][key]["content"]["n"] for answer in answers for key in answer["answers"]]
    if task_id in ledger.answered:
        assert given.count(ledger.answered[task_id]) == 1, f"{task_id}: answered {ledger.answered[task_id]}, has {given}"
    assert len(answers) <= len([event for event in events if event["kind"] == "question"]), f"{task_id}: {answers}"
    if state["status"] == "completed":
        assert state["result"] in ("quick", "said it all") or state["result"] == "answered " + given[-1], state


def check_all(address, ledger, chance, everything):
    client = Client(address)
    ids = list(ledger.tasks)
    unfinished = [i for i in ids if ledger.tasks[i]["status"] not in TERMINAL]
    for task_id in ids if everything else set(unfinished + ids[-200:] + chance.sample(ids, min(len(ids), 100))):
        check_task(client, ledger, task_id)
    for key, (wish, task_id) in chance.sample(sorted(ledger.keys.items()), min(len(ledger.keys), 20)):
        again = client.call("invoke", {**wish, "wait_s": 0})
        assert again and again["structuredContent"]["task_id"] == task_id, f"key {key} gave another task: {again}"


def run_round(data, ledger, chance, number, everything):
    bridge = Bridge(data)
    stop = threading.Event()
    problems = []
    try:
        check_all(bridge.address, ledger, chance, everything)
        check_watchers(bridge.address, ledger)
        check_heard(bridge, ledger)
        threads = [threading.Thread(target=load, args=(bridge.address, ledger, f"{number}-{i}", stop, problems))
                   for i in range(LOADERS)]
        threads += [threading.Thread(target=watch, args=(bridge.address, ledger, f"watcher {number}-{i}", stop, problems))
                    for i in range(WATCHERS)]
        for thread in threads:
            thread.start()
        time.sleep(chance.uniform(0.01, 0.4))  # the moment of death is what is being tested
    finally:
        bridge.kill()
        stop.set()
    for thread in threads:
        thread.join()
    assert not problems, problems


def main():
    kills = int(sys.argv[1] if len(sys.argv) > 1 else os.environ.get("KILLS", 40))
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    chance = random.Random(seed)
    ledger = Ledger()
    passed = failed = 0
    with tempfile.TemporaryDirectory() as data:
        for number in range(kills):
            try:
                run_round(data, ledger, chance, number, number == kills - 1)
                passed += 1
            except Exception as error:  # the promise was broken: say with which seed
                failed += 1
                print(f"FAILED after kill {number} (SEED={seed}): {type(error).__name__} {error}")
                break
    if not failed and (len(ledger.tasks) < kills or not ledger.answered or not ledger.watched):
        failed += 1
        print("FAILED: hardly anything was acknowledged, so nothing was tested")
    print(f"{len(ledger.tasks)} tasks acknowledged, {len(ledger.answered)} answers, {ledger.watched} broken streams read on")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
