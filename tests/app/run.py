#!/usr/bin/env python3
"""The program as its user meets it: command line, start, health, signals, end. Prints "N passed, N failed".

AGENTBRIDGE names the binary; default: build/agentbridge beside this folder's root."""
import contextlib
import http.client
import json
import os
import pathlib
import queue
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("AGENTBRIDGE") or str(ROOT / "build" / "agentbridge")
PATIENCE = 20  # seconds; nothing here should take one
AGENT = {"kind": "command", "command": ["sh", "-c", "cat"]}


def run(*arguments, cwd=None, env=None):
    return subprocess.run([BINARY, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE)


def wait_for(condition, what="what was awaited"):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"{what} did not come")
        time.sleep(0.01)


class Bridge:
    """A bridge that serves until it is told to stop."""

    def __init__(self, *arguments, cwd):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", *arguments],
            cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.errors = []
        self.threads = [threading.Thread(target=self._read_out, daemon=True),
                        threading.Thread(target=self._read_errors, daemon=True)]
        for thread in self.threads:
            thread.start()
        self.first = self.lines.get(timeout=PATIENCE)
        if self.first is None:
            raise AssertionError("ended at once: " + "".join(self.errors))
        self.port = int(self.first.rsplit(":", 1)[1])

    def _read_out(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _read_errors(self):
        for line in self.process.stderr:
            self.errors.append(line)

    def log_until(self, words):
        """Waits until a log line holds these words."""
        wait_for(lambda: any(words in line for line in list(self.errors)), f"a log line with {words!r}")

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, dict((k.lower(), v) for k, v in response.getheaders()), response.read().decode()
        finally:
            connection.close()

    def end(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(timeout=PATIENCE)
        for thread in self.threads:
            thread.join(timeout=PATIENCE)
        return code


@contextlib.contextmanager
def bridge(*arguments, cwd):
    served = Bridge(*arguments, cwd=cwd)
    try:
        yield served
    finally:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait(timeout=PATIENCE)


def write_config(folder, **members):
    members.setdefault("agents", {"echo": AGENT})
    path = os.path.join(folder, "config.jsonc")
    with open(path, "w", encoding="utf-8") as file:
        file.write("// written by a test\n" + json.dumps(members, indent=2) + "\n")
    return path


def expect(condition, *what):
    if not condition:
        raise AssertionError(" ".join(str(part) for part in what))


# --- command line ---

def test_version_and_help(folder):
    version = run("--version")
    expect(version.returncode == 0 and version.stdout.startswith("agentbridge "), version)
    for words in ([], ["help"], ["--help"], ["serve", "--help"]):
        got = run(*words)
        expect(got.returncode == 0 and "agentbridge serve" in got.stdout and not got.stderr, words, got)


def test_bad_command_line(folder):
    for words, sentence in ((["serve", "--prot"], "serve knows --config"), (["srve"], "unknown command"),
                            (["stdio"], "not in this version"), (["tasks"], "tasks needs one of list, show"),
                            (["tasks", "lst"], "there are list, show"), (["tasks", "show"], "needs a task's id"),
                            (["tasks", "list", "--jsn"], "tasks list knows --config"),
                            (["tasks", "list", "x"], "one word too many"),
                            (["serve", "--config"], "needs a value"), (["check", "--data", "x"], "check knows")):
        got = run(*words, cwd=folder)
        expect(got.returncode == 2 and sentence in got.stderr and got.stderr.count("\n") == 1 and not got.stdout,
               words, got)


# --- configuration ---

def test_bad_configuration(folder):
    path = write_config(folder, agents={"report": {"kind": "comand"}}, listn="x")
    checked = run("check", "--config", path)
    expect(checked.returncode == 1, checked)
    expect("agents.report.kind: " in checked.stdout and "listn" in checked.stdout, checked)
    served = run("serve", "--config", path, cwd=folder)
    expect(served.returncode == 2 and served.stderr == checked.stdout and not served.stdout, served, checked)
    expect(sorted(os.listdir(folder)) == ["config.jsonc"], "something was made:", os.listdir(folder))


def test_configuration_that_is_no_json(folder):
    path = os.path.join(folder, "c.jsonc")
    with open(path, "w", encoding="utf-8") as file:
        file.write('{\n  "agents": {\n    "a" {}\n  }\n}\n')
    got = run("check", "--config", path)
    expect(got.returncode == 1 and "line 3, column" in got.stdout, got)
    got = run("serve", "--config", os.path.join(folder, "none.jsonc"))
    expect(got.returncode == 2 and "No such file" in got.stderr, got)


def test_check_of_a_good_one(folder):
    got = run("check", "--config", write_config(folder))
    expect(got.returncode == 0 and "good: 1 agent" in got.stdout, got)


def test_missing_program(folder):
    path = write_config(folder, agents={"gone": {"kind": "command", "command": ["./gone.py"]}})
    got = run("check", "--config", path)
    expect(got.returncode == 1 and "agents.gone.command.0: " in got.stdout, got)
    with bridge("--config", path, "--data", "d", cwd=folder) as served:
        expect(served.end() == 0)
        expect(any("gone.py" in line and "warning" in line for line in served.errors), served.errors)


def test_open_door(folder):
    path = write_config(folder)
    got = run("serve", "--config", path, "--listen", "0.0.0.0:0", cwd=folder)
    expect(got.returncode == 2 and "auth.mode: none is for loopback" in got.stderr, got)


# --- start ---

def test_first_line_and_data(folder):
    os.mkdir(os.path.join(folder, "etc"))
    os.mkdir(os.path.join(folder, "work"))
    path = write_config(os.path.join(folder, "etc"), data="./tasks/here")
    with bridge("--config", path, cwd=os.path.join(folder, "work")) as served:
        expect(served.first == f"listening on http://127.0.0.1:{served.port}\n", served.first)
        expect(served.end() == 0)
        expect(served.lines.get(timeout=PATIENCE) is None, "more than the one line without a terminal")
    data = os.path.join(folder, "etc", "tasks", "here")
    expect({"agentbridge.db", "seal.key"} <= set(os.listdir(data)), os.listdir(data))
    expect(os.stat(os.path.join(data, "seal.key")).st_mode & 0o777 == 0o600)
    expect(os.listdir(os.path.join(folder, "work")) == [], "something was left in the current directory")


def test_hints_that_work(folder):
    path = write_config(folder)
    with bridge("--config", path, "--hints", cwd=folder) as served:
        text = ""
        while "-d '" not in text:
            text += served.lines.get(timeout=PATIENCE)
        url = f"http://127.0.0.1:{served.port}/mcp"
        expect(f"claude mcp add --transport http agentbridge {url}\n" in text, text)
        curl = text[text.index("curl -s"):]
        pieces = curl.replace("\\\n", " ").split("-H '")[1:]
        headers = dict(piece.split("'")[0].split(": ", 1) for piece in pieces)
        body = curl[curl.index("-d '") + 4:].split("'")[0]
        status, _, answer = served.request("POST", "/mcp", body, headers)
        expect(status == 200 and "echo" in answer, status, answer)


def test_port_in_use(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        got = run("serve", "--config", write_config(folder), "--listen", f"127.0.0.1:{port}")
        expect(got.returncode == 1 and f"127.0.0.1:{port}" in got.stderr and "in use" in got.stderr, got)
        expect(not got.stdout, got)


def test_data_in_use(folder):
    path = write_config(folder)
    with bridge("--config", path, cwd=folder) as served:
        got = run("serve", "--config", path, "--listen", "127.0.0.1:0")
        expect(got.returncode == 1 and "in use" in got.stderr, got)
        expect(served.request("GET", "/ready")[0] == 200)


def test_data_of_a_newer_version(folder):
    path = write_config(folder)
    with bridge("--config", path, cwd=folder) as served:
        expect(served.end() == 0)
    database = sqlite3.connect(os.path.join(folder, "agentbridge-data", "agentbridge.db"))
    database.execute("PRAGMA user_version = 9999")
    database.commit()
    database.close()
    got = run("serve", "--config", path, "--listen", "127.0.0.1:0")
    expect(got.returncode == 1 and "newer" in got.stderr and not got.stdout, got)


def test_data_that_cannot_be_made(folder):
    with open(os.path.join(folder, "file"), "w", encoding="utf-8"):
        pass
    got = run("serve", "--config", write_config(folder, data="file/below"), "--listen", "127.0.0.1:0")
    expect(got.returncode == 1 and "file/below" in got.stderr, got)


def test_built_in_agents(folder):
    with bridge(cwd=folder) as served:
        expect(os.path.isdir(os.path.join(folder, "agentbridge-data")))
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}}}
        status, _, answer = served.request("POST", "/mcp", json.dumps(call), {
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"})
        expect(status == 200, status, answer)
        names = [tool["name"] for tool in json.loads(answer)["result"]["tools"]]
        expect({"invoke", "get-task", "list-agents", "list-tasks", "stop-task"} <= set(names), names)
        expect(served.end() == 0)


# --- while it runs ---

def test_health_ready_metrics(folder):
    with bridge("--config", write_config(folder), cwd=folder) as served:
        for path, state in (("/health", "alive"), ("/ready", "ready")):
            status, headers, body = served.request("GET", path)
            expect(status == 200 and json.loads(body)["status"] == state, path, status, body)
            expect(headers["content-type"] == "application/json", headers)
        status, headers, body = served.request("GET", "/metrics")
        expect(status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), status, headers)
        for name in ('agentbridge_tasks{status="completed"} 0', "agentbridge_uptime_seconds ",
                     "agentbridge_store_backlog_bytes ", "process_resident_memory_bytes "):
            expect(name in body, name, "is not in", body)


def test_unknown_paths_and_methods(folder):
    with bridge("--config", write_config(folder), cwd=folder) as served:
        for path in ("/", "/mcpp", "/health/", "/..%2fetc/passwd", "/%00"):
            status, headers, body = served.request("GET", path)
            expect(status in (400, 404) and "error" in json.loads(body), path, status, body)
        status, headers, body = served.request("POST", "/health", "{}")
        expect(status == 405 and headers["allow"] == "GET, HEAD" and "error" in json.loads(body), status, headers, body)
        expect(served.request("GET", "/health")[0] == 200)


def test_reload(folder):
    path = write_config(folder, log_level="info")
    with bridge("--config", path, cwd=folder) as served:
        served.process.send_signal(signal.SIGHUP)
        served.log_until("other changes need a restart")
        with open(path, "w", encoding="utf-8") as file:
            file.write("{")
        served.process.send_signal(signal.SIGHUP)
        served.log_until("nothing was changed")
        expect(served.request("GET", "/ready")[0] == 200)
        expect(served.end() == 0)


def test_logs_are_json_off_a_terminal(folder):
    with bridge("--config", write_config(folder), "--log-level", "debug", cwd=folder) as served:
        expect(served.end() == 0)
        expect(served.errors, "no log at all")
        for line in served.errors:
            expect(isinstance(json.loads(line), dict), line)


# --- the end ---

def test_signals_end_it(folder):
    path = write_config(folder)
    for number in (signal.SIGTERM, signal.SIGINT):
        with bridge("--config", path, cwd=folder) as served:
            code = served.end(number)
            expect(code == 0, number, code, served.errors)


def test_an_idle_connection_does_not_hold_it(folder):
    with bridge("--config", write_config(folder), cwd=folder) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as idle:
            idle.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
            expect(idle.recv(4096).startswith(b"HTTP/1.1 200"))
            expect(served.end() == 0)


def call_tool(served, name, arguments):
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
               "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": name}
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": name, "arguments": arguments, "_meta": {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {}}}}
    status, _, body = served.request("POST", "/mcp", json.dumps(call), headers)
    expect(status == 200, status, body)
    if not body.startswith("{"):
        body = [line[5:] for line in body.splitlines() if line.startswith("data:")][-1]
    return json.loads(body)["result"]["structuredContent"]


