#!/usr/bin/env python3
"""Agents of kind `platform` from outside: a bridge before a platform that a test directs (fake_platform.py)."""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
import chain
from fake_platform import Platform
from support import Bridge, equal, run_cases

KEY = "key-of-the-platform-0123"
os.environ["PLATFORM_TEST_KEY"] = KEY


# --- what the agents there do ---

def hello(task, platform):
    yield ("event", "think", "how to greet")
    yield ("event", "tool_call_request", {"request_id": "r", "operation_id": "op", "tool_name": "search",
                                          "payload": {"api_key": "hidden-in-a-payload"}, "reasoning": {"title": "to know"}})
    yield ("event", "tool_call_result", {"request_id": "r", "operation_id": "op", "tool_name": "search", "result": 1, "is_error": False})
    yield ("event", "sub_agent_trigger", {"agent_id": "helper", "query": "help"})
    yield ("event", "plan_updated", {"enabled": True, "tasks": [{"id": "1", "title": "greet", "completed": True},
                                                                {"id": "2", "title": "leave", "completed": False}]})
    yield ("event", "something_new", {"a": [1, 2]})
    yield ("event", "chunk", "Hel")
    yield ("event", "chunk", "lo")
    yield ("finish", {"status": "completed", "result": "Hello"})


def ends(status, result, **more):
    def script(task, platform):
        yield ("finish", {"status": status, "result": result, **more})
    return script


def waits(task, platform):
    yield ("event", "chunk", "part ")
    yield ("wait", "on")
    yield ("finish", {"status": "completed", "result": "waited"})


def signs_in(task, platform):
    yield ("event", "auth_event", {"type": "login_required", "data": {"url": "https://idp.example/login?x=1", "server_url": "https://m.example",
                                                                      "server_name": "mail"}})
    yield ("wait", "signed in")
    yield ("event", "auth_event", {"type": "token_ready", "data": {"access_token": "REDACTED"}})
    yield ("wait", "on")
    yield ("finish", {"status": "completed", "result": "signed in"})


def connects(task, platform):
    yield ("task", {"status": "paused", "pending_eca_request": {"connector_name": "Calendar", "auth_url": "https://c.example/auth"}})
    yield ("wait", "connected")
    yield ("task", {"status": "executing", "pending_eca_request": None})
    yield ("wait", "on")
    yield ("finish", {"status": "completed", "result": "connected"})


def approves(task, platform):
    yield ("task", {"status": "paused", "hitl_request": {"wait_node_id": "node-7"}})
    yield ("wait", "approve")
    yield ("task", {"status": "executing", "hitl_request": None})
    yield ("finish", {"status": "completed", "result": "approved"})


def old_approval(task, platform):
    yield ("task", {"status": "executing", "hitl_request": {"operation_id": "o", "content": "Delete it?", "title": "Careful"}})
    yield ("wait", "approve")
    yield ("finish", {"status": "completed", "result": "done"})


def asks(task, platform):
    if task.turn == 1:
        yield ("finish", {"status": "completed", "result": "Which colour?", "deep_planning": {"question_raised": True}})
    else:
        yield ("finish", {"status": "completed", "result": "It is " + task.record["input"]["text"]})


def echoes_credentials(task, platform):
    token = task.record["user_oidc_token"] or "-"
    yield ("task", {"status": "executing", "internal_status": f"with {token}"})
    yield ("event", "think", f"using {token}")
    yield ("event", "brand_new", {"user_oidc_token": token, "nested": [f"x {KEY} y"]})
    for piece in (token[:5], token[5:9], token[9:]):
        yield ("event", "chunk", piece)
    yield ("finish", {"status": "completed", "result": f"{token} and {KEY}"})


def cut_then_done(task, platform):
    yield ("event", "chunk", "before ")
    yield ("cut",)
    yield ("wait", "on")
    yield ("finish", {"status": "completed", "result": "after the cut"})


def reset_then_done(task, platform):
    yield ("raw", b'data: {"type": "chunk", "da')
    yield ("reset",)
    yield ("finish", {"status": "completed", "result": "after the reset"})


def talks_nonsense(task, platform):
    yield ("raw", b": comment\n\ndata: [DONE]\n\ndata: {\"no\": \"type\"}\n\nevent: ping\ndata: {}\n\ndata: not json\n\n")
    yield ("raw", b"data: {\"type\": \"chunk\",\ndata: \"data\": \"two lines\"}\n\n")
    yield ("finish", {"status": "completed", "result": "sense"})


