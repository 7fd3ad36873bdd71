#!/usr/bin/env python3
"""Kills the bridge at random moments under mixed load, again and again on one data directory, and checks what it
promised: every acknowledged task is there, terminal states never change, event numbers are dense, a finished task has
one end and its result, one idempotency key is one task, and an answer that was acknowledged arrived.

  run.py [KILLS]      40 by default; prints "N passed, N failed" (kills survived)
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


class Bridge:
    def __init__(self, data):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--config", os.path.join(HERE, "bridge.jsonc"), "--listen", "127.0.0.1:0", "--data", data,
             "--log-level", "error"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
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


class Ledger:
    """What the bridge has acknowledged so far."""

    def __init__(self):
        self.lock = threading.Lock()
        self.tasks = {}  # id -> last known state
        self.keys = {}  # idempotency key -> id
        self.answered = set()

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
                result = client.call("reply-task", {"task_id": state["task_id"], "approve": True})
                if result is None:
                    return
                if not result.get("isError"):
                    with ledger.lock:
                        ledger.answered.add(state["task_id"])
    except Exception as error:  # told to the main thread
        problems.append(f"{type(error).__name__}: {error}")


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
    if task_id in ledger.answered:
        assert answers, f"{task_id}: its acknowledged answer is gone"
    assert len(answers) <= len([event for event in events if event["kind"] == "question"]), f"{task_id}: {answers}"
    if state["status"] == "completed":
        assert state["result"] in ("quick", "said it all", "answered"), state


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
        threads = [threading.Thread(target=load, args=(bridge.address, ledger, f"{number}-{i}", stop, problems))
                   for i in range(LOADERS)]
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
    kills = int(sys.argv[1]) if len(sys.argv) > 1 else 40
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
    if not failed and (len(ledger.tasks) < kills or not ledger.answered):
        failed += 1
        print("FAILED: hardly anything was acknowledged, so nothing was tested")
    print(f"{len(ledger.tasks)} tasks acknowledged, {len(ledger.answered)} answers")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
