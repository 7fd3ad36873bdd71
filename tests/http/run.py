#!/usr/bin/env python3
"""Hostile, broken and unlucky input over HTTP, and programs that misbehave. Prints "N passed, N failed".
run.py NAME... runs only these.

Tests of one bridge run side by side; those that need a bridge of their own (restarts, a full disk) start one.
"""
import concurrent.futures
import json
import os
import resource
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import files  # noqa: E402
import places  # noqa: E402
import questions  # noqa: E402
import resumption  # noqa: E402
from wire import (Bridge, call, checked, invoke, modern_body, modern_call, modern_headers, raw, read_response,  # noqa: E402
                  request_bytes, send, session)
from published import why_not  # noqa: E402


def until(holds, seconds=20):
    """Waits for something that another party brings about."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)


def error_of(response):
    return response.message["error"]


# --- JSON ---

BROKEN_JSON = {
    "invalid UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xff"}',
    "overlong UTF-8": b'{"jsonrpc":"2.0","id":1,"method":"\xc0\xaf"}',
    "too deep": b'{"a":' * 100 + b"1" + b"}" * 100,
    "duplicate key": b'{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}',
    "duplicate key in other letters": b'{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"ping"}',
    "cut off": b'{"jsonrpc":"2.0","id":1',
    "trailing": b'{"jsonrpc":"2.0","id":1,"method":"ping"} x',
    "leading zero": b'{"jsonrpc":"2.0","id":01,"method":"ping"}',
    "nothing": b"",
    "lone surrogate": b'{"jsonrpc":"2.0","id":1,"method":"\\ud800"}',
}


def test_broken_json(bridge):
    for name, body in BROKEN_JSON.items():
        response = send(bridge, body)
        assert response.status == 400 and error_of(response)["code"] == -32700, (name, response.status, response.body)


def test_no_messages(bridge):
    sid = session(bridge)
    for body in ("1", "[]", "{}", '{"jsonrpc":"1.0","id":1,"method":"ping"}', '{"jsonrpc":"2.0","id":null,"method":"ping"}',
                 '{"jsonrpc":"2.0","id":1.5,"method":"ping"}', '{"jsonrpc":"2.0","id":1,"method":7}'):
        response = send(bridge, body, {"Mcp-Session-Id": sid})
        assert response.status == 400 and error_of(response)["code"] == -32600, (body, response.body)


def test_batches(bridge):
    batch = lambda n: "[" + ",".join(f'{{"jsonrpc":"2.0","id":{i},"method":"ping"}}' for i in range(n)) + "]"  # noqa: E731
    sid = session(bridge, "2025-03-26")
    for n, status in ((1, 200), (100, 200), (0, 400), (101, 400)):
        response = send(bridge, batch(n), {"Mcp-Session-Id": sid})
        assert response.status == status, (n, response.status, response.body)
        assert status == 400 or [answer["id"] for answer in json.loads(response.body)] == list(range(n)), response.body
    assert send(bridge, batch(1), {"Mcp-Session-Id": session(bridge)}).status == 400


def test_ids_come_back_exactly(bridge):
    sid = session(bridge)
    for id_ in ("9007199254740993", "-1", "0", '"\\u00e4 \\"x\\""', '""', "123456789012345678901234567890"):
        legacy = send(bridge, f'{{"jsonrpc":"2.0","id":{id_},"method":"ping"}}', {"Mcp-Session-Id": sid})
        assert f'"id":{id_}'.encode() in legacy.body, (id_, legacy.body)
        body = modern_body("tools/list").replace('"id": 1', f'"id": {id_}')
        assert f'"id":{id_}'.encode() in send(bridge, body, modern_headers("tools/list")).body, id_


def test_unknown_methods(bridge):
    sid = session(bridge)
    legacy = send(bridge, '{"jsonrpc":"2.0","id":1,"method":"no/such"}', {"Mcp-Session-Id": sid})
    assert legacy.status == 200 and error_of(legacy)["code"] == -32601
    modern = send(bridge, modern_body("no/such"), modern_headers("no/such"))
    assert modern.status == 404 and error_of(modern)["code"] == -32601


def test_wrong_types_name_the_schema(bridge):
    for arguments, words in (({"agent": 7, "text": "x"}, "/properties/agent/type"), ({"agent": "good"}, '"text" is missing'),
                             ({"agent": "good", "text": "x", "txet": 1}, "txet"),
                             ({"agent": "good", "text": "x", "wait_s": -1}, "/properties/wait_s/minimum")):
        result = call(bridge, "invoke", arguments)
        assert result["isError"] and words in result["content"][0]["text"], (arguments, result)
    for params in ({"name": 7}, {"name": "invoke", "arguments": [1]}, {}):
        response = send(bridge, modern_body("tools/call", params), modern_headers("tools/call", "invoke"))
        assert error_of(response)["code"] in (-32602, -32020), (params, response.body)


def test_names_that_cannot_be_kept(bridge):
    for name in ("agent", "thread_id", "title", "idempotency_key"):
        result = call(bridge, "invoke", {"agent": "good", "text": "x", name: "a\0b"})
        assert result["isError"] and f'"{name}" must not contain U+0000' in result["content"][0]["text"], (name, result)
    result = call(bridge, "invoke", {"agent": "good", "text": "x", "title": "t" * 1001})
    assert result["isError"] and "/title" in result["content"][0]["text"], result


def test_unknown_names(bridge):
    result = invoke(bridge, "nobody")
    assert result["isError"] and "good" in result["content"][0]["text"] and "waits" in result["content"][0]["text"], result
    for tool in ("get-task", "stop-task", "reply-task"):
        arguments = {"task_id": "0123456789abcdef0123456789abcdef", **({"approve": True} if tool == "reply-task" else {})}
        result = call(bridge, tool, arguments)
        assert result["isError"] and "no task" in result["content"][0]["text"], result
    response = raw(bridge, modern_call(bridge, "no-such-tool", {}))
    assert error_of(response)["code"] == -32602


# --- HTTP ---

def test_sizes_and_framing(bridge):
    big = raw(bridge, request_bytes(bridge, b"", {"Content-Length": "100001"}))
    assert big.status == 413 and b"100000" in big.body, big.body
    head = raw(bridge, request_bytes(bridge, b"{}", {"X-Long": "x" * 20000}))
    assert head.status == 431, head.status
    chunked = raw(bridge, request_bytes(bridge, b"", {"Content-Length": None, "Transfer-Encoding": "chunked"}))
    assert chunked.status == 411, chunked.status
    assert send(bridge, "{}", {"Content-Type": "text/plain"}).status == 415
    assert send(bridge, "{}", {"Accept": "text/html"}).status == 406
    assert send(bridge, method="PUT").status == 405
    assert send(bridge, method="GET").status == 405
    assert send(bridge, method="DELETE").status == 405
    assert send(bridge, method="GET", path="/nothing").status == 404


def test_awkward_clients(bridge):
    body, headers = modern_body("tools/list"), modern_headers("tools/list")
    # Java's client offers h2c: it is answered in HTTP/1.1.
    upgrade = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"}
    assert send(bridge, body, {**headers, **upgrade}).status == 200
    # curl waits for the word before it sends a large body.
    data = request_bytes(bridge, body, {**headers, "Expect": "100-continue"})
    with bridge.connect() as connection:
        head, _, rest = data.partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        file = connection.makefile("rb")
        assert file.readline().startswith(b"HTTP/1.1 100")
        assert file.readline() == b"\r\n"
        connection.sendall(rest)
        assert read_response(file).status == 200
    # A head that comes byte by byte, and a body in pieces.
    with bridge.connect() as connection:
        one = request_bytes(bridge, body, headers)
        for place in range(0, len(one), 40):
            connection.sendall(one[place:place + 40])
            time.sleep(0.002)
        assert read_response(connection.makefile("rb")).status == 200
    assert send(bridge, method="HEAD", path="/health").status == 200


def alone_streams_stay_open(folder):
    """A silent GET stream outlives the library's own 5 s, and the bridge sleeps when its client has left."""
    bridge = Bridge(os.path.join(folder, "streams"))
    try:
        sid = session(bridge)
        with bridge.connect() as connection:
            connection.sendall(request_bytes(bridge, headers={"Mcp-Session-Id": sid, "Content-Length": None}, method="GET"))
            file = connection.makefile("rb")
            assert b"200" in file.readline()
            connection.settimeout(6.5)
            try:
                while file.readline():
                    pass
                raise AssertionError("the stream ended")
            except TimeoutError:
                pass
            file.close()  # else it holds the connection open
        open_streams = lambda: send(bridge, method="GET", path="/metrics").body  # noqa: E731
        until(lambda: b"agentbridge_http_streams 0\n" in open_streams())
        ticks = lambda: sum(int(n) for n in open(f"/proc/{bridge.pid}/stat", encoding="ascii").read().split()[13:15])  # noqa: E731
        before = ticks()
        time.sleep(0.5)
        assert ticks() - before <= 5, "the bridge is busy with nothing to do"
    finally:
        bridge.stop()


