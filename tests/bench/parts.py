"""What the benchmarks are made of: servers that are started and stopped, load by wrk, processor time, pairs."""
import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import time

BUILD = os.environ.get("BUILD", "build")
HERE = os.path.dirname(os.path.abspath(__file__))
WORK = os.path.abspath(os.path.join(BUILD, "bench", "work"))
BRIDGE = os.path.abspath(os.path.join(BUILD, "agentbridge"))
VERSION = "2026-07-28"
META = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}
TICK = os.sysconf("SC_CLK_TCK")
# What is measured runs on the first processor, the load on the others.
CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPUS = {CPUS[0]}
LOAD_CPUS = set(CPUS[1:]) or {CPUS[0]}


def program(name):
    return os.path.abspath(os.path.join(BUILD, "bench", name))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def pinned(cpus):
    return lambda: os.sched_setaffinity(0, cpus)


class Process:
    """One that is measured."""

    def __init__(self, arguments, cpus, **options):
        self.process = subprocess.Popen(arguments, preexec_fn=pinned(cpus), **options)
        self.pid = self.process.pid

    def cpu_s(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def memory_kb(self, name):
        with open(f"/proc/{self.pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith(name + ":")).split()[1])

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Bridge(Process):
    """`agentbridge serve`, or with `config` as text the program of agents.c."""

    def __init__(self, data, arguments=None, config=None, cpus=None):
        data = os.path.join(WORK, data)
        os.makedirs(data, exist_ok=True)
        if config is not None:
            arguments = [program("agents"), data, json.dumps(config)]
        else:
            arguments = [BRIDGE, "serve", "--listen", "127.0.0.1:0", "--data", data, "--log-level", "warning"] + (arguments or [])
        super().__init__(arguments, cpus or SERVER_CPUS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise SystemExit(f"the bridge did not start: {arguments}")
        self.host, port = line.split("//")[1].strip().split(":")
        self.port = int(port)

    def call(self, tool, arguments):
        """The result's structured content."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        connection.request("POST", "/mcp", call_body(tool, arguments), call_headers(tool))
        text = connection.getresponse().read().decode()
        connection.close()
        if not text.startswith("{"):
            text = re.findall(r"^data: (.*)$", text, re.M)[-1]
        return json.loads(text)["result"]["structuredContent"]

    def raw(self, tool, arguments):
        """The whole answer's body."""
        connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        connection.request("POST", "/mcp", call_body(tool, arguments), call_headers(tool))
        return connection.getresponse().read().decode()


def call_body(tool, arguments, meta=None):
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
                       "params": {"name": tool, "arguments": arguments, "_meta": {**META, **(meta or {})}}})


def call_headers(tool):
    return {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": VERSION, "Mcp-Method": "tools/call", "Mcp-Name": tool}


NGINX_COMMON = """
daemon off; master_process off; worker_processes 1; pid {work}/{name}.pid; error_log {work}/{name}.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; keepalive_requests 1000000000; client_body_buffer_size 64k;
  client_body_temp_path {work}/tmp1; proxy_temp_path {work}/tmp2; fastcgi_temp_path {work}/tmp3;
  uwsgi_temp_path {work}/tmp4; scgi_temp_path {work}/tmp5;
  {inside}
}}
"""


class Nginx(Process):
    def __init__(self, name, inside, cpus):
        config = os.path.join(WORK, name + ".conf")
        self.host = "127.0.0.1"
        self.port = free_port()
        with open(config, "w", encoding="utf-8") as file:
            file.write(NGINX_COMMON.format(work=WORK, name=name, inside=inside.replace("PORT", str(self.port))))
        super().__init__([os.environ.get("NGINX", "/usr/sbin/nginx"), "-p", WORK, "-c", config], cpus,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(500):
            try:
                socket.create_connection((self.host, self.port), timeout=1).close()
                return
            except OSError:
                time.sleep(0.01)
        raise SystemExit(f"nginx did not start: see {WORK}/{name}.log")


class ProxyPair:
    """One nginx that answers with these bytes, and the one that is measured, which proxies them."""

    def __init__(self, body):
        assert "$" not in body  # it would be a variable
        quoted = body.replace("\\", "\\\\").replace("'", "\\'")
        self.origin = Nginx("origin", f"server {{ listen 127.0.0.1:PORT; location / {{ default_type application/json; "
                                      f"return 200 '{quoted}'; }} }}", LOAD_CPUS)
        self.proxy = Nginx("proxy", f"upstream origin {{ server 127.0.0.1:{self.origin.port}; keepalive 64; "
                                    "keepalive_requests 1000000000; } server { listen 127.0.0.1:PORT; location / { "
                                    "proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection \"\"; } }",
                           SERVER_CPUS)

    def stop(self):
        self.proxy.stop()
        self.origin.stop()


class Load:
    """One kind of request, sent by wrk."""

    def __init__(self, name, server, body, headers, connections, path="/mcp", method="POST"):
        self.server = server
        self.connections = connections
        self.path = path
        self.script = os.path.join(WORK, name + ".lua")
        with open(self.script, "w", encoding="utf-8") as file:
            file.write(f"wrk.method = {json.dumps(method)}\nwrk.body = {json.dumps(body)}\n")
            for key, value in headers.items():
                file.write(f"wrk.headers[{json.dumps(key)}] = {json.dumps(value)}\n")

    def run(self, seconds):
        """{"rate": requests a second, "per_cpu_s": requests for each second of the server's processor time}"""
        before = self.server.cpu_s()
        text = subprocess.run(["wrk", "-t1", f"-c{self.connections}", f"-d{seconds}s", "--timeout", "30s", "-s", self.script,
                               f"http://127.0.0.1:{self.server.port}{self.path}"], check=True, stdout=subprocess.PIPE, text=True,
                              preexec_fn=pinned(LOAD_CPUS)).stdout
        used = self.server.cpu_s() - before
        errors = re.search(r"(Non-2xx.*|Socket errors.*)", text)
        if errors:
            raise SystemExit(f"{self.script}: {errors.group(1)}")
        count = int(re.search(r"(\d+) requests in", text).group(1))
        return {"rate": float(re.search(r"Requests/sec: *([\d.]+)", text).group(1)), "per_cpu_s": count / max(used, 1 / TICK)}


def call_load(name, server, tool, arguments, connections):
    return Load(name, server, call_body(tool, arguments), call_headers(tool), connections)


def pairs(first, second, rounds, seconds):
    """Two loads in turn, each round in another order, so that what else the machine does meets both alike. Medians of
    both, and the median of the ratios first / second of the rounds."""
    told = []
    for load in (first, second):
        load.run(1)  # warm
    for number in range(rounds):
        order = (first, second) if number % 2 == 0 else (second, first)
        results = {load: load.run(seconds) for load in order}
        told.append((results[first], results[second]))
    middle = {}
    for key in ("rate", "per_cpu_s"):
        middle[key] = {"first": statistics.median(a[key] for a, _ in told),
                       "second": statistics.median(b[key] for _, b in told),
                       "ratio": statistics.median(a[key] / b[key] for a, b in told),
                       "ratios": [round(a[key] / b[key], 3) for a, b in told]}
    return middle