def json_answer(task, platform):
    yield ("finish", {"status": "completed", "result": "{\"colour\": \"red\"}"})


def large(task, platform):
    yield ("finish", {"status": "completed", "result": "x" * 3000000})


SCRIPTS = {
    "hello": hello, "waits": waits, "signs-in": signs_in, "connects": connects, "approves": approves,
    "old-approval": old_approval, "asks": asks, "echo": echoes_credentials, "cut": cut_then_done, "reset": reset_then_done,
    "nonsense": talks_nonsense, "json": json_answer, "large": large,
    "failed": ends("failed", "it did not work"), "error": ends("error", "exception: boom"), "stopped": ends("stopped", None),
    "empty": ends("completed", None), "silent-error": ends("error", None),
}


class Stage:
    """A platform and a bridge before it; every agent of the platform is one of the bridge."""

    def __init__(self, **more):
        self.platform = Platform(SCRIPTS, KEY)
        common = {"kind": "platform", "url": self.platform.url, "api_key": {"env": "PLATFORM_TEST_KEY"}, "poll_s": 0.05,
                  "poll_longest_s": 0.2, "timeout_s": 60, **more}
        agents = {name: {**common, "agent_id": name} for name in SCRIPTS}
        agents["flow"] = {**common, "workflow_id": "hello", "version": "7"}
        agents["nobody"] = {**common, "agent_id": "nobody"}
        agents["tool"] = {**common, "agent_id": "hello", "tool": {"name": "greet", "input_schema": {"type": "object"}}}
        self.bridge = Bridge({"agents": agents, "user": {"id": "u-1", "email": "ann@x.example", "name": "Ann Lee"}})
        self.client = self.bridge.client()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.platform.close()
        self.bridge.end()


# --- what is sent ---

def the_request():
    with Stage() as stage:
        wishes = {"files": ["https://f.example/1"], "output_format": "markdown", "expected_output": "e", "instructions_override": "i",
                  "additional_context": "c", "think_mode": "harder", "disable_attachment_injection": True, "llm_model_provider": "p",
                  "llm_model_name": "m", "llm_reasoning_effort": "high", "payload_extension": {"k": 1.0}, "title": "T"}
        equal(stage.client.invoke("hello", "hi", version="draft", **wishes)["status"], "completed")
        method, path, headers, body = stage.platform.requests[0]
        equal((method, path), ("POST", "/v1/agents/hello/invoke/stream?version=draft"))
        equal(headers["x-api-key"], KEY)
        assert "Authorization" not in headers, headers
        equal(body["input"], {"text": "hi", "files": wishes.pop("files"),
                              "user": {"id": "u-1", "email": "ann@x.example", "first_name": "Ann", "last_name": "Lee"}})
        equal({name: body[name] for name in wishes}, wishes)
        equal(body["source_node_type"], "mcp")
        equal(len(stage.platform.requests), 1)


def names_that_are_open_are_settings():
    with Stage(surface_field="source", api_key_header="Authorization", headers={"x-organization-id": "o"}) as stage:
        stage.platform.api_key = None
        equal(stage.client.invoke("flow")["status"], "completed")
        _, path, headers, body = stage.platform.requests[0]
        equal(path, "/v1/workflows/hello/invoke/stream?version=7")
        equal((headers["Authorization"], headers["x-organization-id"]), ("Bearer " + KEY, "o"))
        assert "x-api-key" not in headers and "source_node_type" not in body, (headers, body)
        equal(body["source"], "mcp")
        stage.client.raw("greet", {"name": "Bob"})
        equal(stage.platform.requests[1][3]["input"]["text"], "{\"name\": \"Bob\"}")


def turns_of_a_thread_are_one_conversation():
    with Stage() as stage:
        first = stage.client.invoke("hello", "one")
        stage.client.invoke("hello", "two", thread_id=first["thread_id"])
        stage.client.invoke("hello", "three")
        ids = [request[3]["id"] for request in stage.platform.requests]
        assert ids[0] == ids[1] != ids[2], ids
        # A name that a caller chose is not the one that the platform hears: another owner may choose the same.
        stage.client.invoke("hello", "four", thread_id="mine")
        assert "mine" not in json.dumps(stage.platform.requests[-1][3]), stage.platform.requests[-1]


# --- what is heard ---