def test_a_task_outlives_its_bridge(folder):
    """Ended while programs run: one task is cut off, the other runs again, and none is reported as stopped."""
    program = ["sh", "-c", "if [ -e again ]; then echo second; else sleep 600; fi"]
    path = write_config(folder, agents={
        "once": {"kind": "command", "command": program, "directory": folder, "cancel_s": 0.1},
        "retry": {"kind": "command", "command": program, "directory": folder, "cancel_s": 0.1, "restart": "retry"}})
    with bridge("--config", path, cwd=folder) as served:
        tasks = {agent: call_tool(served, "invoke", {"agent": agent, "text": "x", "wait_s": 0})["task_id"]
                 for agent in ("once", "retry")}
        for task in tasks.values():
            call_tool(served, "get-task", {"task_id": task, "wait_s": 5, "events_after": 1})
        expect(served.end() == 0, served.errors)
    pathlib.Path(folder, "again").touch()
    with bridge("--config", path, cwd=folder) as served:
        once = call_tool(served, "get-task", {"task_id": tasks["once"], "wait_s": 10})
        retry = call_tool(served, "get-task", {"task_id": tasks["retry"], "wait_s": 10})
        expect((once["status"], once["reason"]) == ("error", "interrupted"), once)
        expect(retry["status"] == "completed" and "second" in json.dumps(retry["result"]), retry)
        expect(served.end() == 0, served.errors)


