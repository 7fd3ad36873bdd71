"""What the suites of this folder share: a bridge, an MCP client of it, and the counting of cases."""
import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ.get("AGENTBRIDGE", os.path.join(HERE, "..", "..", "build", "agentbridge"))
VERSION = "2026-07-28"
TERMINAL = {"completed", "failed", "error", "stopped"}


class Bridge:
    """A bridge with this configuration (a dict, or a file's path); its data and its log outlive a restart."""

    def __init__(self, config, listen="127.0.0.1:0", path=None, environment=None):
        self.folder = tempfile.mkdtemp(prefix="agentbridge-platform-")
        self.config = path or os.path.join(self.folder, "bridge.jsonc")
        self.environment = {**os.environ, **(environment or {})}
        self.data = os.path.join(self.folder, "data")
        self.log_path = os.path.join(self.folder, "log")
        self.listen = listen
        self.process = None
        if path is None:
            with open(self.config, "w", encoding="utf-8") as file:
                json.dump(config, file)
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--config", self.config, "--listen", self.listen, "--data",
                                             self.data, "--log-level", "debug"], stdout=subprocess.PIPE, stderr=log,
                                            text=True, env=self.environment)
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise AssertionError("the bridge did not start: " + line + self.log())
        self.address = line.split("//")[1].strip()
        self.listen = self.address  # the same after a restart

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as file:
            return file.read()

    def end(self, number=signal.SIGTERM):
        if self.process is None:
            return
        self.process.send_signal(number)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the bridge did not end") from None
        finally:
            self.process.stdout.close()
            self.process = None

    def kill(self):
        self.end(signal.SIGKILL)

    def client(self):
        return Client(self.address)


class Client:
    """An MCP client without any capability: questions come as results, answers go by reply-task."""

    def __init__(self, address):
        self.address = address

    def raw(self, tool, arguments, timeout=70):
        connection = http.client.HTTPConnection(self.address, timeout=timeout)
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments,
            "_meta": {"io.modelcontextprotocol/protocolVersion": VERSION, "progressToken": "p",
                      "io.modelcontextprotocol/logLevel": "debug", "io.modelcontextprotocol/clientCapabilities": {}}}}
        try:
            connection.request("POST", "/mcp", json.dumps(body), {
                "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                "MCP-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": tool})
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if (response.headers.get("Content-Type") or "").startswith("text/event-stream"):
            return [json.loads(line) for line in re.findall(r"^data: (.+)$", text, re.M)]
        return [json.loads(text)]

    def call(self, tool, arguments):
        """The state; a refusal is an error."""
        result = self.raw(tool, arguments)[-1]["result"]
        if "structuredContent" not in result:
            raise AssertionError(f"{tool} {arguments}: {result}")
        return result["structuredContent"]

    def refusal(self, tool, arguments):
        result = self.raw(tool, arguments)[-1]["result"]
        assert result.get("isError") and "structuredContent" not in result, result
        return result["content"][0]["text"]

    def invoke(self, agent, text="hello", **more):
        return self.call("invoke", {"agent": agent, "text": text, **more})

    def state(self, task_id, **more):
        return self.call("get-task", {"task_id": task_id, "wait_s": 0, **more})

    def await_state(self, task_id, statuses, within_s=60):
        """Waits until the task has one of these statuses; returns at the first event, and looks again."""
        state = self.state(task_id)
        end = time.monotonic() + within_s
        while time.monotonic() < end:
            if state["status"] in statuses:
                return state
            assert state["status"] not in TERMINAL, f"expected {statuses}: {state}"
            if state["status"] == "paused":
                time.sleep(0.05)  # of a paused one each look returns at once
            state = self.call("get-task", {"task_id": task_id, "wait_s": 5, "events_after": state["last_event"]})
        raise AssertionError(f"did not become {statuses}: {state}")

    def events(self, task_id, kind=None):
        events = self.state(task_id, events_after=0)["events"]
        return [event for event in events if kind is None or event["kind"] == kind]


def equal(found, expected):
    assert found == expected, f"expected {expected!r}, found {found!r}"


def run_cases(cases):
    """Runs the functions; prints what failed and "N passed, N failed"; the exit code."""
    passed = failed = 0
    for case in cases:
        try:
            case()
            passed += 1
        except Exception:
            failed += 1
            print(f"FAILED {case.__name__}")
            traceback.print_exc(limit=8)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0