def every_event():
    with Stage() as stage:
        state = stage.client.invoke("hello")
        equal((state["status"], state["result"]), ("completed", "Hello"))
        events = stage.client.events(state["task_id"])
        equal([e["text"] for e in events if e["kind"] == "log"],
              ["how to greet", "calls search: to know", "search has answered", "hands over to helper: help", "something_new: {\"a\":[1,2]}"])
        equal([(e["value"], e["total"], e["message"]) for e in events if e["kind"] == "progress"], [(1, 2, "leave")])
        equal([e["text"] for e in events if e["kind"] == "chunk"], ["Hel", "lo"])


def every_end():
    wanted = {"failed": ("failed", "it did not work"), "error": ("error", "exception: boom"), "silent-error": ("error", "the platform gave no reason")}
    for mode in ("stream", "async", "sync"):
        with Stage(mode=mode) as stage:
            for agent, (status, message) in wanted.items():
                state = stage.client.invoke(agent)
                equal((state["status"], state["error"]["message"]), (status, message))
            equal(stage.client.invoke("stopped")["status"], "stopped")
            state = stage.client.invoke("json", output_format="json")
            equal((state["result"], state["data"]), ("{\"colour\": \"red\"}", {"colour": "red"}))
            assert "data" not in stage.client.invoke("json")
            equal(stage.client.invoke("empty")["status"], "completed")


def a_platform_without_streams():
    with Stage() as stage:
        stage.platform.fault("POST", "/invoke/stream", 404, b'{"detail":"Not Found"}')
        equal(stage.client.invoke("hello")["result"], "Hello")
        equal(stage.client.invoke("hello")["result"], "Hello")
        equal([path for _, path, _, _ in stage.platform.seen("POST", "/invoke")],
              ["/v1/agents/hello/invoke/stream", "/v1/agents/hello/invoke/async", "/v1/agents/hello/invoke/async"])


def nonsense_on_the_stream():
    with Stage() as stage:
        state = stage.client.invoke("nonsense")
        equal((state["status"], state["result"]), ("completed", "sense"))
        equal([e["text"] for e in stage.client.events(state["task_id"], "chunk")], ["two lines"])


# --- what goes wrong ---

def lost_streams():
    with Stage() as stage:
        state = stage.client.invoke("cut", wait_s=0)
        stage.platform.await_seen("GET", "/v1/tasks/", 3)
        stage.platform.let("on")
        state = stage.client.await_state(state["task_id"], ["completed"])
        equal(state["result"], "after the cut")
        equal(stage.client.invoke("reset")["result"], "after the reset")
        equal(len(stage.platform.seen("POST", "/invoke")), 2)


def refusals():
    cases = [(401, b'{"detail":"Invalid or missing API key"}', "error", "the platform does not accept the API key (401): Invalid or missing API key"),
             (403, b'{"detail":"other organization"}', "error", "the API key is not allowed to do this (403): other organization"),
             (422, b'{"detail":[{"loc":["body","input","text"],"msg":"field required","type":"missing"}]}', "failed",
              "the platform does not accept the request (422): body.input.text: field required"),
             (400, b"nonsense", "failed", "the platform does not accept the request (400): the answer is no JSON")]
    with Stage() as stage:
        for status, body, wanted, message in cases:
            stage.platform.fault("POST", "/invoke", status, body)
            state = stage.client.invoke("hello")
            equal((state["status"], state["error"]["message"]), (wanted, message))
        state = stage.client.invoke("nobody")
        equal((state["status"], state["error"]["message"]), ("error", "the platform knows no such agent or task (404): Not found"))
        assert stage.client.invoke("failed")["error"] and KEY not in stage.bridge.log()


def limits_are_honoured():
    with Stage() as stage:
        stage.platform.fault("POST", "/invoke", 429, b'{"detail":{"message":"slow down"}}', {"Retry-After": "1"}, times=2)
        state = stage.client.invoke("hello")
        equal(state["result"], "Hello")
        equal(len(stage.platform.seen("POST", "/invoke")), 3)
        equal(len(stage.platform.seen("GET", "/")), 0)
        equal([e["text"] for e in stage.client.events(state["task_id"], "log")][0], "a limit of the platform is reached (429): slow down")
        # One that asks for more patience than anybody has is told of at once.
        stage.platform.fault("POST", "/invoke", 429, b'{"detail":"billing limit reached"}', {"Retry-After": "86400"})
        state = stage.client.invoke("hello")
        equal((state["status"], state["error"]["message"]), ("error", "a limit of the platform is reached (429): billing limit reached"))


