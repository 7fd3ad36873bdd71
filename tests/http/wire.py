"""What the black-box tests share: the bridge as a process, HTTP by raw sockets, and MCP calls on top."""
import json
import os
import signal
import socket
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ.get("AGENTBRIDGE", os.path.join(HERE, "..", "..", "build", "agentbridge"))
MODERN = "2026-07-28"

sys.path.insert(0, os.path.join(HERE, "..", "golden"))
from published import Published  # noqa: E402

schemas = {}  # by version
versions = {}  # of sessions, by id


def check_published(data, response):
    """What came back on a whole request is held against the published schema of its version, where that is at hand."""
    head, _, body = data.partition(b"\r\n\r\n")
    try:
        request = json.loads(body)
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head.decode().split("\r\n"))}
        version = headers.get("mcp-protocol-version") or versions.get(headers.get("mcp-session-id"))
        method = request.get("method")
    except (ValueError, AttributeError):
        return
    if version not in ("2025-03-26", "2025-06-18", "2025-11-25", MODERN) or b"/mcp" not in head.split(b"\r\n")[0]:
        return
    schema = schemas.setdefault(version, Published("mcp", version))
    for message in response.messages:
        if "jsonrpc" in message:  # else it is from before the endpoint: the doors
            schema.check(message, method)


def checked():
    return sum(schema.checked for schema in schemas.values())


class Bridge:
    def __init__(self, data, config=os.path.join(HERE, "bridge.jsonc"), **options):
        self.data = data
        self.process = subprocess.Popen(
            [BINARY, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", data,
             "--log-level", "error"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://"), f"the bridge did not start: {line!r}"
        host, port = line.split("//")[1].strip().split(":")
        self.address = (host, int(port))
        self.pid = self.process.pid

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            return self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def connect(self):
        return socket.create_connection(self.address, timeout=30)

    def memory_kb(self):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("RssAnon")).split()[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return file.read().split()


class Response:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def messages(self):
        if self.headers.get("content-type", "").startswith("text/event-stream"):
            return [json.loads(line[6:]) for line in self.body.decode().splitlines() if line.startswith("data: {")]
        return [json.loads(self.body)] if self.body else []

    @property
    def message(self):
        return self.messages[-1]


def read_line(file):
    line = file.readline()
    if not line:
        raise ConnectionError("the connection ended")
    return line.decode("latin-1").rstrip("\r\n")


def read_response(file, head_only=False):
    status = int(read_line(file).split()[1])
    headers = {}
    while line := read_line(file):
        name, value = line.split(":", 1)
        headers[name.lower()] = value.strip()
    if status == 100:
        return read_response(file)
    body = b""
    if head_only or status == 204:
        pass
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(read_line(file), 16):
            body += file.read(size)
            read_line(file)
        read_line(file)
    elif "content-length" in headers:
        body = file.read(int(headers["content-length"]))
    return Response(status, headers, body)


def raw(bridge, data, head_only=False):
    """Sends these bytes on a new connection and reads one response."""
    with bridge.connect() as connection:
        connection.sendall(data)
        response = read_response(connection.makefile("rb"), head_only)
    if not head_only:
        check_published(data, response)
    return response


def request_bytes(bridge, body=b"", headers=None, method="POST", path="/mcp"):
    if isinstance(body, str):
        body = body.encode()
    all_headers = {"Host": "%s:%d" % bridge.address, "Content-Type": "application/json",
                   "Accept": "application/json, text/event-stream", "Content-Length": str(len(body))}
    all_headers.update(headers or {})
    lines = [f"{method} {path} HTTP/1.1"] + [f"{name}: {value}" for name, value in all_headers.items() if value is not None]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def send(bridge, body=b"", headers=None, method="POST", path="/mcp"):
    return raw(bridge, request_bytes(bridge, body, headers, method, path), head_only=method == "HEAD")


def modern_body(method, params=None, id_=1, meta=None):
    params = dict(params or {})
    params["_meta"] = {"io.modelcontextprotocol/protocolVersion": MODERN,
                       "io.modelcontextprotocol/clientCapabilities": {}, **(meta or {})}
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})


def modern_headers(method, name=None):
    headers = {"MCP-Protocol-Version": MODERN, "Mcp-Method": method}
    if name is not None:
        headers["Mcp-Name"] = name
    return headers


def modern_call(bridge, tool, arguments, **more):
    return request_bytes(bridge, modern_body("tools/call", {"name": tool, "arguments": arguments}, **more),
                         modern_headers("tools/call", tool))


def call(bridge, tool, arguments):
    """A tool's result in the modern era."""
    return raw(bridge, modern_call(bridge, tool, arguments)).message["result"]


def invoke(bridge, agent, **more):
    return call(bridge, "invoke", {"agent": agent, "text": "x", **more})


def session(bridge, version="2025-11-25", capabilities=None):
    body = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": version, "capabilities": capabilities or {}, "clientInfo": {"name": "t", "version": "1"}}})
    sid = send(bridge, body).headers["mcp-session-id"]
    versions[sid] = version
    return sid