def test_an_open_call_is_answered_before_the_end(folder):
    path = write_config(folder, agents={"short": {
        "kind": "command", "directory": folder,
        "command": ["sh", "-c", "touch started; while [ ! -e go ]; do sleep 0.05; done; echo done"]}})
    with bridge("--config", path, cwd=folder) as served:
        answers = queue.Queue()
        caller = threading.Thread(daemon=True, target=lambda: answers.put(
            call_tool(served, "invoke", {"agent": "short", "text": "x"})))
        caller.start()
        wait_for(lambda: os.path.exists(os.path.join(folder, "started")))
        served.process.send_signal(signal.SIGTERM)
        served.log_until("shutting down")
        pathlib.Path(folder, "go").touch()
        answer = answers.get(timeout=PATIENCE)
        expect(answer["status"] == "completed", answer)
        expect(served.process.wait(timeout=PATIENCE) == 0, served.errors)


def test_a_second_signal_waits_for_no_call(folder):
    path = write_config(folder, agents={"long": {
        "kind": "command", "command": ["sh", "-c", "touch started; sleep 600"], "directory": folder, "cancel_s": 0.1}})
    with bridge("--config", path, cwd=folder) as served:
        def call():
            with contextlib.suppress(Exception):  # it is cut off
                call_tool(served, "invoke", {"agent": "long", "text": "x"})
        threading.Thread(daemon=True, target=call).start()
        wait_for(lambda: os.path.exists(os.path.join(folder, "started")))
        served.process.send_signal(signal.SIGTERM)
        served.log_until("answered first")
        served.process.send_signal(signal.SIGTERM)
        expect(served.process.wait(timeout=8) == 0, served.errors)


