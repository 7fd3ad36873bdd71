#!/usr/bin/env python3
"""MCP servers that stall, lie, flood or die, and what becomes of the tasks that call them. One HTTP server plays them all,
each at a path of its own; programs on stdio are scripts given to python3 -c. Prints "N passed, N failed"."""
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.request

LEGACY = "2025-11-25"
MODERN = "2026-07-28"
SCHEMA = {"type": "object"}
TOOL = {"name": "work", "inputSchema": SCHEMA}


def result(request, value):
    return {"jsonrpc": "2.0", "id": request["id"], "result": value}


def error(request, code, message):
    return {"jsonrpc": "2.0", "id": request["id"], "error": {"code": code, "message": message}}


def text(words):
    return {"content": [{"type": "text", "text": words}]}


class Peer:
    """A server that behaves until its tool is called; subclasses say how it then does not."""
    era = LEGACY
    tools = [TOOL]

    def __init__(self):
        self.calls = 0
        self.seen = []

    def capabilities(self):
        return {"tools": {}}

    def answer(self, http_exchange, request):
        method = request.get("method")
        self.seen.append(method)
        if method == "server/discover" and self.era == MODERN:
            http_exchange.json(result(request, {"resultType": "complete", "supportedVersions": [MODERN],
                                                "capabilities": self.capabilities(), "ttlMs": 0, "cacheScope": "private"}))
        elif method == "server/discover":
            http_exchange.status(400)
        elif method == "initialize":
            http_exchange.json(result(request, {"protocolVersion": self.era, "capabilities": self.capabilities(),
                                                "serverInfo": {"name": "peer", "version": "1"}}))
        elif method == "tools/list":
            self.list(http_exchange, request)
        elif method == "tools/call":
            self.calls += 1
            self.call(http_exchange, request)
        elif method is not None and method.startswith("tasks/"):
            self.task(http_exchange, request)
        else:
            self.other(http_exchange, request)

    def list(self, http_exchange, request):
        http_exchange.json(result(request, {"tools": self.tools, "resultType": "complete"}))

    def call(self, http_exchange, request):
        http_exchange.json(result(request, text("fine")))

    def task(self, http_exchange, request):
        http_exchange.json(error(request, -32601, "no tasks here"))

    def other(self, http_exchange, request):
        http_exchange.status(202)


class Good(Peer):
    pass


class Stalls(Peer):
    def call(self, http_exchange, request):
        http_exchange.hang()


class Garbage(Peer):
    def call(self, http_exchange, request):
        http_exchange.raw(200, "application/json", b"{\"jsonrpc\": nonsense")


class Page(Peer):
    def call(self, http_exchange, request):
        http_exchange.raw(200, "text/html", b"<html>welcome to the hotel network</html>")


class WrongId(Peer):
    def call(self, http_exchange, request):
        http_exchange.json({"jsonrpc": "2.0", "id": request["id"] + 1000, "result": text("not yours")})


class WrongIdInStream(Peer):
    def call(self, http_exchange, request):
        http_exchange.stream()
        http_exchange.event({"jsonrpc": "2.0", "id": request["id"] + 1000, "result": text("not yours")})
        http_exchange.event("no json at all")
        http_exchange.event(result(request, text("yours")))


class EndlessComments(Peer):
    def call(self, http_exchange, request):
        http_exchange.stream()
        while http_exchange.write(b": still here\n\n"):
            http_exchange.pause()


class EndlessNotifications(Peer):
    def call(self, http_exchange, request):
        http_exchange.stream()
        log = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x" * 65536}}
        while http_exchange.event(log):
            pass


class EndsWithoutAnswer(Peer):
    def call(self, http_exchange, request):
        http_exchange.stream()
        http_exchange.event({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "soon"}})


class Dies(Peer):
    def call(self, http_exchange, request):
        http_exchange.cut()


class HugeAnswer(Peer):
    def call(self, http_exchange, request):
        http_exchange.json(result(request, text("x" * (3 << 20))))


class HugeEvent(Peer):
    def call(self, http_exchange, request):
        http_exchange.stream()
        http_exchange.event(result(request, text("x" * (3 << 20))))


class NoContent(Peer):
    def call(self, http_exchange, request):
        http_exchange.json(result(request, {"whatever": 1}))


class UnknownType(Peer):
    era = MODERN

    def call(self, http_exchange, request):
        http_exchange.json(result(request, {"resultType": "surprise", "content": []}))


class ProtocolError(Peer):
    def call(self, http_exchange, request):
        http_exchange.json(error(request, -32602, "wrong, and here is why"))


class ServerError(Peer):
    def call(self, http_exchange, request):
        http_exchange.status(500)