def it_is_never_run_twice():
    """An invocation whose answer was lost is looked for before it is sent again."""
    for how, runs in (("begun", 1), ("drop", 2), ("reset", 2)):
        for mode in ("stream", "async", "sync"):
            with Stage(mode=mode) as stage:
                stage.platform.fault("POST", "/invoke", 500, how=how)
                state = stage.client.invoke("hello")
                equal((state["status"], state["result"]), ("completed", "Hello"))
                equal([task.turn for task in stage.platform.tasks.values()], [1])
                equal(len(stage.platform.seen("POST", "/invoke")), runs)
                # The next turn, too: the record that is there at first is that of the turn before.
                stage.platform.fault("POST", "/invoke", 502, b"<html>", how=None if how == "drop" else how)
                state = stage.client.invoke("hello", "again", thread_id=state["thread_id"])
                equal((state["status"], state["result"]), ("completed", "Hello"))
                equal([task.turn for task in stage.platform.tasks.values()], [2])


def an_answer_cut_in_the_middle():
    with Stage(mode="sync") as stage:
        stage.platform.fault("POST", "/invoke", 200, b'{"id": "x", "stat', how="half")
        equal(stage.client.invoke("hello")["result"], "Hello")
    with Stage(mode="async") as stage:
        stage.platform.fault("GET", "/v1/tasks", 200, b'{"id": "x", "stat', how="half")
        stage.platform.fault("GET", "/v1/tasks", 503, b"", {"Retry-After": "0"})
        stage.platform.fault("GET", "/v1/tasks", 200, b"<html>")
        equal(stage.client.invoke("hello")["result"], "Hello")
        equal([task.turn for task in stage.platform.tasks.values()], [1])


def answers_have_a_limit():
    for mode in ("stream", "async", "sync"):
        with Stage(mode=mode, output_bytes=1048576) as stage:
            state = stage.client.invoke("large")
            equal((state["status"], state["error"]["message"]), ("error", "the platform's answer is larger than 1048576 bytes (output_bytes)"))


def nobody_there():
    with Stage(retries=2) as stage:
        stage.platform.close()
        state = stage.client.invoke("hello")
        equal((state["status"], state["reason"]), ("error", "unreachable"))
        assert state["error"]["message"].startswith("the platform cannot be reached: "), state


def a_task_that_is_gone():
    with Stage() as stage:
        state = stage.client.invoke("cut", wait_s=0)
        stage.platform.await_seen("GET", "/v1/tasks/")
        stage.platform.tasks.clear()
        state = stage.client.await_state(state["task_id"], ["error"])
        equal(state["error"]["message"], "the platform knows no such agent or task (404): Not found")


# --- pauses ---

def a_sign_in_by_event():
    with Stage() as stage:
        state = stage.client.invoke("signs-in", wait_s=20)
        equal((state["status"], state["reason"]), ("paused", "auth"))
        equal(state["questions"], {"sign_in": {"kind": "url", "message": "mail needs you to sign in", "url": "https://idp.example/login?x=1"}})
        stage.platform.let("signed in")
        state = stage.client.await_state(state["task_id"], ["executing"])
        stage.platform.let("on")
        equal(stage.client.await_state(state["task_id"], ["completed"])["result"], "signed in")


def a_sign_in_that_the_task_tells_of():
    for mode in ("stream", "async"):
        with Stage(mode=mode) as stage:
            state = stage.client.invoke("connects", wait_s=20)
            equal((state["status"], state["reason"]), ("paused", "auth"))
            equal(state["questions"]["sign_in"]["url"], "https://c.example/auth")
            # Who says that he has signed in is not asked again for the same.
            equal(stage.client.call("reply-task", {"task_id": state["task_id"], "approve": True})["status"], "executing")
            stage.platform.let("connected")
            stage.platform.let("on")
            equal(stage.client.await_state(state["task_id"], ["completed"])["result"], "connected")
            equal(len(stage.client.events(state["task_id"], "question")), 1)


def a_declined_sign_in():
    with Stage() as stage:
        state = stage.client.invoke("connects", wait_s=20)
        stage.client.call("reply-task", {"task_id": state["task_id"], "approve": False})
        state = stage.client.await_state(state["task_id"], ["failed"])
        equal(state["error"]["message"], "the sign-in was declined")
        stage.platform.await_seen("POST", "/stop")