# --- agentbridge tasks ---

TALKING = {"kind": "command", "output": "events", "env": ["PATH"]}
ASKING = {**TALKING, "command": ["sh", "-c", """read task
echo '{"ask":{"who":{"kind":"form","message":"Who is it?","schema":{"type":"object","required":["name"],
 "properties":{"name":{"type":"string"},"age":{"type":"integer"}}}}}}' | tr -d '\\n'; echo
read answer; printf '{"log":{"level":"info","text":"%s"}}\\n' "$(echo "$answer" | tr -d '"{}')"
echo '{"result":{"text":"thank you"}}'"""]}
APPROVAL = {**TALKING, "command": ["sh", "-c", """read task
echo '{"progress":{"value":1,"total":2,"message":"half"}}'
echo '{"ask":{"go":{"kind":"approval","title":"Go","message":"Shall I go?"}}}'
read answer; echo '{"result":{"text":"gone"}}'"""]}
SLEEPING = {"kind": "command", "command": ["sh", "-c", "sleep 600"], "cancel_s": 0.1}
LONG_NAME = "a-long-name-of-a-folder-" * 5


def start_task(served, agent, **more):
    return call_tool(served, "invoke", {"agent": agent, "text": "hello", "wait_s": 0, **more})["task_id"]


def wait_for_status(served, task, status):
    wait_for(lambda: call_tool(served, "get-task", {"task_id": task, "wait_s": 0})["status"] == status, status)