class Refuses(Peer):
    def answer(self, http_exchange, request):
        http_exchange.status(401)


class ForgetsAlways(Peer):
    def answer(self, http_exchange, request):
        http_exchange.session = "s"
        super().answer(http_exchange, request)

    def call(self, http_exchange, request):
        http_exchange.status(404)


class ManyTools(Peer):
    def list(self, http_exchange, request):
        page = int(request["params"].get("cursor", "0"))
        tools = [{"name": f"tool-{page}-{n}", "inputSchema": SCHEMA} for n in range(100)]
        http_exchange.json(result(request, {"tools": [TOOL] + tools, "nextCursor": str(page + 1)}))


class StrangeTools(Peer):
    tools = [7, {}, {"name": "a"}, {"name": 1, "inputSchema": SCHEMA}, {"name": "b", "inputSchema": {"type": "string"}},
             {"name": "x" * 1000, "inputSchema": SCHEMA}, TOOL, TOOL, {"name": "bad schema", "inputSchema": {"type": "object", "properties": 7}}]


class ListsNothing(Peer):
    def list(self, http_exchange, request):
        http_exchange.json(error(request, -32601, "no tools"))


class AsksNonsense(Peer):
    """Each of its requests must be refused; then it answers."""
    def call(self, http_exchange, request):
        asked = [("elicitation/create", {"message": "m"}), ("elicitation/create", {"requestedSchema": SCHEMA}),
                 ("elicitation/create", {"message": "m", "requestedSchema": {"type": "object", "properties": {"a": {"type": "object"}}}}),
                 ("elicitation/create", {"message": "m", "mode": "url", "url": "javascript:alert(1)"}),
                 ("sampling/createMessage", {"messages": [], "maxTokens": 1}), ("roots/list", {}), ("tools/call", {"name": "x"})]
        self.refused = 0
        self.all_refused = threading.Event()
        self.wanted = len(asked)
        http_exchange.stream()
        for n, (method, params) in enumerate(asked):
            http_exchange.event({"jsonrpc": "2.0", "id": f"q{n}", "method": method, "params": params})
        self.all_refused.wait(20)
        http_exchange.event(result(request, text(f"{self.refused} refused")))

    def other(self, http_exchange, request):
        if "error" in request:
            self.refused += 1
            if self.refused == self.wanted:
                self.all_refused.set()
        http_exchange.status(202)


class AsksForEver(Peer):
    era = MODERN

    def call(self, http_exchange, request):
        http_exchange.json(result(request, {"resultType": "input_required", "requestState": "again"}))


class AsksNonsenseModern(Peer):
    era = MODERN

    def call(self, http_exchange, request):
        http_exchange.json(result(request, {"resultType": "input_required", "inputRequests": {"k": {"method": "roots/list"}}}))


class WithTask(Peer):
    era = MODERN

    def call(self, http_exchange, request):
        http_exchange.json(result(request, {"resultType": "task", "taskId": "t1", "status": "working", "pollIntervalMs": 100}))

    def task(self, http_exchange, request):
        if request["method"] == "tasks/get":
            self.get(http_exchange, request)
        else:
            http_exchange.json(result(request, {"resultType": "complete"}))


class OtherTask(WithTask):
    def get(self, http_exchange, request):
        http_exchange.json(result(request, {"resultType": "complete", "taskId": "t2", "status": "completed", "result": text("not yours")}))


class NoTask(WithTask):
    def get(self, http_exchange, request):
        http_exchange.json(result(request, {"resultType": "complete", "status": "dancing"}))


class LostTask(WithTask):
    def get(self, http_exchange, request):
        http_exchange.json(error(request, -32602, "never heard of it"))


class FlakyTask(WithTask):
    """Is away twice, then says that it is done."""
    looks = 0

    def get(self, http_exchange, request):
        self.looks += 1
        if self.looks <= 2:
            http_exchange.status(503)
        else:
            http_exchange.json(result(request, {"resultType": "complete", "taskId": "t1", "status": "completed", "result": text("late")}))


