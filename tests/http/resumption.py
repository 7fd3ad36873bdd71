"""Streams of legacy calls that break and are resumed with Last-Event-ID: nothing is lost, nothing comes twice."""
import json
import os
import signal
import tempfile

from wire import Bridge, read_line, request_bytes, send, session

RESUMABLE = ("2025-03-26", "2025-06-18", "2025-11-25")


class Stream:
    """An event stream, read event by event."""

    def __init__(self, bridge, data):
        self.connection = bridge.connect()
        self.connection.sendall(data)
        self.file = self.connection.makefile("rb")
        self.status = int(read_line(self.file).split()[1])
        headers = dict(line.lower().split(": ", 1) for line in iter(lambda: read_line(self.file), ""))
        self.text = ""
        self.ended = "content-length" in headers  # answered at once: no stream
        if self.ended:
            self.text = "data: " + self.file.read(int(headers["content-length"])).decode() + "\n\n"
        self.last_id = None
        self.retry = None
        self.ids = []

    def event(self):
        """The next message; "" for an event without data, None at the end."""
        while True:
            while "\n\n" not in self.text:
                if self.ended:
                    return None
                size = int(read_line(self.file), 16)
                if size == 0:
                    return None
                self.text += self.file.read(size).decode()
                read_line(self.file)
            block, _, self.text = self.text.partition("\n\n")
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            self.retry = fields.get("retry", self.retry)
            if "id" in fields:
                self.last_id = fields["id"]
                self.ids.append(fields["id"])
            if "data" in fields:
                return json.loads(fields["data"]) if fields["data"] else ""

    def messages(self, n=None):
        """The next n messages, or all to the end."""
        found = []
        while n is None or len(found) < n:
            event = self.event()
            if event is None:
                break
            if event:
                found.append(event)
        return found

    def cut(self):
        self.file.close()
        self.connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.cut()


def start(bridge, sid, agent="steps", folder="", id_='"call 1"', token='"t"', **arguments):
    body = json.dumps({"jsonrpc": "2.0", "id": json.loads(id_), "method": "tools/call", "params": {
        "name": "invoke", "arguments": {"agent": agent, "text": f"folder:{folder}", **arguments},
        "_meta": {"progressToken": json.loads(token)}}})
    return Stream(bridge, request_bytes(bridge, body, {"Mcp-Session-Id": sid}))


def get(bridge, sid, event_id):
    headers = {"Mcp-Session-Id": sid, "Last-Event-ID": event_id, "Content-Length": None, "Content-Type": None}
    return request_bytes(bridge, headers=headers, method="GET")


def resume(bridge, sid, event_id):
    stream = Stream(bridge, get(bridge, sid, event_id))
    assert stream.status == 200, stream.status
    return stream


def go(folder, *names):
    for name in names:
        with open(os.path.join(folder, str(name)), "w", encoding="ascii"):
            pass


def steps(messages):
    """The steps told in the log: unlike progress, which only keeps the newest number, each is an event of its own."""
    numbers = [m["params"]["progress"] for m in messages if m.get("method") == "notifications/progress"]
    assert numbers == sorted(set(numbers)), f"progress must rise: {numbers}"
    return [int(m["params"]["data"].removeprefix("step ")) for m in messages if m.get("method") == "notifications/message"]


def tokens(messages):
    return {m["params"]["progressToken"] for m in messages if m.get("method") == "notifications/progress"}


def results(messages):
    return [(m["id"], "error" if m["result"].get("isError") else "done") for m in messages if "result" in m]


def cut_after_first_step(bridge, sid, folder, **more):
    """A call whose stream breaks when one step was told; gives its last event id and the ids before."""
    go(folder, 1)
    with start(bridge, sid, folder=folder, **more) as stream:
        told = stream.messages(2)
        assert steps(told) == [1] and tokens(told) == {json.loads(more.get("token", '"t"'))}, told
        return stream


def test_resumes(bridge):
    for version in RESUMABLE:
        with tempfile.TemporaryDirectory() as folder:
            sid = session(bridge, version)
            broken = cut_after_first_step(bridge, sid, folder, token="7", id_="41")
            go(folder, 2)
            with resume(bridge, sid, broken.last_id) as stream:
                assert steps(stream.messages(2)) == [2]
                go(folder, 3, "end")
                rest = stream.messages()
            assert steps(rest) == [3] and results(rest) == [(41, "done")], rest
            # Again from the same place, now that all is over; from the last event nothing is missing.
            with resume(bridge, sid, broken.last_id) as again:
                whole = again.messages()
            assert steps(whole) == [2, 3] and results(whole) == [(41, "done")], whole
            with resume(bridge, sid, again.last_id) as nothing:
                assert nothing.messages() == []
            every = broken.ids + stream.ids
            assert len(every) == len(set(every)), "an id came twice"


def test_priming(bridge):
    for version, primed in (("2025-06-18", False), ("2025-11-25", True)):
        with tempfile.TemporaryDirectory() as folder:
            sid = session(bridge, version)
            with start(bridge, sid, folder=folder) as stream:
                if not primed:
                    go(folder, 1)
                    assert steps(stream.messages(2)) == [1] and stream.retry is None
                    continue
                assert stream.event() == "" and stream.last_id and int(stream.retry) > 0
            go(folder, 1, 2, 3, "end")
            with resume(bridge, sid, stream.last_id) as stream:
                whole = stream.messages()
            assert steps(whole) == [1, 2, 3] and results(whole) == [("call 1", "done")], whole
    old = session(bridge, "2024-11-05")
    with tempfile.TemporaryDirectory() as folder:
        go(folder, 1)
        with start(bridge, old, folder=folder) as stream:
            stream.event()
            assert stream.last_id is None