class Control:
    """A connection to the control socket, spoken to by hand."""

    def __init__(self, data):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(os.path.join(data, "control.sock"))
        self.file = self.socket.makefile("rb")

    def send(self, line):
        self.socket.sendall(line.encode() + b"\n")

    def ask(self, method, **params):
        self.send(json.dumps({"id": 1, "method": method, "params": params}))
        return json.loads(self.file.readline())

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()


def test_tasks_list_and_show(folder):
    """The same from the bridge that holds the directory and from a directory nobody holds."""
    path = write_config(folder, agents={"echo": AGENT, "asking": ASKING})
    with bridge("--config", path, cwd=folder) as served:
        echo = start_task(served, "echo", title="An \x1b[31mecho")
        asking = start_task(served, "asking")
        wait_for_status(served, echo, "completed")
        wait_for_status(served, asking, "paused")
        held = [run("tasks", *words, cwd=folder) for words in (["list"], ["show", echo[:10]], ["show", asking])]
        for got, words in zip(held, ((echo[:12], "asking", "paused (input)"), (echo, "hello", "completed"),
                                     (asking, "Who is it?", "age  integer", "agentbridge tasks reply"))):
            expect(got.returncode == 0 and not got.stderr and all(word in got.stdout for word in words), got)
        expect("\x1b" not in held[0].stdout + held[1].stdout, held)
        got = run("tasks", "list", "--status", "paused", "--json", "--config", path)
        expect([json.loads(line)["task_id"] for line in got.stdout.splitlines()] == [asking], got)
        got = run("tasks", "list", "--agent=echo", "--json", cwd=folder)
        expect([json.loads(line)["task_id"] for line in got.stdout.splitlines()] == [echo], got)
        expect(served.end() == 0, served.errors)
    expect("control.sock" not in os.listdir(os.path.join(folder, "agentbridge-data")))
    shown = json.loads(run("tasks", "show", echo, "--json", cwd=folder).stdout)
    expect((shown["task"]["result"].strip(), shown["owner"]) == ("hello", "local"), shown)
    expect(run("tasks", "list", "--data", "agentbridge-data", cwd=folder).stdout == held[0].stdout)
    with bridge("--config", path, cwd=folder) as served:
        expect(served.end() == 0, "held by a command that has ended")


def test_tasks_that_are_not_there(folder):
    path = write_config(folder)
    got = run("tasks", "list", cwd=folder)
    expect(got.returncode == 1 and "holds no tasks" in got.stderr and "--data" in got.stderr, got)
    expect(os.listdir(folder) == ["config.jsonc"], "something was made")
    with bridge("--config", path, cwd=folder) as served:
        expect(run("tasks", "list", cwd=folder).stdout == "")
        for words, sentence in ((["show", "00"], "no task 00"), (["show", "xyz"], "0-9 and a-f"),
                                (["list", "--status", "done"], "there are pending")):
            got = run("tasks", *words, cwd=folder)
            expect(got.returncode == 1 and sentence in got.stderr and not got.stdout, got)
        tasks = sorted(start_task(served, "echo") for _ in range(17))  # two begin with the same digit
        first = next(a[0] for a, b in zip(tasks, tasks[1:]) if a[0] == b[0])
        got = run("tasks", "show", first, cwd=folder)
        expect(got.returncode == 1 and f"several tasks begin with {first}" in got.stderr, got)


def test_long_lists_come_in_pages(folder):
    with bridge("--config", write_config(folder), cwd=folder) as served:
        tasks = {start_task(served, "echo") for _ in range(230)}
        lines = run("tasks", "list", "--json", cwd=folder).stdout.splitlines()
        expect({json.loads(line)["task_id"] for line in lines} == tasks and len(lines) == 230, len(lines))