class AskingTask(WithTask):
    """Asks under a key; shows it again until it is answered."""
    answer_given = None

    def get(self, http_exchange, request):
        task = {"resultType": "complete", "taskId": "t1", "status": "input_required", "pollIntervalMs": 100, "inputRequests": {
            "name": {"method": "elicitation/create", "params": {"message": "Who?", "requestedSchema": {
                "type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}}}}}
        if self.answer_given is not None:
            task = {"resultType": "complete", "taskId": "t1", "status": "completed", "result": text(json.dumps(self.answer_given))}
        http_exchange.json(result(request, task))

    def task(self, http_exchange, request):
        if request["method"] == "tasks/update":
            self.answer_given = request["params"]["inputResponses"]
        super().task(http_exchange, request)


class FailedTask(WithTask):
    def get(self, http_exchange, request):
        http_exchange.json(result(request, {"resultType": "complete", "taskId": "t1", "status": "failed",
                                            "error": {"code": 7, "message": "broken inside"}}))


# name, server, the state that its task ends in, what is said then
CASES = [
    ("good", Good, "TASK_STATE_COMPLETED", "fine"),
    ("stalls", Stalls, "TASK_STATE_FAILED", "longer than the 3 seconds"),
    ("garbage", Garbage, "TASK_STATE_FAILED", "no message of JSON-RPC"),
    ("page", Page, "TASK_STATE_FAILED", "no message of JSON-RPC"),
    ("wrong-id", WrongId, "TASK_STATE_FAILED", "a request that was not made"),
    ("wrong-id-in-stream", WrongIdInStream, "TASK_STATE_COMPLETED", "yours"),
    ("endless-comments", EndlessComments, "TASK_STATE_FAILED", "longer than the 3 seconds"),
    ("endless-notifications", EndlessNotifications, "TASK_STATE_FAILED", ""),
    ("ends-without-answer", EndsWithoutAnswer, "TASK_STATE_FAILED", "ended before the answer came"),
    ("dies", Dies, "TASK_STATE_FAILED", ""),
    ("huge-answer", HugeAnswer, "TASK_STATE_FAILED", "too large"),
    ("huge-event", HugeEvent, "TASK_STATE_FAILED", "too large"),
    ("no-content", NoContent, "TASK_STATE_FAILED", "no content"),
    ("unknown-type", UnknownType, "TASK_STATE_FAILED", "resultType"),
    ("protocol-error", ProtocolError, "TASK_STATE_FAILED", "wrong, and here is why"),
    ("server-error", ServerError, "TASK_STATE_FAILED", "HTTP 500"),
    ("refuses", Refuses, "TASK_STATE_FAILED", "wants a sign-in"),
    ("forgets-always", ForgetsAlways, "TASK_STATE_FAILED", "forgotten the session"),
    ("many-tools", ManyTools, "TASK_STATE_COMPLETED", "fine"),
    ("strange-tools", StrangeTools, "TASK_STATE_COMPLETED", "fine"),
    ("lists-nothing", ListsNothing, "TASK_STATE_REJECTED", "There is no tool \"work\""),
    ("asks-nonsense", AsksNonsense, "TASK_STATE_COMPLETED", "7 refused"),
    ("asks-for-ever", AsksForEver, "TASK_STATE_FAILED", "again and again"),
    ("asks-nonsense-modern", AsksNonsenseModern, "TASK_STATE_FAILED", "not declared"),
    ("other-task", OtherTask, "TASK_STATE_FAILED", "told of another task"),
    ("no-task", NoTask, "TASK_STATE_FAILED", "gave no task"),
    ("lost-task", LostTask, "TASK_STATE_FAILED", "never heard of it"),
    ("flaky-task", FlakyTask, "TASK_STATE_COMPLETED", "late"),
    ("asking-task", AskingTask, "TASK_STATE_COMPLETED", "Ann"),
    ("failed-task", FailedTask, "TASK_STATE_FAILED", "broken inside"),
]

# Programs: the first lines behave, {misdeed} comes with the call.
PROGRAM = """
import json, sys
def say(value): sys.stdout.write(value if isinstance(value, str) else json.dumps(value) + "\\n"); sys.stdout.flush()
for line in sys.stdin:
    request = json.loads(line)
    method = request.get("method")
    if "id" not in request: continue
    base = {{"jsonrpc": "2.0", "id": request["id"]}}
    if method == "initialize": say({{**base, "result": {{"protocolVersion": "2025-11-25", "capabilities": {{"tools": {{}}}}, "serverInfo": {{"name": "p", "version": "1"}}}}}})
    elif method == "tools/list": say({{**base, "result": {{"tools": [{{"name": "work", "inputSchema": {{"type": "object"}}}}]}}}})
    elif method == "tools/call":
        {misdeed}
    else: say({{**base, "error": {{"code": -32601, "message": "no"}}}})
"""
FINE = "say({**base, 'result': {'content': [{'type': 'text', 'text': 'fine'}]}})"
PROGRAMS = [
    ("program", FINE, "TASK_STATE_COMPLETED", "fine"),
    ("program-chatters", f"say('hello\\n[]\\n7\\n\\n'); say({{'jsonrpc': '2.0', 'id': 999, 'result': {{}}}}); {FINE}", "TASK_STATE_COMPLETED", "fine"),
    ("program-dies", "sys.stderr.write('out of paper\\n'); sys.exit(4)", "TASK_STATE_FAILED", "exit code 4: out of paper"),
    ("program-floods", "say('x' * (3 << 20))", "TASK_STATE_FAILED", "longer than"),
    ("program-stalls", "pass", "TASK_STATE_FAILED", "longer than the 3 seconds"),
]


class Exchange(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    session = None

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.status(405)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.server.peers[self.path[1:]].answer(self, json.loads(body))

    def raw(self, status, media_type, body):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        if self.session:
            self.send_header("Mcp-Session-Id", self.session)
        self.end_headers()
        self.write(body)

    def json(self, value):
        self.raw(200, "application/json", json.dumps(value).encode())

    def status(self, status):
        self.raw(status, "text/plain", b"")

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, value):
        return self.write(f"data: {value if isinstance(value, str) else json.dumps(value)}\n\n".encode())

    def write(self, data):
        try:
            self.wfile.write(data)
            return not self.server.over.is_set()
        except OSError:
            return False

    def pause(self):
        self.server.over.wait(0.05)

    def hang(self):
        self.server.over.wait(60)
        self.close_connection = True

    def cut(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.write(b"{\"jsonrpc\":")
        self.close_connection = True


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def start_bridge(directory, port):
    agents = {name: {"kind": "mcp", "url": f"http://127.0.0.1:{port}/{name}", "timeout_s": 3, "max_tools": 250} for name, *_ in CASES}
    for patient in ("flaky-task", "asks-for-ever"):
        agents[patient]["timeout_s"] = 60
    for name, misdeed, *_ in PROGRAMS:
        agents[name] = {"kind": "mcp", "command": [sys.executable, "-c", PROGRAM.format(misdeed=misdeed)], "version": LEGACY, "timeout_s": 3}
    config = os.path.join(directory, "bridge.jsonc")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"limits": {"output_bytes": 2 << 20}, "agents": agents}, file)
    with open(os.path.join(directory, "log"), "w", encoding="utf-8") as log:
        process = subprocess.Popen([os.environ["AGENTBRIDGE"], "serve", "--config", config, "--listen", "127.0.0.1:0", "--data",
                                    os.path.join(directory, "data")], stdout=subprocess.PIPE, stderr=log, text=True)
    return process, process.stdout.readline().split()[-1]


def send(base, agent, part, **more):
    message = {"messageId": os.urandom(8).hex(), "role": "ROLE_USER", "parts": [part], **more}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": message}}).encode()
    request = urllib.request.Request(f"{base}/a2a/{agent}", data=body,
                                     headers={"Content-Type": "application/json", "A2A-Version": "1.0"})
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)["result"]["task"]


def words(task):
    parts = task["status"].get("message", {}).get("parts", []) + [part for one in task.get("artifacts", []) for part in one["parts"]]
    return " ".join(part.get("text", "") for part in parts)


def run_case(base, name, state, said):
    task = send(base, name, {"data": {"tool": "work"}})
    if task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED":
        task = send(base, name, {"data": {"name": {"action": "accept", "content": {"name": "Ann"}}}}, taskId=task["id"])
    if task["status"]["state"] != state or said not in words(task):
        return f"{name}: expected {state} with {said!r}, found {task['status']['state']}: {words(task)[:300]}"
    return None


def main():
    server = Server(("127.0.0.1", 0), Exchange)
    server.peers = {name: make() for name, make, *_ in CASES}
    server.over = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    faults = []
    with tempfile.TemporaryDirectory() as directory:
        process, base = start_bridge(directory, server.server_address[1])
        cases = [(name, state, said) for name, _, state, said in CASES + PROGRAMS]
        threads = []
        for case in cases:
            threads.append(threading.Thread(target=lambda case=case: faults.append(run_case(base, *case))))
            threads[-1].start()
        for thread in threads:
            thread.join()
        faults = [fault for fault in faults if fault]
        if len(server.peers["many-tools"].seen) > 10:
            faults.append("many-tools: the list was read on beyond the limit")
        if process.poll() is not None:
            faults.append(f"the bridge has ended: {process.returncode}")
        process.terminate()
        server.over.set()
        if process.wait(timeout=30) != 0:
            faults.append(f"the bridge ended with {process.returncode}")
        if faults:
            with open(os.path.join(directory, "log"), encoding="utf-8") as log:
                print(log.read()[-6000:])
    server.shutdown()
    for fault in faults:
        print("FAILED", fault)
    print(f"{len(cases) - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
