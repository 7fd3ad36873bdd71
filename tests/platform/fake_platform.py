"""A platform that a test directs: it speaks the invoke API in the words of its documentation, keeps what it was sent, and
breaks in every way that a test asks for.

A script says what an agent does: a function (task, platform) that yields steps, chosen by the agent's id.
  ("event", type, data)    an event of the stream
  ("task", {members})      the task changes; the stream tells of it
  ("finish", {members})    the same, and it is over
  ("raw", bytes)           anything, on the stream
  ("wait", name)           goes on once the test has called platform.let(name)
  ("cut",) ("reset",)      the stream ends, or is reset; the work goes on
"""
import json
import re
import socket
import struct
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ORGANIZATION = "22222222-2222-4222-8222-222222222222"
TERMINAL = {"completed", "failed", "error", "stopped"}


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".123456Z"


class Task:
    """One record: a conversation's latest turn."""

    def __init__(self, task_id, agent_id):
        self.lock = threading.Condition()
        self.turn = 0
        self.record = {"id": task_id, "agent_id": agent_id, "organization_id": ORGANIZATION}

    def begin(self, body):
        with self.lock:
            self.turn += 1
            self.record.update({"status": "pending", "input": body["input"], "result": None, "created_at": now(),
                                "finished_at": None, "is_manually_stopped": False, "hitl_request": None,
                                "pending_eca_request": None, "deep_planning": {"question_raised": False, "tasks": []},
                                "title": body.get("title"), "user_oidc_token": body.get("user_oidc_token"),
                                "user_tokens": body.get("user_tokens"), "mcp_servers": body.get("mcp_servers", [])})
            self.lock.notify_all()

    def change(self, members):
        with self.lock:
            if self.record["status"] in TERMINAL:
                return
            self.record.update(members)
            if self.record["status"] in TERMINAL:
                self.record["finished_at"] = now()
            self.lock.notify_all()

    def copy(self):
        with self.lock:
            return json.loads(json.dumps(self.record))

    def wait_over(self):
        with self.lock:
            self.lock.wait_for(lambda: self.record["status"] in TERMINAL, 60)


class Stream:
    """The stream of one invocation; once it is cut nothing more is written, and the work goes on."""

    def __init__(self, handler):
        self.handler = handler
        self.open = handler is not None

    def write(self, data):
        if self.open:
            try:
                self.handler.wfile.write(data)
                self.handler.wfile.flush()
            except OSError:
                self.open = False

    def event(self, task, kind, data):
        envelope = {"type": kind, "task_id": task.record["id"], "organization_id": ORGANIZATION, "time": now(), "data": data}
        self.write(b"data: " + json.dumps(envelope).encode() + b"\n\n")

    def cut(self, reset):
        if not self.open:
            return
        self.open = False
        if reset:
            self.handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.handler.connection.close()
        else:
            hang_up(self.handler)


def hang_up(handler):
    try:
        handler.connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # the other side was first


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a bridge that hangs up or is killed is no fault here