def an_approval_on_the_platform():
    with Stage() as stage:
        state = stage.client.invoke("approves", wait_s=20)
        equal((state["status"], state["reason"]), ("paused", "approval"))
        assert "node-7" in state["questions"]["approval"]["message"], state
        refusal = stage.client.refusal("reply-task", {"task_id": state["task_id"], "approve": True})
        assert "the answer is given on the platform" in refusal, refusal
        equal(stage.client.state(state["task_id"])["status"], "paused")
        stage.platform.let("approve")
        equal(stage.client.await_state(state["task_id"], ["completed"])["result"], "approved")


def an_approval_by_configured_routes():
    with Stage(hitl={"approve": "/hitl/{task_id}/approve", "reject": "/hitl/{task_id}/reject"}) as stage:
        state = stage.client.invoke("old-approval", wait_s=20)
        equal(state["questions"]["approval"], {"kind": "approval", "title": "Careful", "message": "Delete it?"})
        stage.client.call("reply-task", {"task_id": state["task_id"], "approve": True})
        equal(stage.client.await_state(state["task_id"], ["completed"])["result"], "done")
        equal(len(stage.platform.seen("POST", "/hitl/[0-9a-f]{32}/approve")), 1)


def a_question_is_answered_by_the_next_turn():
    for mode in ("stream", "async", "sync"):
        with Stage(mode=mode) as stage:
            state = stage.client.invoke("asks", wait_s=20)
            equal((state["status"], state["reason"]), ("paused", "input"))
            equal(state["questions"]["question"]["message"], "Which colour?")
            stage.platform.fault("POST", "/invoke", 500, how="begun")
            stage.client.call("reply-task", {"task_id": state["task_id"], "text": "blue"})
            equal(stage.client.await_state(state["task_id"], ["completed"])["result"], "It is blue")
            equal([task.turn for task in stage.platform.tasks.values()], [2])


def a_stop():
    for mode in ("stream", "async", "sync"):
        with Stage(mode=mode) as stage:
            state = stage.client.invoke("waits", wait_s=0)
            stage.platform.await_seen("POST", "/invoke")
            stage.platform.fault("POST", "/stop", 503)
            stage.platform.fault("POST", "/stop", 500, how="drop")
            equal(stage.client.call("stop-task", {"task_id": state["task_id"]})["status"], "stopped")
            stage.platform.await_seen("POST", "/stop", 3)
            stage.bridge.end()
            equal([task.copy()["status"] for task in stage.platform.tasks.values()], ["stopped"])
            equal([r for r in stage.platform.requests if r[0] == "DELETE"], [])


# --- restarts ---

def restarts():
    """Killed at any moment, it goes on where it was."""
    for mode in ("stream", "async", "sync"):
        with Stage(mode=mode) as stage:
            state = stage.client.invoke("waits", wait_s=0)
            stage.platform.await_seen("POST", "/invoke")
            stage.bridge.kill()
            stage.platform.let("on")
            stage.bridge.start()
            equal(stage.client.await_state(state["task_id"], ["completed"])["result"], "waited")
            equal([task.turn for task in stage.platform.tasks.values()], [1])


def a_restart_while_it_waits():
    for agent, answer, end in (("connects", None, "connected"), ("asks", {"text": "red"}, "It is red")):
        with Stage() as stage:
            state = stage.client.invoke(agent, wait_s=20)
            equal(state["status"], "paused")
            stage.bridge.kill()
            stage.bridge.start()
            equal(stage.client.state(state["task_id"])["status"], "paused")
            if answer:
                stage.client.call("reply-task", {"task_id": state["task_id"], **answer})
            for gate in ("connected", "on"):
                stage.platform.let(gate)
            equal(stage.client.await_state(state["task_id"], ["completed"])["result"], end)
            equal(len(stage.client.events(state["task_id"], "question")), 1)


def a_shut_down_leaves_the_work_alone():
    with Stage() as stage:
        state = stage.client.invoke("waits", wait_s=0)
        stage.platform.await_seen("POST", "/invoke")
        stage.bridge.end()
        equal(len(stage.platform.seen("POST", "/stop")), 0)
        stage.bridge.start()
        stage.platform.let("on")
        equal(stage.client.await_state(state["task_id"], ["completed"])["result"], "waited")