def test_control_socket(folder):
    """Its mode, one left by a bridge that was killed, a file in its place, a path longer than the system takes."""
    path = write_config(folder)
    data = os.path.join(folder, "agentbridge-data")
    name = os.path.join(data, "control.sock")
    with bridge("--config", path, cwd=folder) as served:
        expect(os.stat(name).st_mode & 0o7777 == 0o600, oct(os.stat(name).st_mode))
        served.end(signal.SIGKILL)
    expect(os.path.exists(name))
    expect(run("tasks", "list", cwd=folder).returncode == 0, "the dead one's socket is in the way")
    with bridge("--config", path, cwd=folder) as served:
        expect(run("tasks", "list", cwd=folder).returncode == 0)
        with Control(data) as control:
            expect(control.ask("tasks/list")["result"] == {"tasks": []})
            expect(served.end() == 0, "an open control connection holds it")
    with open(name, "w", encoding="utf-8") as file:
        file.write("mine")
    with bridge("--config", path, cwd=folder) as served:
        served.log_until("is in the way and is no socket")
        got = run("tasks", "list", cwd=folder)
        expect(got.returncode == 1 and "in use by another agentbridge" in got.stderr, got)
        expect(served.end() == 0)
    expect(open(name, encoding="utf-8").read() == "mine")
    far = os.path.join(folder, LONG_NAME)
    with bridge("--config", path, "--data", far, cwd=folder) as served:
        task = start_task(served, "echo")
        expect(task[:12] in run("tasks", "list", "--data", far).stdout)
        expect(served.end() == 0 and "control.sock" not in os.listdir(far))


def test_garbage_on_the_control_socket(folder):
    data = os.path.join(folder, "agentbridge-data")
    with bridge("--config", write_config(folder), cwd=folder) as served:
        with Control(data) as control:
            for line, words in (("nonsense", "line 1"), ("[]", "a request is"), ("{}", "a request is"),
                                ('{"id":{},"method":"tasks/list"}', "a request is"),
                                ('{"id":1,"method":"tasks/lst"}', "unknown method"),
                                ('{"id":1,"method":"tasks/list","params":{"after":"x"}}', "earlier page"),
                                ('{"id":1,"method":"tasks/list","params":{"status":"\\u0000"}}', None),
                                ('{"id":1,"method":"tasks/show","params":[]}', "0-9 and a-f"),
                                ('{"id":1,"method":"tasks/show","params":{"id":"' + "0" * 40 + '"}}', "0-9 and a-f"),
                                ("[" * 100000, "line 1"), ("\udcff".encode("utf-8", "surrogateescape").decode("latin-1"), "line 1")):
                control.send(line)
                answer = json.loads(control.file.readline())
                expect(words is None or words in answer["error"]["message"], line[:80], answer)
            control.send("")
            control.socket.sendall(b'{"id":"half",')
            control.socket.sendall(b'"method":"tasks/list"}\r\n')
            expect(json.loads(control.file.readline())["id"] == "half")
        with Control(data) as control:
            with contextlib.suppress(OSError):
                control.socket.sendall(b"x" * (3 << 20))
            with contextlib.suppress(ConnectionResetError):
                expect("too long" in control.file.readline().decode())
        with Control(data) as control:
            control.socket.sendall(b'{"id":1,"method":"tasks/list"}\n' * 3)
            control.socket.shutdown(socket.SHUT_WR)
            expect(len(control.file.read().splitlines()) == 3)
        expect(served.request("GET", "/ready")[0] == 200)
        expect(served.end() == 0, served.errors)


def test_many_control_connections(folder):
    data = os.path.join(folder, "agentbridge-data")
    with bridge("--config", write_config(folder), cwd=folder) as served, contextlib.ExitStack() as stack:
        start_task(served, "echo")
        several = [stack.enter_context(Control(data)) for _ in range(64)]
        for control in several:
            control.send('{"id":7,"method":"tasks/list"}')
        for control in several:
            expect(len(json.loads(control.file.readline())["result"]["tasks"]) == 1)
        further = [stack.enter_context(Control(data)) for _ in range(80)]
        expect("too many connections" in further[-1].file.readline().decode())
        for control in several:
            control.__exit__()
        wait_for(lambda: run("tasks", "list", cwd=folder).returncode == 0)
        expect(served.end() == 0, served.errors)


def test_a_control_client_that_never_reads(folder):
    """It is not read either, takes little memory, and nobody else notices."""
    data = os.path.join(folder, "agentbridge-data")
    with bridge("--config", write_config(folder), cwd=folder) as served:
        for _ in range(50):
            start_task(served, "echo")

        def resident():
            body = served.request("GET", "/metrics")[2]
            return int(float(body.split("\nprocess_resident_memory_bytes ")[1].split("\n")[0]))
        before = resident()
        with Control(data) as control:
            control.socket.settimeout(1)
            with contextlib.suppress(TimeoutError):
                for _ in range(2000):
                    control.socket.sendall(b'{"id":1,"method":"tasks/list"}\n' * 100)
                raise AssertionError("it took more than it can answer")
            expect(run("tasks", "list", cwd=folder).returncode == 0)
            expect(resident() - before < 16 << 20, resident() - before)
        expect(served.end() == 0, served.errors)