def test_one_of_two_resumers_gets_the_rest(bridge):
    with tempfile.TemporaryDirectory() as folder:
        sid = session(bridge)
        go(folder, 1)
        with start(bridge, sid, folder=folder) as original:
            original.messages(2)
            with resume(bridge, sid, original.last_id) as first, resume(bridge, sid, original.last_id) as second:
                assert original.messages() == [] and first.messages() == []  # displaced: they end
                go(folder, 2, 3, "end")
                whole = second.messages()
        assert steps(whole) == [2, 3] and results(whole) == [("call 1", "done")], whole


def test_calls_do_not_mix(bridge):
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        sid = session(bridge)
        first = cut_after_first_step(bridge, sid, one, id_="1", token='"one"')
        second = cut_after_first_step(bridge, sid, other, id_="2", token='"other"')
        go(one, 2, 3, "end")
        go(other, 2, 3, "end")
        for broken, id_, token in ((second, 2, "other"), (first, 1, "one")):
            with resume(bridge, sid, broken.last_id) as stream:
                whole = stream.messages()
            assert steps(whole) == [2, 3] and tokens(whole) == {token} and results(whole) == [(id_, "done")], whole


def test_bad_event_ids(bridge):
    with tempfile.TemporaryDirectory() as folder:
        sid = session(bridge)
        good = cut_after_first_step(bridge, sid, folder).last_id
        go(folder, 2, 3, "end")
        middle = len(good) // 2
        changed = good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1:]
        for bad in ("1", "x" * 3000, changed, good[:-4], good + "AAAA", sid, "../../etc/passwd", "\u00e4"):
            response = send(bridge, headers={"Mcp-Session-Id": sid, "Last-Event-ID": bad, "Content-Length": None}, method="GET")
            assert response.status == 400 and "Last-Event-ID" in response.message["error"]["message"], (bad, response.status)
        other = send(bridge, headers={"Mcp-Session-Id": session(bridge), "Last-Event-ID": good, "Content-Length": None}, method="GET")
        assert other.status == 400, other.status
        nobody = send(bridge, headers={"Last-Event-ID": good, "Content-Length": None}, method="GET")
        assert nobody.status == 405, nobody.status
        with resume(bridge, sid, good) as stream:
            assert results(stream.messages()) == [("call 1", "done")]


def test_a_resumed_call_can_be_cancelled(bridge):
    with tempfile.TemporaryDirectory() as folder:
        sid = session(bridge)
        broken = cut_after_first_step(bridge, sid, folder)
        with resume(bridge, sid, broken.last_id) as stream:
            cancel = json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "call 1"}})
            assert send(bridge, cancel, {"Mcp-Session-Id": sid}).status == 202
            assert stream.messages() == []
        go(folder, 2, 3, "end")
        with resume(bridge, sid, broken.last_id) as stream:
            assert results(stream.messages()) == [("call 1", "error")]


def test_states_of_tasks_go_on(bridge):
    """The session's own GET stream: what moved while it was broken is told when it is back, as it stands then."""
    with tempfile.TemporaryDirectory() as folder:
        sid = session(bridge)
        headers = {"Mcp-Session-Id": sid, "Content-Length": None, "Content-Type": None}
        with Stream(bridge, request_bytes(bridge, headers=headers, method="GET")) as stream:
            assert stream.event() == ""
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
                "name": "invoke", "arguments": {"agent": "steps", "text": f"folder:{folder}"}, "task": {}}})
            task = send(bridge, body, {"Mcp-Session-Id": sid}).message["result"]["task"]
            assert stream.event() == ""  # an id that knows of the task
        go(folder, 1, 2, 3, "end")
        wait = json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tasks/result", "params": {"taskId": task["taskId"]}})
        assert not send(bridge, wait, {"Mcp-Session-Id": sid}).message["result"].get("isError")
        with resume(bridge, sid, stream.last_id) as back:
            told = back.messages(1)[0]
            assert told["method"] == "notifications/tasks/status", told
            assert (told["params"]["taskId"], told["params"]["status"]) == (task["taskId"], "completed"), told
            last = back.last_id
        with resume(bridge, sid, last) as back:
            assert back.event() == "" and back.text == ""  # nothing more


def alone_resumes_after_restart(folder):
    """The bridge dies in the middle: the events before are all there, and the call gets its one result."""
    bridge = Bridge(os.path.join(folder, "resumes"))
    done, cut = os.path.join(folder, "steps-done"), os.path.join(folder, "steps-cut")
    os.mkdir(done)
    os.mkdir(cut)
    sid = session(bridge)
    finished = cut_after_first_step(bridge, sid, done, id_="1")
    go(done, 2, 3, "end")
    with resume(bridge, sid, finished.last_id) as stream:
        assert results(stream.messages()) == [(1, "done")]
    interrupted = cut_after_first_step(bridge, sid, cut, id_="2")
    go(cut, 2)
    with resume(bridge, sid, interrupted.last_id) as stream:
        assert steps(stream.messages(2)) == [2]
        bridge.stop(signal.SIGKILL)
    bridge = Bridge(bridge.data)
    try:
        with resume(bridge, sid, finished.last_id) as again:
            whole = again.messages()
        assert steps(whole) == [2, 3] and results(whole) == [(1, "done")], whole
        with resume(bridge, sid, interrupted.last_id) as again:
            whole = again.messages()
        assert steps(whole) == [2] and results(whole) == [(2, "error")], whole
        with resume(bridge, sid, stream.last_id) as again:
            whole = again.messages()
        assert steps(whole) == [] and results(whole) == [(2, "error")], whole
    finally:
        assert bridge.stop() == 0