# --- secrets ---

def the_key_is_nowhere():
    with Stage() as stage:
        state = stage.client.invoke("echo")
        equal(state["result"], "- and [redacted]")
        stage.client.invoke("hello")
        found = json.dumps(stage.client.events(state["task_id"])) + stage.bridge.log()
        assert KEY not in found and "hidden-in-a-payload" not in found, found
        stage.bridge.end()
        for folder, _, names in os.walk(stage.bridge.data):
            for name in names:
                if not name.endswith(".sock"):
                    with open(os.path.join(folder, name), "rb") as file:
                        assert KEY.encode() not in file.read(), name


def the_example():
    """It is what it says: an address and a key in the environment, and the agent can be called."""
    platform = Platform({"00000000-0000-4000-8000-000000000000": hello}, KEY)
    path = os.path.join(HERE, "..", "..", "examples", "platform.jsonc")
    bridge = Bridge(None, path=path, environment={"PLATFORM_URL": platform.url, "PLATFORM_API_KEY": KEY})
    try:
        messages = bridge.client().raw("analyst", {"text": "hi"})
        equal(messages[-1]["result"]["content"][0]["text"], "Hello")
        equal(platform.requests[0][3]["input"]["user"]["last_name"], "User")
    finally:
        bridge.end()
        platform.close()


# --- the platform's own samples ---

def published_samples():
    folder = os.environ.get("AGENTBRIDGE_TEST_DATA")
    folder = folder and os.path.join(folder, "platform-samples")
    if not folder or not os.path.isdir(folder):
        print("skipped: AGENTBRIDGE_TEST_DATA has no platform-samples")
        return

    def sample(name):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            return file.read()

    ends = {name: json.loads(sample(name)) for name in sorted(os.listdir(folder))
            if re.match(r"resp_(invoke|get_task|stop)_.*\.json", name)}
    assert len(ends) >= 8, ends.keys()
    for name, answer in ends.items():
        with Stage(mode="sync") as stage:
            stage.platform.fault("POST", "/invoke", 200, json.dumps(answer).encode(), {"Content-Type": "application/json"})
            stage.platform.tasks[answer["id"]] = task = type("Done", (), {"copy": lambda self: {**answer, "status": "completed", "result": "later"}})()
            assert task
            state = stage.client.invoke("hello", wait_s=20)
            wanted = answer["status"] if answer["status"] != "pending" else "completed"
            equal((name, state["status"]), (name, wanted))
            if wanted == "completed":
                equal((name, state["result"]), (name, answer["result"] or "later"))
    for name, text in (("constructed_sse_stream.txt", "Hello"), ("sse_legacy_2025-11.txt", "...")):
        def script(task, platform, name=name):
            yield ("raw", sample(name).encode() + b"\n")
            yield ("wait", "never")
        SCRIPTS["sample"] = script
        try:
            with Stage() as stage:
                state = stage.client.invoke("sample")
                equal((name, state["status"], state["result"]), (name, "completed", text))
        finally:
            del SCRIPTS["sample"]
    for name, status in (("error_401_delete_task.json", 401), ("error_422_restapi_page.json", 422), ("error_422_schema_2025.json", 422),
                         ("error_422_schema_2026.json", 422)):
        with Stage() as stage:
            stage.platform.fault("POST", "/invoke", status, sample(name).encode())
            message = stage.client.invoke("hello")["error"]["message"]
            assert f"({status}): " in message and "no JSON" not in message, message


CASES = [the_request, names_that_are_open_are_settings, turns_of_a_thread_are_one_conversation, every_event, every_end,
         a_platform_without_streams, nonsense_on_the_stream, lost_streams, refusals, limits_are_honoured, it_is_never_run_twice,
         an_answer_cut_in_the_middle, answers_have_a_limit, nobody_there, a_task_that_is_gone, a_sign_in_by_event,
         a_sign_in_that_the_task_tells_of, a_declined_sign_in, an_approval_on_the_platform, an_approval_by_configured_routes,
         a_question_is_answered_by_the_next_turn, a_stop, restarts, a_restart_while_it_waits, a_shut_down_leaves_the_work_alone,
         the_key_is_nowhere, the_example, published_samples]

if __name__ == "__main__":
    wanted = sys.argv[1:]
    sys.exit(run_cases([case for case in CASES + chain.CASES if not wanted or case.__name__ in wanted]))
