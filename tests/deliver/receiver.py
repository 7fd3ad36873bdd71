"""A receiver of webhooks and push notifications: keeps what was posted, answers what a test says, checks signatures with
an implementation of its own."""
import base64
import hashlib
import hmac
import http.server
import json
import threading
import time

PATIENCE = 30  # seconds; nothing here should take so long


class Post:
    def __init__(self, path, headers, body):
        self.path = path
        self.headers = headers
        self.body = body
        self.at = time.time()

    @property
    def json(self):
        return json.loads(self.body)

    def check_signature(self, secret):
        """Standard Webhooks 1.0: HMAC-SHA256 of id, time and body."""
        stamp = self.headers["webhook-timestamp"]
        assert abs(int(stamp) - self.at) < 300, (stamp, self.at)
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{self.headers['webhook-id']}.{stamp}.".encode() + self.body
        expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert expected in self.headers["webhook-signature"].split(" "), (expected, self.headers["webhook-signature"])


class Receiver:
    """Listens on 127.0.0.1. `script[path]` holds the answers still to be given there, (status, headers) or a status;
    then it is 204. A path in `held` is answered when it is taken out again."""

    def __init__(self):
        self.posts = []
        self.script = {}
        self.held = set()
        self.change = threading.Condition()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.answer(self, Post(self.path, self.headers, body))

            def do_GET(self):
                outer.answer(self, Post("GET " + self.path, self.headers, b""))

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def answer(self, handler, post):
        with self.change:
            self.posts.append(post)
            self.change.notify_all()
            self.change.wait_for(lambda: post.path not in self.held, PATIENCE)
            answers = self.script.get(post.path)
            status, headers = 204, {}
            if answers:
                first = answers.pop(0)
                status, headers = first if isinstance(first, tuple) else (first, {})
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            if status != 204:
                handler.send_header("Content-Length", "0")
            handler.end_headers()
        except OSError:
            pass  # whoever asked is gone

    def at(self, path):
        return [post for post in list(self.posts) if post.path == path]

    def until(self, path, count):
        """The posts at this path once there are so many."""
        with self.change:
            found = self.change.wait_for(lambda: len(self.at(path)) >= count, PATIENCE)
        assert found, f"{len(self.at(path))} posts at {path}, expected {count}"
        return self.at(path)

    def release(self, path):
        with self.change:
            self.held.discard(path)
            self.change.notify_all()

    def close(self):
        with self.change:
            self.held.clear()
            self.change.notify_all()
        self.server.shutdown()
        self.server.server_close()