def test_doors(bridge):
    port = bridge.address[1]
    body, headers = modern_body("tools/list"), modern_headers("tools/list")
    for host, status in ((f"127.0.0.1:{port}", 200), (f"localhost:{port}", 200), ("localhost", 200), (f"[::1]:{port}", 200),
                         ("evil.example.com", 403), (f"evil.example.com:{port}", 403), ("127.0.0.1.evil.com", 403)):
        assert send(bridge, body, {**headers, "Host": host}).status == status, host
    for origin, status in ((f"http://127.0.0.1:{port}", 200), ("http://localhost:3000", 200),
                           ("http://evil.example.com", 403), ("https://localhost.evil.com", 403), ("null", 403),
                           ("file://localhost", 403), ("app://127.0.0.1", 403)):
        assert send(bridge, body, {**headers, "Origin": origin}).status == status, origin


def test_one_connection_many_requests(bridge):
    lists = request_bytes(bridge, modern_body("tools/list"), modern_headers("tools/list"))
    good = modern_call(bridge, "invoke", {"agent": "good", "text": "x"})
    health = request_bytes(bridge, method="GET", path="/health", headers={"Content-Length": None})
    with bridge.connect() as connection:
        file = connection.makefile("rb")
        for data in (lists, good, health, good, lists):  # one after the other
            connection.sendall(data)
            assert read_response(file).status == 200
        for i in range(20):  # all at once, cut anywhere
            data = (lists + good + health) * 5
            cut = (i * 131) % len(data)
            connection.sendall(data[:cut])
            connection.sendall(data[cut:])
            for _ in range(5):
                assert "tools" in read_response(file).message["result"]
                assert read_response(file).message["result"]["structuredContent"]["status"] == "completed"
                assert "status" in read_response(file).message
        connection.sendall(lists.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        assert read_response(file).headers["connection"] == "close" and file.read() == b""


# --- versions: the order of checks is what lets a client tell the cases apart ---

def test_modern_checks_in_order(bridge):
    good, headers = modern_body("tools/list"), modern_headers("tools/list")
    other = {"io.modelcontextprotocol/protocolVersion": "2099-01-01"}
    without_meta = '{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{}}'
    cases = (
        (without_meta, headers, 400, -32602),
        (good, {**headers, "MCP-Protocol-Version": None}, 400, -32020),
        (good, {**headers, "MCP-Protocol-Version": "2025-11-25"}, 400, -32020),
        (modern_body("tools/list", meta=other), {**headers, "MCP-Protocol-Version": "2099-01-01"}, 400, -32022),
        (modern_body("tools/list", meta=other), {"MCP-Protocol-Version": "2099-01-01", "Mcp-Method": "x"}, 400, -32022),
        (good, {**headers, "Mcp-Method": None}, 400, -32020),
        (good, {**headers, "Mcp-Method": "TOOLS/LIST"}, 400, -32020),
        (good, {**headers, "Mcp-Method": "  tools/list  "}, 200, None),
        (modern_body("no/such"), modern_headers("no/such"), 404, -32601),
        (modern_body("tools/call", {"name": "invoke"}), modern_headers("tools/call"), 400, -32020),
        (modern_body("tools/call", {"name": "invoke"}), modern_headers("tools/call", "=?base64?aW52b2tl?="), 200, None),
        (modern_body("tools/call", {"name": "invoke"}), modern_headers("tools/call", "=?base64?aW52b2t?="), 400, -32020),
        (modern_body("tools/list", meta={"io.modelcontextprotocol/logLevel": "loud"}), headers, 200, -32602),
        ('{"jsonrpc":"2.0","method":"notifications/x","params":{}}', headers, 202, None),
    )
    for body, head, status, code in cases:
        response = send(bridge, body, head)
        found = response.message.get("error", {}).get("code") if response.body else None
        assert (response.status, found) == (status, code), (body, head, response.status, response.body)


def test_legacy_checks(bridge):
    ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    sid = session(bridge)
    assert send(bridge, ping).status == 400
    assert send(bridge, ping, {"Mcp-Session-Id": "forged"}).status == 404
    assert send(bridge, ping, {"Mcp-Session-Id": sid[:-2] + ("AA" if sid[-2:] != "AA" else "BB")}).status == 404
    assert send(bridge, ping, {"Mcp-Session-Id": sid, "MCP-Protocol-Version": "2025-11-25"}).status == 200
    assert send(bridge, ping, {"Mcp-Session-Id": sid, "MCP-Protocol-Version": "nonsense"}).status == 400
    assert send(bridge, '{"jsonrpc":"2.0","method":"notifications/initialized"}', {"Mcp-Session-Id": sid}).status == 202
    assert send(bridge, '{"jsonrpc":"2.0","id":"x","result":{}}', {"Mcp-Session-Id": sid}).status == 202
    assert send(bridge, f"[{ping}]", {"Mcp-Session-Id": sid}).status == 400
    old = session(bridge, "2025-03-26")
    assert len(json.loads(send(bridge, f"[{ping},{ping.replace('1', '2')}]", {"Mcp-Session-Id": old}).body)) == 2


# --- programs that misbehave ---

def test_programs(bridge):
    for agent, status, words in (
            ("missing", "error", "No such file"), ("forbidden", "error", "denied"), ("dies", "error", "signal 9"),
            ("fails", "failed", "the disk was on fire"), ("floods", "error", "wrote more than"),
            ("longline", "error", "line_bytes"), ("brokenline", "error", "Line 2"), ("hangs", "error", "longer than"),
            ("silent", "completed", None)):
        result = invoke(bridge, agent)
        state = result["structuredContent"]
        assert state["status"] == status, (agent, result)
        if words:
            assert result["isError"] and words in result["content"][0]["text"], (agent, result["content"])


def test_turns(bridge):
    first = invoke(bridge, "waits", wait_s=0)["structuredContent"]
    second = invoke(bridge, "waits", thread_id=first["thread_id"])
    assert second["isError"] and first["task_id"] in second["content"][0]["text"], second
    call(bridge, "stop-task", {"task_id": first["task_id"]})


def test_one_key_is_one_task(bridge):
    wish = {"idempotency_key": "the same"}
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        ids = {f.result()["structuredContent"]["task_id"] for f in [pool.submit(invoke, bridge, "good", **wish) for _ in range(16)]}
    assert len(ids) == 1, ids
    assert invoke(bridge, "silent", **wish)["structuredContent"]["task_id"] not in ids  # another agent's key
    assert invoke(bridge, "good", title="other", **wish)["isError"]


def test_parallel_calls(bridge):
    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        results = list(pool.map(lambda _: invoke(bridge, "good"), range(200)))
    assert all(result["structuredContent"]["status"] == "completed" for result in results)


def test_lists_and_their_pages(bridge):
    """Filters and cursors of list-tasks, list-agents and tasks/list; nothing twice, nothing left out."""
    thread = "lists and their pages"
    made = [call(bridge, "invoke", {"agent": "good", "text": "x", "thread_id": thread})["structuredContent"]["task_id"] for _ in range(7)]
    pages, cursor = [], None
    while cursor is not None or not pages:
        arguments = {"thread_id": thread, "limit": 3, **({"cursor": cursor} if cursor else {})}
        page = call(bridge, "list-tasks", arguments)["structuredContent"]
        pages.append([task["task_id"] for task in page["tasks"]])
        cursor = page.get("next_cursor")
    assert [len(page) for page in pages] == [3, 3, 1] and sum(pages, []) == made[::-1], pages
    count = lambda **more: len(call(bridge, "list-tasks", {"thread_id": thread, **more})["structuredContent"]["tasks"])  # noqa: E731
    assert (count(agent="good"), count(agent="waits"), count(status=["completed"]), count(status=["paused", "error"])) == (7, 0, 7, 0)
    first = call(bridge, "list-tasks", {"thread_id": thread, "limit": 3})["structuredContent"]["next_cursor"]
    for tool, arguments in (("list-tasks", {"cursor": "x"}), ("list-tasks", {"cursor": first[:-1]}), ("list-agents", {"cursor": first}),
                            ("list-tasks", {"limit": 0}), ("list-tasks", {"status": ["done"]})):
        assert call(bridge, tool, arguments)["isError"], (tool, arguments)
    agents = lambda **more: [one["id"] for one in call(bridge, "list-agents", more)["structuredContent"]["agents"]]  # noqa: E731
    assert "good" in agents() and agents(query="ASKS-on") == ["asks-on-call"] and agents(kind="platform") == []
    sid = session(bridge)
    listed = lambda **params: send(bridge, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tasks/list", "params": params}),  # noqa: E731
                                   {"Mcp-Session-Id": sid}).message
    seen, page = [], listed()["result"]
    while True:
        seen += [task["taskId"] for task in page["tasks"]]
        if "nextCursor" not in page:
            break
        page = listed(cursor=page["nextCursor"])["result"]
    assert len(seen) == len(set(seen)) and set(made) <= set(seen), seen
    assert listed(cursor="x")["error"]["code"] == -32602 and listed(cursor=first)["error"]["code"] == -32602


def test_get_task_and_its_events(bridge):
    """events_after, wait_s and last_event: a reader that goes on from the last number sees each event once."""
    state = call(bridge, "invoke", {"agent": "waits", "text": "x", "wait_s": 0})["structuredContent"]
    get = lambda **more: call(bridge, "get-task", {"task_id": state["task_id"], **more})["structuredContent"]  # noqa: E731
    assert state["status"] in ("pending", "executing") and "result" not in state, state
    until(lambda: get(wait_s=0).get("status_message") == "waiting")
    whole = get(wait_s=0, events_after=0)
    assert [event["number"] for event in whole["events"]] == list(range(1, whole["last_event"] + 1)), whole
    assert get(wait_s=0, events_after=whole["last_event"])["events"] == []
    assert "events" not in get(wait_s=0)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(get, events_after=whole["last_event"])
        call(bridge, "stop-task", {"task_id": state["task_id"]})
        rest = waiting.result()
    assert [event["number"] for event in rest["events"]] == list(range(whole["last_event"] + 1, rest["last_event"] + 1)), rest
    assert rest["status"] == "stopped" and rest["events"][-1]["status"] == "stopped", rest
    again = call(bridge, "stop-task", {"task_id": state["task_id"]})
    assert again["isError"] and "stopped" in again["content"][0]["text"], again


def test_every_argument_of_invoke(bridge):
    options = {"version": "2", "output_format": "json", "output_schema": {"type": "object"}, "expected_output": "a list",
               "instructions_override": "be brief", "additional_context": "none", "think_mode": "harder", "llm_model_provider": "p",
               "llm_model_name": "m", "llm_reasoning_effort": "low", "disable_attachment_injection": True, "title": "A title",
               "payload_extension": {"a": [1]}}
    files = ["https://example.com/a.txt"]
    result = call(bridge, "invoke", {"agent": "echoes", "text": "hello", "files": files, "thread_id": "every argument", **options})
    state = result["structuredContent"]
    assert state["status"] == "completed", state
    heard = state["data"]
    assert heard["options"] == options, heard["options"]
    assert (heard["input"]["text"], heard["input"]["files"]) == ("hello", files), heard["input"]
    assert heard["task"] == {"id": state["task_id"], "thread_id": "every argument", "agent": "echoes", "turn": 1}, heard["task"]
    assert (state["title"], state["thread_id"]) == ("A title", "every argument"), state
    second = call(bridge, "invoke", {"agent": "echoes", "text": "again", "thread_id": "every argument"})["structuredContent"]["data"]
    assert second["task"]["turn"] == 2 and second["history"][0]["parts"][0]["text"] == "hello", second["history"]
    for name in options:
        wrong = {"agent": "echoes", "text": "x", name: 7 if name != "think_mode" else [7]}
        refused = call(bridge, "invoke", wrong)
        assert refused["isError"] and f"/properties/{name}" in refused["content"][0]["text"], (name, refused)


def test_a_client_that_leaves(bridge):
    sid = session(bridge)
    with bridge.connect() as connection:
        body = json.dumps({"jsonrpc": "2.0", "id": 5, "method": "tools/call",
                           "params": {"name": "invoke", "arguments": {"agent": "retries", "text": "leaves"}}})
        connection.sendall(request_bytes(bridge, body, {"Mcp-Session-Id": sid}))
        read_line = connection.makefile("rb").readline()
        assert b"200" in read_line
    task = call(bridge, "list-tasks", {"agent": "retries"})["structuredContent"]["tasks"][0]
    assert task["status"] == "executing", task
    call(bridge, "stop-task", {"task_id": task["task_id"]})


def test_what_leaving_means(bridge):
    """2026-07-28: closing the stream keeps, stops, or stops after a grace, as the agent's configuration says."""
    def leave(tool, arguments, **which):
        with bridge.connect() as connection:
            connection.sendall(modern_call(bridge, tool, arguments))
            assert b"200" in connection.makefile("rb").readline()
        return lambda: call(bridge, "list-tasks", which)["structuredContent"]["tasks"][0]
    kept = leave("kept", {}, agent="kept")
    thread = "what leaving means"
    graced = leave("invoke", {"agent": "waits", "text": "leaves", "thread_id": thread}, thread_id=thread)
    cancelled = leave("cancelled", {}, agent="cancelled")
    until(lambda: cancelled()["status"] == "stopped")
    until(lambda: graced()["status"] == "stopped")
    assert graced()["status_message"] == "its caller went away", graced()
    assert kept()["status"] == "executing", kept()
    call(bridge, "stop-task", {"task_id": kept()["task_id"]})


# --- bridges of their own ---

def alone_restart(folder):
    bridge = Bridge(os.path.join(folder, "restart"))
    sid, dead = session(bridge), session(bridge)
    assert send(bridge, method="DELETE", headers={"Mcp-Session-Id": dead}).status == 204
    finished = invoke(bridge, "good")["structuredContent"]["task_id"]
    running = invoke(bridge, "waits", wait_s=0.3)["structuredContent"]["task_id"]
    retried = invoke(bridge, "retries", wait_s=0.3)["structuredContent"]["task_id"]
    bridge.stop(signal.SIGKILL)
    bridge = Bridge(bridge.data)
    try:
        state = lambda i: call(bridge, "get-task", {"task_id": i, "wait_s": 0})["structuredContent"]  # noqa: E731
        assert state(finished)["result"] == "good"
        until(lambda: state(running)["status"] == "error")
        assert state(running)["reason"] == "interrupted"
        assert state(retried)["status"] == "executing"
        ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
        assert send(bridge, ping, {"Mcp-Session-Id": sid}).status == 200
        assert send(bridge, ping, {"Mcp-Session-Id": dead}).status == 404
    finally:
        assert bridge.stop() == 0


def alone_full_disk(folder):
    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400000, 400000))
    bridge = Bridge(os.path.join(folder, "full"), preexec_fn=small_files, restore_signals=False)
    try:
        first = invoke(bridge, "good")["structuredContent"]["task_id"]
        for _ in range(200):
            result = call(bridge, "invoke", {"agent": "good", "text": "x" * 20000})
            if result.get("isError"):
                break
        assert result["isError"] and "stored" in result["content"][0]["text"], result["content"]
        assert call(bridge, "get-task", {"task_id": first})["structuredContent"]["status"] == "completed"
    finally:
        bridge.stop()