def test_a_pager_does_not_hold_the_directory(folder):
    path = write_config(folder)
    with bridge("--config", path, cwd=folder) as served:
        task = start_task(served, "echo", files=[], title="t" * 50)
        wait_for_status(served, task, "completed")
        for _ in range(1000):
            start_task(served, "echo")
        expect(served.end() == 0)
    pager = subprocess.Popen([BINARY, "tasks", "list", "--json"], cwd=folder, stdout=subprocess.PIPE)
    try:
        expect(pager.stdout.read(1) == b"{")  # more than a pipe holds is still to come
        with bridge("--config", path, cwd=folder) as served:
            expect(pager.poll() is None and len(pager.stdout.read().splitlines()) == 1001)
            expect(served.end() == 0)
    finally:
        pager.kill()
        pager.wait()
        pager.stdout.close()


def test_another_user_on_the_control_socket(folder):
    """Whatever somebody did to the modes: the kernel says who asks."""
    if os.geteuid() != 0:
        return
    data = os.path.join(folder, "agentbridge-data")
    with bridge("--config", write_config(folder), cwd=folder) as served:
        for path, mode in ((folder, 0o755), (data, 0o755), (os.path.join(data, "control.sock"), 0o666)):
            os.chmod(path, mode)
        code = ("import socket, sys; s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
                "print(s.makefile().read())")
        got = subprocess.run(["/usr/bin/env", "python3", "-c", code, os.path.join(data, "control.sock")], user=65534,
                             capture_output=True, text=True, timeout=PATIENCE)
        expect("for the user who runs the bridge" in got.stdout, got)
        expect(run("tasks", "list", cwd=folder).returncode == 0)
        expect(served.end() == 0, served.errors)


def watch(folder, task):
    return subprocess.Popen([BINARY, "tasks", "watch", task], cwd=folder, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True)


def test_tasks_watch(folder):
    path = write_config(folder, agents={"approval": APPROVAL, "sleeping": SLEEPING,
                                        "failing": {"kind": "command", "command": ["sh", "-c", "exit 3"]}})
    with bridge("--config", path, cwd=folder) as served:
        task = start_task(served, "approval")
        watches = [watch(folder, task) for _ in range(3)]
        lines = [[watch.stdout.readline() for _ in range(5)] for watch in watches]
        expect(all("asks go: Shall I go?" in "".join(seen) for seen in lines), lines)
        expect(all("1/2 half" in "".join(seen) for seen in lines), lines)
        got = run("tasks", "reply", task[:8], "--approve", cwd=folder)
        expect(got.returncode == 0 and task in got.stdout, got)
        for watched in watches:
            rest, errors = watched.communicate(timeout=PATIENCE)
            expect(watched.returncode == 0 and "completed" in rest and rest.endswith("gone\n") and not errors, rest, errors)
        expect(run("tasks", "watch", task, cwd=folder).returncode == 0, "one that has ended")
        got = run("tasks", "watch", start_task(served, "failing"), cwd=folder)
        expect(got.returncode == 1 and "failed" in got.stdout, got)
        watched = watch(folder, start_task(served, "sleeping"))
        watched.stdout.readline()
        served.end()
        _, errors = watched.communicate(timeout=PATIENCE)
        expect(watched.returncode == 1 and "has ended" in errors, errors)
    got = run("tasks", "watch", task, cwd=folder)
    expect(got.returncode == 0 and "gone" in got.stdout, got)


