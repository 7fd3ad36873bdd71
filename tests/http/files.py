"""Files that a caller names: what a program gets of them, which addresses are not reached, and what is left behind."""
import http.server
import json
import os
import signal
import tempfile
import threading
import time

from wire import Bridge, call, invoke


class Origin:
    """Where the files are."""

    def __init__(self):
        self.asked = []
        origin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                origin.asked.append(self.path)
                if self.path.startswith("/moved"):
                    self.send_response(302)
                    self.send_header("Location", "/a.txt")
                    self.end_headers()
                    return
                body = {"/a.txt": b"alpha", "/big": b"x" * 100000, "/b%20c?q=1": b"beta"}.get(self.path)
                self.send_response(200 if body is not None else 404)
                self.send_header("Content-Type", "text/plain; charset=utf-8")
                self.send_header("Content-Length", str(len(body or b"none")))
                self.end_headers()
                self.wfile.write(body or b"none")

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


def left_over(bridge):
    folder = os.path.join(bridge.data, "files")
    return os.listdir(folder) if os.path.isdir(folder) else []


def gone(path):
    end = time.monotonic() + 20
    while os.path.lexists(path):
        assert time.monotonic() < end, path + " is still there"
        time.sleep(0.02)


def run(bridge, agent, files, **more):
    return invoke(bridge, agent, files=files, wait_s=20, **more)["structuredContent"]


def test_fetched_files(bridge):
    origin = Origin()
    try:
        files = [origin.url + "/a.txt", origin.url + "/b%20c?q=1"]
        task = run(bridge, "files-fetched", files)
        got = task["data"]
        assert task["status"] == "completed" and got["files"] == files, task
        assert [file["content"] for file in got["local_files"]] == ["alpha", "beta"], got
        assert [file["url"] for file in got["local_files"]] == files
        assert [file["media_type"] for file in got["local_files"]] == ["text/plain"] * 2
        assert [file["bytes"] for file in got["local_files"]] == [5, 4]
        assert [os.path.basename(file["path"]) for file in got["local_files"]] == ["1-a.txt", "2-b_20c"], got
        assert got["modes"] == ["0o600"] * 2 and got["folder_mode"] == "0o700", got
        # The agent left something of its own beside them; the folder goes all the same, once its process is gone.
        gone(os.path.dirname(got["local_files"][0]["path"]))
        # A text agent finds the paths behind its text and in its environment.
        task = run(bridge, "text-fetched", files)
        assert task["result"].startswith("x\n\n/") and task["result"].endswith("alpha beta"), task
        task = run(bridge, "text-fetched", files, disable_attachment_injection=True)
        assert task["result"].startswith("x alpha beta"), task
    finally:
        origin.stop()


def test_file_urls(bridge):
    """Who does not fetch gets the URLs as they are; nobody asks for them."""
    origin = Origin()
    try:
        files = [origin.url + "/a.txt", "https://files.example/b"]
        task = run(bridge, "files-named", files)
        assert task["data"] == {"files": files}, task
        assert run(bridge, "text-named", files)["result"] == "x\n\n" + "\n".join(files)
        assert run(bridge, "text-named", files, disable_attachment_injection=True)["result"] == "x"
        assert origin.asked == []
    finally:
        origin.stop()


def test_files_that_cannot_be_had(bridge):
    origin = Origin()
    closed = Origin()
    closed.stop()
    cases = {  # what is asked for -> a piece of the reason
        origin.url + "/none?token=canary": origin.url + " answered with HTTP status 404",
        origin.url + "/moved?token=canary": "answered with HTTP status 302",
        origin.url + "/big?token=canary": "HTTP status 404",
        origin.url + "/big": "larger than limits.file_bytes",
        closed.url + "/a?token=canary": closed.url,
        "http://127.0.0.2:9/a?token=canary": "127.0.0.2",
        "http://169.254.169.254/latest?token=canary": "169.254.169.254",
        "http://[::1]:9/a?token=canary": "",
        "file:///etc/passwd": "URL",
        "http://user:canary@127.0.0.1/": "URL",
    }
    try:
        for url, reason in cases.items():
            task = run(bridge, "files-fetched", [origin.url + "/a.txt", url])
            assert task["status"] == "error" and task["reason"] == "unreachable", (url, task)
            message = task["error"]["message"]
            assert message.startswith("file 2 of 2 could not be fetched: ") and reason in message, (url, message)
            assert "canary" not in json.dumps(task.get("error")) + task.get("status_message", ""), task
        task = run(bridge, "files-fetched", [origin.url + "/a.txt"] * 65)
        assert "more than 64" in task["error"]["message"], task
        assert "/latest?token=canary" not in origin.asked
    finally:
        origin.stop()


def alone_files_of_a_stopped_task_and_a_dead_bridge(folder):
    with tempfile.TemporaryDirectory() as data:
        origin = Origin()
        bridge = Bridge(data)
        try:
            handle = invoke(bridge, "files-held", files=[origin.url + "/a.txt"], wait_s=0)["structuredContent"]
            call(bridge, "get-task", {"task_id": handle["task_id"], "wait_s": 20, "events_after": 2})
            assert left_over(bridge) == [handle["task_id"]]
            call(bridge, "stop-task", {"task_id": handle["task_id"]})
            gone(os.path.join(data, "files", handle["task_id"]))
            handle = invoke(bridge, "files-held", files=[origin.url + "/a.txt"], wait_s=0)["structuredContent"]
            call(bridge, "get-task", {"task_id": handle["task_id"], "wait_s": 20, "events_after": 2})
            assert handle["task_id"] in left_over(bridge)
        finally:
            bridge.stop(signal.SIGKILL)
        bridge = Bridge(data)
        try:
            assert left_over(bridge) == []
        finally:
            bridge.stop()
            origin.stop()