def alone_leaks(folder):
    bridge = Bridge(os.path.join(folder, "leaks"))
    try:
        invoke(bridge, "good")
        before = bridge.descriptors()
        for agent in ("good", "dies", "fails", "missing", "hangs", "floods", "brokenline") * 2:
            invoke(bridge, agent)
        for _ in range(20):
            with bridge.connect() as connection:
                connection.sendall(modern_call(bridge, "invoke", {"agent": "good", "text": "x"})[:50])
        until(lambda: not bridge.children())
        until(lambda: bridge.descriptors() <= before + 2)
    finally:
        bridge.stop()


def alone_clients_that_never_read(folder):
    bridge = Bridge(os.path.join(folder, "unread"))
    try:
        before = bridge.memory_kb()
        body = modern_body("tools/call", {"name": "invoke", "arguments": {"agent": "chatty", "text": "x", "wait_s": 55}},
                           meta={"io.modelcontextprotocol/logLevel": "debug"})
        connections = [bridge.connect() for _ in range(4)]
        for connection in connections:
            connection.sendall(request_bytes(bridge, body, modern_headers("tools/call", "invoke")))
        listed = lambda: call(bridge, "list-tasks", {"agent": "chatty"})["structuredContent"]["tasks"]  # noqa: E731
        until(lambda: len(listed()) == 4 and all(task["status"] == "completed" for task in listed()), 50)
        grown = bridge.memory_kb() - before
        assert grown < 40000, f"{grown} kB more"
        messages = read_response(connections[0].makefile("rb")).messages  # who reads late misses nothing
        assert messages[-1]["result"]["structuredContent"]["result"] == "enough", messages[-1]
        logs = len([m for m in messages if m.get("method") == "notifications/message"])
        assert logs == 12000, logs
        for connection in connections:
            connection.close()
    finally:
        bridge.stop()


def main():
    tests = {**globals(), **vars(resumption), **vars(files), **vars(places), **vars(questions)}
    only = sys.argv[1:]  # names of tests, for trying
    shared = [(name, test) for name, test in tests.items() if name.startswith("test_") and (not only or name in only)]
    alone = [(name, test) for name, test in tests.items() if name.startswith("alone_") and (not only or name in only)]
    results = {}

    def run(name, test, argument):
        try:
            test(argument)
            results[name] = None
        except Exception as error:  # whatever went wrong, this test failed
            results[name] = f"{type(error).__name__}: {error}"

    with tempfile.TemporaryDirectory() as folder:
        bridge = Bridge(os.path.join(folder, "shared"))
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            jobs = [pool.submit(run, name, test, bridge) for name, test in shared]
            jobs += [pool.submit(run, name, test, folder) for name, test in alone]
            for job in jobs:
                job.result()
        run("the bridge ends well", lambda b: None if b.stop() == 0 else 1 / 0, bridge)
    for name, problem in results.items():
        if problem:
            print(f"FAILED {name}: {problem[:1500]}")
    print(why_not() or f"{checked()} messages fit the published schemas")
    failed = sum(1 for problem in results.values() if problem)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