def test_watching_without_reading(folder):
    """A watcher that stops reading gets everything once it reads again, in order, each event once."""
    path = write_config(folder, agents={"chatty": {**TALKING, "command": ["sh", "-c", """read task
i=0; while [ $i -lt 3000 ]; do i=$((i + 1)); echo '{"log":{"level":"info","text":"'$i' """ + "x" * 1000 + """"}}'; done
echo '{"result":{"text":"said all"}}'"""]}})
    with bridge("--config", path, cwd=folder) as served:
        task = start_task(served, "chatty")
        with Control(os.path.join(folder, "agentbridge-data")) as control:
            control.send(json.dumps({"id": "w", "method": "tasks/watch", "params": {"id": task}}))
            wait_for_status(served, task, "completed")
            numbers = []
            while "result" not in (message := json.loads(control.file.readline())):
                expect(message["method"] == "tasks/events" and message["params"]["request"] == "w", message)
                numbers += [event["number"] for event in message["params"]["events"]]
            expect(message["id"] == "w" and message["result"]["task"]["result"] == "said all", message)
            expect(numbers == list(range(1, message["result"]["task"]["last_event"] + 1)), numbers[:5], len(numbers))
            expect(len(numbers) > 3000)
        expect(served.end() == 0, served.errors)


def test_tasks_stop_and_reply(folder):
    path = write_config(folder, agents={"asking": ASKING, "approval": APPROVAL, "sleeping": SLEEPING, "echo": AGENT})
    with bridge("--config", path, cwd=folder) as served:
        sleeping, asking, echo = (start_task(served, agent) for agent in ("sleeping", "asking", "echo"))
        left, declined = start_task(served, "asking"), start_task(served, "approval")
        for task in (asking, left, declined):
            wait_for_status(served, task, "paused")
        got = run("tasks", "stop", sleeping[:10], cwd=folder)
        expect(got.returncode == 0 and got.stdout == f"{sleeping} is stopped\n", got)
        for words, sentence in ((["stop", sleeping], "has ended already: stopped"),
                                (["reply", echo, "a=b"], "asks nothing"), (["stop", "f" * 32], "no task"),
                                (["reply", asking, "nme=x"], "who has name, age"),
                                (["reply", asking, "age=old", "name=x"], "is no number"),
                                (["reply", asking, "age=3"], "name"), (["reply", asking, "--approve"], "is a form"),
                                (["reply", asking, "--json", '{"what":{"action":"accept"}}'], "open")):
            got = run("tasks", *words, cwd=folder)
            expect(got.returncode == 1 and sentence in got.stderr and got.stderr.count("\n") == 1, words, got)
        for words in (["reply", asking], ["reply", asking, "--json", "{"], ["reply", asking, "--approve", "--decline"]):
            expect(run("tasks", *words, cwd=folder).returncode == 2, words)
        expect(run("tasks", "reply", asking, "who.name=Ann = Bob", "age=7", cwd=folder).returncode == 0)
        wait_for_status(served, asking, "completed")
        expect("name:Ann = Bob,age:7" in run("tasks", "watch", asking, cwd=folder).stdout)
        got = run("tasks", "reply", left, "--json", '{"who":{"action":"accept","content":{"name":"Eve"}}}', cwd=folder)
        expect(got.returncode == 0, got)
        expect(run("tasks", "reply", declined, "--decline", cwd=folder).returncode == 0)
        wait_for_status(served, declined, "completed")
        paused = start_task(served, "asking")
        wait_for_status(served, paused, "paused")
        expect(served.end() == 0, served.errors)
    for words in (["stop", paused], ["reply", paused, "name=x"], ["watch", paused]):
        got = run("tasks", *words, cwd=folder)
        expect(got.returncode == 1 and "no bridge serves ./agentbridge-data" in got.stderr, got)
    got = run("tasks", "stop", sleeping, cwd=folder)
    expect(got.returncode == 1 and "has ended already: stopped" in got.stderr, got)


def main():
    if not os.access(BINARY, os.X_OK):
        print(f"{BINARY} is not there: run make first")
        print("0 passed, 1 failed")
        return 1
    wanted = sys.argv[1:]
    passed = failed = 0
    for name, test in list(globals().items()):
        if not name.startswith("test_") or (wanted and name not in wanted):
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="agentbridge-app-") as folder:
                test(folder)
            passed += 1
            print(f"ok   {name}", flush=True)
        except Exception:  # any fault of a test is that test's
            failed += 1
            print(f"FAIL {name}", flush=True)
            traceback.print_exc(file=sys.stdout)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