class Platform:
    def __init__(self, scripts, api_key=None):
        self.scripts = scripts
        self.api_key = api_key
        self.tasks = {}
        self.requests = []  # (method, path, headers, body)
        self.faults = []
        self.lock = threading.Condition()
        self.gates = set()
        platform = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                platform.handle(self, "GET")

            def do_POST(self):
                platform.handle(self, "POST")

            def log_message(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    # --- for tests ---

    def let(self, name):
        with self.lock:
            self.gates.add(name)
            self.lock.notify_all()

    def fault(self, method, pattern, status, body=b"", headers=None, times=1, how=None):
        """The next `times` requests that match are answered so; `how`: "drop" (no answer), "reset", "half" (an answer cut
        off), "begun" (the work begins, the answer is lost)."""
        with self.lock:
            self.faults.append([method, pattern, times, status, body, headers or {}, how])

    def seen(self, method, pattern):
        with self.lock:
            return [r for r in self.requests if r[0] == method and re.search(pattern, r[1])]

    def await_seen(self, method, pattern, count=1):
        with self.lock:
            good = self.lock.wait_for(
                lambda: len([r for r in self.requests if r[0] == method and re.search(pattern, r[1])]) >= count, 30)
        assert good, f"{method} {pattern} was not called {count} times: {[r[:2] for r in self.requests]}"

    # --- serving ---

    def take_fault(self, method, path):
        with self.lock:
            for fault in self.faults:
                if fault[0] == method and fault[2] > 0 and re.search(fault[1], path):
                    fault[2] -= 1
                    return fault
        return None

    def handle(self, handler, method):
        length = int(handler.headers.get("Content-Length") or 0)
        text = handler.rfile.read(length)
        body = json.loads(text) if text else {}
        with self.lock:
            self.requests.append((method, handler.path, dict(handler.headers.items()), body))
            self.lock.notify_all()
        fault = self.take_fault(method, handler.path)
        if fault and fault[6] == "begun":
            self.invoke(handler, body, lost=True)
        if fault:
            self.break_off(handler, fault)
        elif self.api_key and handler.headers.get("x-api-key") != self.api_key:
            self.answer(handler, 401, {"detail": "Invalid or missing API key"})
        else:
            self.route(handler, method, body)

    def break_off(self, handler, fault):
        _, _, _, status, body, headers, how = fault
        handler.close_connection = True
        if how in ("drop", "begun"):
            hang_up(handler)
        elif how == "reset":
            Stream(handler).cut(True)
        else:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body) + (100 if how == "half" else 0)))
            handler.end_headers()
            handler.wfile.write(body)

    def route(self, handler, method, body):
        path = handler.path.split("?")[0]
        invoke = re.fullmatch(r"/v1/(agents|workflows)/([^/]+)/invoke(/stream|/async|)", path)
        task = re.fullmatch(r"/v1/tasks/([^/]+)(/stop|)", path)
        hitl = re.fullmatch(r"/hitl/([^/]+)/(approve|reject)", path)
        if method == "POST" and invoke and invoke.group(2) in self.scripts:
            self.invoke(handler, body)
        elif method == "POST" and hitl and hitl.group(1) in self.tasks:
            self.let(hitl.group(2))
            self.answer(handler, 200, self.tasks[hitl.group(1)].copy())
        elif task and task.group(1) in self.tasks and (method == "POST") == (task.group(2) == "/stop"):
            if task.group(2):
                self.tasks[task.group(1)].change({"status": "stopped", "is_manually_stopped": True})
            self.answer(handler, 200, self.tasks[task.group(1)].copy())
        else:
            self.answer(handler, 404, {"detail": "Not found"})

    def answer(self, handler, status, value):
        text = json.dumps(value).encode()
        try:
            handler.send_response(status)
            handler.send_header("Content-Type", "application/json")
            handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text)
        except OSError:
            pass

    def invoke(self, handler, body, lost=False):
        path = handler.path.split("?")[0]
        agent_id, mode = re.fullmatch(r"/v1/(?:agents|workflows)/([^/]+)/invoke(/stream|/async|)", path).groups()
        with self.lock:
            task = self.tasks.setdefault(body["id"], Task(body["id"], agent_id))
        task.begin(body)
        stream = Stream(handler if mode == "/stream" and not lost else None)
        if stream.open:
            handler.close_connection = True
            handler.send_response(200)
            handler.send_header("Content-Type", "text/event-stream")
            handler.send_header("Connection", "close")
            handler.end_headers()
            self.play(task, agent_id, stream)
            return
        first = task.copy()
        threading.Thread(target=self.play, args=(task, agent_id, stream), daemon=True).start()
        if lost:
            return
        if mode == "":
            task.wait_over()
        self.answer(handler, 200, task.copy() if mode == "" else first)

    def play(self, task, agent_id, stream):
        stream.event(task, "task_created", task.copy())
        task.change({"status": "executing"})
        for step in self.scripts[agent_id](task, self):
            if task.record["status"] in TERMINAL:
                break
            if step[0] == "event":
                stream.event(task, step[1], step[2])
            elif step[0] == "raw":
                stream.write(step[1])
            elif step[0] in ("cut", "reset"):
                stream.cut(step[0] == "reset")
            elif step[0] == "wait":
                with self.lock:
                    self.lock.wait_for(lambda: step[1] in self.gates or task.record["status"] in TERMINAL, 60)
            else:
                task.change(step[1])
                stream.event(task, "task_finished" if step[0] == "finish" else "task_updated", task.copy())
        if task.record["status"] in TERMINAL and stream.open and step[0] != "finish":
            stream.event(task, "task_finished", task.copy())
        stream.cut(False)
