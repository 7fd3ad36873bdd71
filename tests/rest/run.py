#!/usr/bin/env python3
"""The REST API from outside: every route of schemas/openapi.json is driven and every answer held against it; what is
refused and how; streams that are cut, slow, shared and taken up again; what must never be told.

Where AGENTBRIDGE_TEST_DATA is set, the platform's published samples are sent as they are and the answers are held
against its published schemas too; else it says that they are not."""
import glob
import http.client
import json
import os
import signal
import socket
import sys
import tempfile
import time
import traceback

import client as rest
from client import Bridge, Client, Reader

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES = os.path.join(os.environ.get("AGENTBRIDGE_TEST_DATA", ""), "platform-samples")
CANARY = "canary-4f1d8e72"


def until(holds):
    end = time.monotonic() + 20
    while not (found := holds()):
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)
    return found


def until_status(client, task_id, *statuses):
    return until(lambda: (task := client.get(task_id)) and task["status"] in statuses and task)


def paused(client, text, **more):
    task = client.invoke(text, **more)
    assert task["status"] == "paused", task
    return task


# --- the document ---

def the_document_is_served(client):
    assert client.good("GET", "/openapi.json") == rest.DOCUMENT


def agents_are_listed(client):
    page = client.good("GET", "/v1/agents?per_page=3&page=2")
    assert [agent["id"] for agent in page["items"]] == ["cat"] and (page["total"], page["total_pages"]) == (4, 2), page
    agent = client.good("GET", "/v1/agents/worker")
    assert agent["name"] == "Worker" and agent["description"] == "Does what its text says.", agent
    for path in ("/v1/agents/nobody", "/v1/agents/nobody/tasks"):
        answer = client.call("GET", path)
        assert answer.status == 404 and '"worker"' in answer.detail and '"nobody"' in answer.detail, answer.text


# --- statuses ---

def every_status_is_told(client):
    table = [
        ("echo hello", "completed", "hello", None), ("fail no paper", "failed", "no paper", None),
        ("reject not mine", "failed", "not mine", "rejected"), ("protocol out of ink", "error", "out of ink", "protocol"),
        ("crash", "error", "signal", "crashed"),
    ]
    for text, status, result, reason in table:
        task = client.invoke(text)
        assert task["status"] == status and result in task["result"], task
        assert task["agentbridge"].get("reason") == reason and task["finished_at"] and task["started_at"], task
        assert not task["is_manually_stopped"] and task["paused_at"] is None, task
    assert client.invoke("protocol x")["agentbridge"]["error"] == {"code": 7, "message": "x"}
    late = client.invoke("wait", agent="hasty")
    assert late["status"] == "error" and late["agentbridge"]["reason"] == "timed_out", late


def a_pause_says_what_is_asked(client):
    task = paused(client, "form")
    assert task["agentbridge"]["reason"] == "input" and task["paused_at"], task
    assert task["hitl_request"] == {"wait_node_id": "name", "content": "For whom?"}, task
    assert task["pending_eca_request"] is None and set(task["agentbridge"]["questions"]) == {"name", "go"}, task
    task = paused(client, "approve")
    assert task["hitl_request"] == {"wait_node_id": "go", "title": "Go on?", "content": "There is no way back."}, task
    assert task["agentbridge"]["reason"] == "approval", task
    task = paused(client, "sign-in")
    assert task["pending_eca_request"] == {"connector_name": "door", "auth_url": "https://example.com/sign-in"}, task
    assert task["hitl_request"] is None and task["agentbridge"]["reason"] == "auth", task
    done = client.reply(task["id"], door={"action": "accept"}).json
    done = until_status(client, task["id"], "completed")
    assert done["pending_eca_request"] is None and done["paused_at"] is None, done
    assert json.loads(done["result"]) == {"door": {"action": "accept"}}, done


def tasks_wait_run_and_stop(client):
    task = client.invoke("wait", how="/async", id="stops")
    assert task["id"] == "stops" and task["status"] == "pending" and task["result"] is None, task
    running = until(lambda: (now := client.get("stops")) and now["internal_status"] == "waiting" and now)
    assert running["status"] == "executing", running
    queued = client.invoke("echo next", how="/async", id="stops")
    assert queued["status"] == "pending" and queued["agentbridge"]["turn"] == 2 and queued["started_at"] is None, queued
    first = client.good("POST", f"/v1/tasks/{task['agentbridge']['task_id']}/stop")
    assert first["status"] == "stopped" and first["is_manually_stopped"] and first["id"] == task["agentbridge"]["task_id"], first
    done = until_status(client, "stops", "completed")
    assert client.good("POST", "/v1/tasks/stops/stop") == done, "one that has ended stays as it is"


def workflows_are_agents(client):
    task = client.good("POST", "/v1/workflows/worker/invoke", {"input": {"text": "echo w"}})
    assert (task["agent_id"], task["result"], task["is_orchestration"]) == ("worker", "w", True), task
    task = client.good("POST", "/v1/workflows/worker/invoke/async", {"input": {"text": "echo w"}})
    assert until_status(client, task["id"], "completed")["result"] == "w"
    events = client.call("POST", "/v1/workflows/worker/invoke/stream", {"input": {"text": "echo w"}}).events()
    assert events[-1]["data"]["result"] == "w" and events[-1]["data"]["is_orchestration"], events


def a_caller_that_leaves_has_not_cancelled(client):
    for how in ("", "/stream"):
        connection = client.open("POST", f"/v1/agents/worker/invoke{how}", {"input": {"text": "approve"}, "id": "left" + how[1:]})
        until(lambda: client.call("GET", "/v1/tasks/left" + how[1:]).status == 200)
        connection.close()
        until_status(client, "left" + how[1:], "paused")
        client.reply("left" + how[1:], go={"action": "accept"})
        until_status(client, "left" + how[1:], "completed")


# --- what an agent gets ---

FULL = {
    "title": "A title", "output_format": "markdown", "expected_output": "a page", "instructions_override": "be brief",
    "additional_context": "it is late", "think_mode": "harder", "disable_attachment_injection": True, "events_streaming": True,
    "llm_model_provider": "p", "llm_model_name": "m", "llm_reasoning_effort": "xhigh", "source": "portal",
    "source_node_type": "assistant", "payload_extension": {"n": 10000000000000001}, "parent_execution_id": "up",
    "triggering_agent_id": "boss", "worker_id": "w", "run_locally": False, "test_run_node_id": "node", "return_metrics": True,
}


def every_wish_reaches_the_agent(client):
    user = {"id": "u1", "email": "u@example.com", "first_name": "U", "last_name": "One", "additional_attributes": {"a": 1}}
    body = {"input": {"text": "tell", "files": ["https://example.com/a.pdf"], "user": user}, "id": "full", **FULL}
    task = client.good("POST", "/v1/agents/worker/invoke?version=draft", body)
    given = json.loads(task["result"])
    assert given["input"] == body["input"] and given["history"] == [], given
    assert given["options"] == {"version": "draft", **FULL}, given["options"]
    assert [list(part) for part in given["message"]["parts"]] == [["text"], ["url"]], given["message"]
    shown = {"parent_execution_id": "parent_execution", "source_node_type": None, "run_locally": None}
    for name, value in FULL.items():
        if shown.get(name, name):
            assert task[shown.get(name, name)] == value, (name, task)
    assert task["agent_version"] == "draft" and task["input"]["user"] == {**user, "display_name": "U One"}, task
    nothing = client.good("POST", "/v1/agents/worker/invoke", {"input": {"text": "tell", "files": None}, **dict.fromkeys(FULL), "unknown": 4})
    assert json.loads(nothing["result"])["options"] == {}, nothing
    assert nothing["input"]["user"]["email"] == "local@localhost" and nothing["source"] == "api", nothing


def an_answer_is_held_against_its_schema(client):
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wish = {"output_format": "json", "output_schema": schema}
    assert client.invoke('json {"n": 1}', **wish)["result"] == '{"n": 1}'
    for text, words in (('json {"n": "x"}', "/n"), ("json {}", "n"), ("json no", "JSON")):
        task = client.invoke(text, **wish)
        assert task["status"] == "failed" and words in task["result"], task
    assert client.invoke("json no", output_schema=schema)["status"] == "completed"


def a_key_is_one_task(client):
    body = {"input": {"text": "echo once", "files": []}, "title": "t"}
    first = client.good("POST", "/v1/agents/worker/invoke", body, {"Idempotency-Key": "k-1"})
    again = client.good("POST", "/v1/agents/worker/invoke", body, {"Idempotency-Key": "k-1"})
    assert first == again, (first, again)
    events = client.call("POST", "/v1/agents/worker/invoke/stream", body, {"Idempotency-Key": "k-1"}).events()
    assert events[0]["type"] == "task_created" and events[-1]["data"] == first, events
    assert client.good("POST", "/v1/agents/worker/invoke/async", body, {"Idempotency-Key": "k-1"})["id"] == first["id"]
    answer = client.call("POST", "/v1/agents/worker/invoke", {**body, "title": "u"}, {"Idempotency-Key": "k-1"})
    assert answer.status == 409 and first["agentbridge"]["task_id"] in answer.detail, answer.text
    assert client.good("POST", "/v1/agents/worker/invoke", body, {"Idempotency-Key": "k-2"})["id"] != first["id"]


# --- conversations and lists ---

def turns_are_one_task(client):
    first = client.invoke("echo one", id="talk")
    second = client.invoke("tell", id="talk")
    assert first["id"] == second["id"] == "talk" and second["agentbridge"]["turn"] == 2, second
    assert [part["role"] for part in json.loads(second["result"])["history"]] == ["user", "agent"], second
    assert client.get("talk")["agentbridge"] == second["agentbridge"]
    one = client.get(first["agentbridge"]["task_id"])
    assert one["id"] == first["agentbridge"]["task_id"] and one["result"] == "one", one
    thread = client.good("GET", "/v1/tasks/talk/thread")
    assert [(m["id"], m["role"], m["content"]) for m in thread[:3]] == [
        ("talk_user_1", "user", "echo one"), ("talk_agent_1", "assistant", "one"), ("talk_user_2", "user", "tell")], thread
    client.invoke("echo below", id="child", parent_execution_id="talk")
    full = client.good("GET", "/v1/tasks/talk/thread/full")
    assert full["root"] == thread and [m["content"] for m in full["child"]] == ["echo below", "below"], full
    items = [item for item in client.good("GET", "/v1/tasks?per_page=50")["items"] if item["id"] == "talk"]
    assert len(items) == 1 and items[0]["result"] == second["result"], items


def lists_are_filtered_and_paged(client):
    user = {"id": "lister", "email": "l@example.com"}
    for number in range(5):
        client.good("POST", "/v1/agents/cat/invoke", {"input": {"text": str(number), "user": user}, "title": f"t{number}"})
    client.invoke("fail x", parent_execution_id="p-1", triggering_agent_id="a-1", source="s")
    page = client.good("GET", "/v1/tasks?user_id=lister&per_page=2&page=3")
    assert (page["total"], page["total_pages"], page["page"], page["per_page"]) == (5, 3, 3, 2), page
    assert [item["title"] for item in page["items"]] == ["t0"], page
    assert client.good("GET", "/v1/tasks?user_id=lister&page=4")["items"] == []
    assert client.good("GET", "/v1/agents/cat/tasks?user_id=lister")["total"] == 5
    assert client.good("GET", "/v1/agents/worker/tasks?user_id=lister")["total"] == 0
    assert client.good("GET", "/v1/tasks?agent_id=cat&user_id=lister&status=completed")["total"] == 5
    assert client.good("GET", "/v1/tasks?user_id=lister&status=failed")["total"] == 0
    found = client.good("GET", "/v1/tasks?parent_task_id=p-1&triggering_agent_id=a-1&status=failed")["items"]
    assert [item["result"] for item in found] == ["x"] and found[0]["source_node_type"] == "sdk", found
    assert client.good("GET", "/v1/tasks?user_id=lister&to_date=2001-01-01")["total"] == 0
    assert client.good("GET", "/v1/tasks?user_id=lister&from_date=2001-01-01T00:00:00.123456Z")["total"] == 5
    for query, where in (("page=0", "page"), ("per_page=51", "per_page"), ("per_page=x", "per_page"), ("status=busy", "status"),
                         ("from_date=yesterday", "from_date"), ("page=99999999999999999999", "page")):
        answer = client.call("GET", f"/v1/tasks?{query}")
        assert answer.status == 422 and answer.detail[0]["loc"] == ["query", where], answer.text


def items_of(client, path="/v1/tasks", **query):
    """All of a list, page by page, each of which must say the same total."""
    items, page = [], 1
    while True:
        wish = "&".join(f"{key}={value}" for key, value in {"per_page": 7, **query, "page": page}.items())
        answer = client.good("GET", f"{path}?{wish}")
        items += answer["items"]
        if page >= answer["total_pages"]:
            assert len(items) == answer["total"], (answer["total"], len(items))
            return items
        page += 1


def a_conversation_is_listed_as_its_latest_turn(client):
    client.invoke("echo one", id="moves")
    client.invoke("fail two", id="moves")
    client.invoke("echo begun here")
    items = items_of(client)
    assert len({item["id"] for item in items}) == len(items), items
    assert [item["created_at"] for item in items] == sorted((item["created_at"] for item in items), reverse=True), items
    assert [item["result"] for item in items_of(client, status="failed") if item["id"] == "moves"] == ["two"]
    assert "moves" not in [item["id"] for item in items_of(client, status="completed")]
    client.good("POST", "/v1/agents/cat/invoke", {"input": {"text": "three"}, "id": "moves"})
    last = client.get("moves")
    assert [item["result"] for item in items_of(client, "/v1/agents/cat/tasks") if item["id"] == "moves"] == ["three"]
    assert "moves" not in [item["id"] for item in items_of(client, "/v1/agents/worker/tasks") + items_of(client, status="failed")]
    assert client.call("DELETE", f"/v1/tasks/{last['agentbridge']['task_id']}").status == 204
    assert [item["result"] for item in items_of(client, "/v1/agents/worker/tasks", status="failed") if item["id"] == "moves"] == ["two"]
    assert "moves" not in [item["id"] for item in items_of(client, "/v1/agents/cat/tasks")]
    days = items_of(client, from_date="2020-01-01", to_date=items[0]["created_at"])
    assert "moves" in [item["id"] for item in days] and len(days) >= len(items) - 1, (len(days), len(items))


def removal_is_for_good(client):
    client.invoke("wait", how="/async", id="goes")
    client.invoke("echo queued", how="/async", id="goes")
    until(lambda: client.good("GET", "/v1/tasks/goes/thread"))
    assert client.call("DELETE", "/v1/tasks/goes").status == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/stop"), ("GET", "/thread"), ("GET", "/thread/full"), ("GET", "/events")):
        assert client.call(method, f"/v1/tasks/goes{path}").status == 404, (method, path)
    assert client.invoke("echo anew", id="goes")["agentbridge"]["turn"] == 1
    second = client.invoke("echo more", id="goes")
    assert client.call("DELETE", f"/v1/tasks/{second['agentbridge']['task_id']}").status == 204
    assert client.get("goes")["result"] == "anew"


# --- refusals ---

def malformed_bodies_are_refused(client):
    good = {"text": "echo"}
    table = [
        ("{", "json_invalid", ["body", 1]), ("[]", "dict_type", ["body"]), ("", "json_invalid", ["body", 0]),
        ('{"input":{"text":"a"},"input":{"text":"b"}}', "json_invalid", None),
        ({}, "missing", ["body", "input"]), ({"input": "x"}, "dict_type", ["body", "input"]), ({"input": {}}, "missing", ["body", "input", "text"]),
        ({"input": {"text": None}}, "string_type", ["body", "input", "text"]), ({"input": {"text": 4}}, "string_type", ["body", "input", "text"]),
        ({"input": {**good, "files": "x"}}, "list_type", ["body", "input", "files"]),
        ({"input": {**good, "files": ["a", 1]}}, "string_type", ["body", "input", "files", 1]),
        ({"input": {**good, "user": []}}, "dict_type", ["body", "input", "user"]),
        ({"input": {**good, "user": {"id": 1}}}, "string_type", ["body", "input", "user", "id"]),
        ({"input": good, "id": ""}, "string_type", ["body", "id"]), ({"input": good, "id": "x" * 600}, "string_type", ["body", "id"]),
        ({"input": good, "id": 7}, "string_type", ["body", "id"]), ({"input": good, "think_mode": "hard"}, "enum", ["body", "think_mode"]),
        ({"input": good, "output_format": "pdf"}, "enum", ["body", "output_format"]),
        ({"input": good, "llm_reasoning_effort": "max"}, "enum", ["body", "llm_reasoning_effort"]),
        ({"input": good, "output_schema": "x"}, "dict_type", ["body", "output_schema"]),
        ({"input": good, "output_format": "json", "output_schema": {"type": "thing"}}, "json_schema", ["body", "output_schema"]),
        ({"input": good, "events_streaming": "yes"}, "bool_type", ["body", "events_streaming"]),
        ({"input": good, "payload_extension": []}, "dict_type", ["body", "payload_extension"]),
        ({"input": good, "mcp_servers": {}}, "list_type", ["body", "mcp_servers"]), ({"input": good, "mcp_servers": ["x"]}, "list_type", ["body", "mcp_servers"]),
        ({"input": good, "user_oidc_token": {}}, "string_type", ["body", "user_oidc_token"]),
        ({"input": good, "user_tokens": "x"}, "dict_type", ["body", "user_tokens"]),
        ({"input": good, "webhooks": {}}, "value_error", ["body", "webhooks"]),
        ({"input": good, "webhooks": [{"url": "http://10.0.0.1/"}]}, "value_error", ["body", "webhooks", 0, "url"]),
    ]
    before = client.good("GET", "/v1/tasks")["total"]
    for body, kind, where in table:
        for how in ("", "/async", "/stream"):
            answer = client.call("POST", f"/v1/agents/worker/invoke{how}", body)
            assert answer.status == 422, (body, answer.text)
            assert answer.detail[0]["type"] == kind and where in (None, answer.detail[0]["loc"]), (body, answer.text)
    many = client.call("POST", "/v1/agents/worker/invoke", {"input": {"files": [1]}, "title": 2})
    assert [fault["loc"][-1] for fault in many.detail] == ["text", 0, "title"], many.text
    assert client.good("GET", "/v1/tasks")["total"] == before


def requests_are_refused(client):
    body = {"input": {"text": "echo"}}
    for how in ("", "/async", "/stream"):
        answer = client.call("POST", f"/v1/agents/nobody/invoke{how}", body)
        assert answer.status == 404 and '"worker"' in answer.detail, answer.text
        answer = client.call("POST", f"/v1/agents/worker/invoke{how}", body, {"Content-Type": "text/plain"})
        assert answer.status == 415, answer.text
    for method, path in (("GET", "/v1/tasks/nothing"), ("DELETE", "/v1/tasks/nothing"), ("POST", "/v1/tasks/nothing/stop"),
                         ("GET", "/v1/tasks/nothing/thread"), ("GET", "/v1/tasks/nothing/events")):
        answer = client.call(method, path)
        assert answer.status == 404 and "nothing" in answer.detail, answer.text
    for method, path, status in (("PUT", "/v1/tasks", 405), ("GET", "/v1/agents/worker/invoke", 405), ("GET", "/v1/nothing", 404),
                                 ("GET", "/v1/tasks/a/b/c", 404), ("GET", "/v1/agents//tasks", 404), ("GET", "/v1/tasks/%zz", 404)):
        answer = client.call(method, path)
        assert answer.status == status and answer.detail, (path, answer.status, answer.text)
    assert client.call("PATCH", "/v1/tasks/x").headers["Allow"] == "GET, DELETE"


def large_and_chunked_bodies(client):
    connection = client.open("POST", "/v1/agents/worker/invoke", {"input": {"text": "x" * 70000}})
    assert connection.getresponse().status == 413
    connection.close()
    pieces = iter([b'{"input":{"te', b'xt":"echo in pieces"}}'])
    connection = http.client.HTTPConnection(client.address, timeout=20)
    connection.request("POST", "/v1/agents/worker/invoke", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 411 and b"Content-Length" in response.read()
    connection.close()


def a_busy_conversation_is_refused(client):
    task = paused(client, "approve", id="busy")
    for how in ("", "/async", "/stream"):
        answer = client.call("POST", f"/v1/agents/worker/invoke{how}", {"input": {"text": "echo"}, "id": "busy"})
        assert answer.status == 409 and task["agentbridge"]["task_id"] in answer.detail, answer.text
    open_one = client.invoke("wait", agent="single", how="/async", id="one at a time")
    answer = client.call("POST", "/v1/agents/single/invoke", {"input": {"text": "echo"}, "id": "one at a time"})
    assert answer.status == 409 and open_one["agentbridge"]["task_id"] in answer.detail, answer.text
    client.good("POST", "/v1/tasks/one%20at%20a%20time/stop")


def another_owner_has_other_tasks(client):
    body = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"tenant": "them", "message": {
        "messageId": "m", "role": "ROLE_USER", "contextId": "theirs", "parts": [{"text": "echo x"}]}}}
    connection = client.open("POST", "/a2a/worker", body, {"A2A-Version": "1.0"})
    task = json.loads(connection.getresponse().read())["result"]["task"]
    connection.close()
    for name in ("theirs", task["id"]):
        for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/stop"), ("GET", "/events"), ("GET", "/thread")):
            assert client.call(method, f"/v1/tasks/{name}{path}").status == 404, (method, path)
    mine = client.invoke("echo", id="mine")["agentbridge"]["task_id"]
    answer = client.call("GET", "/v1/tasks/mine/events", headers={"Last-Event-ID": f"{task['id']}:1"})
    assert answer.status == 404 and mine not in answer.text, answer.text


# --- answers to questions ---

def answers_are_taken_or_refused(client):
    task = paused(client, "form")
    for answers, status, words in (
            ({"name": {"action": "accept", "content": {"who": "A"}}}, 422, "who"), ({"name": {"action": "accept"}}, 422, "name"),
            ({"name": {"action": "maybe"}}, 422, "name"), ({"other": {"action": "accept"}}, 409, "open"), ({}, 422, "answer")):
        answer = client.reply(task["id"], **answers)
        assert answer.status == status and words in answer.text, (answers, answer.text)
    for body in ("{", "[]", {}, {"answers": 4}):
        assert client.call("POST", f"/v1/tasks/{task['id']}/reply", body).status == 422
    assert client.call("POST", f"/v1/tasks/{task['id']}/reply", {"answers": {"x": {}}}, {"Content-Type": "text/plain"}).status == 415
    half = client.reply(task["id"], name={"action": "accept", "content": {"who": "Ann"}}).json
    assert half["status"] == "paused" and set(half["agentbridge"]["questions"]) == {"go"}, half
    assert half["hitl_request"]["wait_node_id"] == "go", half
    assert client.reply(task["id"], go={"action": "decline"}).status == 200
    done = until_status(client, task["id"], "completed")
    assert json.loads(done["result"])["name"]["content"] == {"who": "Ann"} and "questions" not in done["agentbridge"], done
    answer = client.reply(task["id"], go={"action": "accept"})
    assert answer.status == 409 and "completed" in answer.detail, answer.text
    assert client.reply("nothing", go={"action": "accept"}).status == 404


# --- streams ---

def streams_tell_everything_in_order(client):
    answer = client.stream("all", id="all")
    assert answer.headers["Content-Type"] == "text/event-stream" and answer.headers["Cache-Control"] == "no-store"
    lines = [line for line in answer.text.split("\n") if line and not line.startswith(":")]
    assert all(line.startswith("data: {") for line in lines), "the platform's streams have data and nothing else"
    events = answer.events()
    assert [event["type"] for event in events] == ["task_created", "task_updated", "task_updated", "progress", "log", "chunk",
                                                   "artifact", "chunk", "task_finished"], events
    assert [event["agentbridge"]["last_event"] for event in events] == list(range(1, 10)), events
    assert events[0]["data"]["status"] == "pending" and events[0]["data"]["started_at"] is None, events[0]
    assert events[1]["data"]["status"] == events[2]["data"]["status"] == "executing", events
    assert events[2]["data"]["internal_status"] == "at it" and events[2]["data"]["result"] is None, events[2]
    assert events[3]["data"] == {"value": 1, "total": 2, "message": "half"}, events[3]
    assert "".join(event["data"] for event in events if event["type"] == "chunk") == "one two"
    assert all(event["task_id"] == "all" for event in events), events
    assert events[-1]["data"] == client.get("all"), events[-1]


def a_stream_waits_with_its_task(client):
    reader = Reader(client, "POST", "/v1/agents/worker/invoke/stream", {"input": {"text": "form"}, "id": "form stream"})
    event = next(e for e in iter(reader.next, None) if e["data"].get("status") == "paused")
    assert event["type"] == "task_updated" and set(event["data"]["agentbridge"]["questions"]) == {"name", "go"}, event
    assert event["data"]["hitl_request"]["wait_node_id"] == "name" and event["data"]["paused_at"] == event["time"], event
    client.reply("form%20stream", name={"action": "accept", "content": {"who": "Ann"}}, go={"action": "accept"})
    events = reader.until("task_finished")
    assert [e["type"] for e in events] == ["task_updated", "task_finished"] and reader.next() is None, events
    reader.close()
    replay = client.call("GET", "/v1/tasks/form%20stream/events").events()
    asked = [e for e in replay if e["type"] == "task_updated" and e["data"]["status"] == "paused"]
    assert len(asked) == 1 and set(asked[0]["data"]["agentbridge"]["questions"]) == {"name", "go"}, asked


def a_stream_is_taken_up_behind_any_event(client):
    client.invoke("all", id="again")
    whole = client.call("GET", "/v1/tasks/again/events").events_with_ids()
    task_id = whole[0][1]["agentbridge"]["task_id"]
    assert [name for name, _ in whole] == [f"{task_id}:{number}" for number in range(1, len(whole) + 1)], whole
    for number in range(len(whole) + 1):
        for form in (str(number), f"{task_id}:{number}"):
            answer = client.call("GET", "/v1/tasks/again/events", headers={"Last-Event-ID": form})
            assert answer.status == (204 if number == len(whole) else 200), (form, answer.status)
            assert answer.events_with_ids() == whole[number:], form
    client.invoke("echo later", id="again")
    behind = client.call("GET", "/v1/tasks/again/events", headers={"Last-Event-ID": f"{task_id}:3"})
    assert behind.events_with_ids() == whole[3:], "the turn that was being read comes first"
    assert client.call("GET", "/v1/tasks/again/events").events()[-1]["data"]["result"] == "later"
    for wrong in ("x", ":", "1:2:3", f"{task_id}:", f"{task_id}:-1", "1e3"):
        answer = client.call("GET", "/v1/tasks/again/events", headers={"Last-Event-ID": wrong})
        assert answer.status in (404, 422), (wrong, answer.status)


def two_follow_one_task(client):
    first = Reader(client, "POST", "/v1/agents/worker/invoke/stream", {"input": {"text": "steps 3"}, "id": "shared"})
    begun = [first.next()]
    second = Reader(client, "GET", "/v1/tasks/shared/events")
    third = Reader(client, "GET", "/v1/tasks/shared/events", headers={"Last-Event-ID": "1"})
    for step in range(3):
        key = f"next{step}"
        until(lambda: key in client.get("shared")["agentbridge"].get("questions", {}))
        assert client.reply("shared", **{key: {"action": "accept"}}).status == 200
    told = [begun + first.until("task_finished"), second.until("task_finished"), [begun[0]] + third.until("task_finished")]
    assert told[0] == told[1] == told[2] and len(told[0]) > 8, told
    for reader in (first, second, third):
        assert reader.next() is None
        reader.close()


def a_removed_task_ends_its_streams(client):
    client.invoke("wait", how="/async", id="followed")
    reader = Reader(client, "GET", "/v1/tasks/followed/events")
    reader.until("task_updated")
    assert client.call("DELETE", "/v1/tasks/followed").status == 204
    rest_of_it = list(iter(reader.next, None))
    assert all(event["type"] in ("task_updated", "task_finished") for event in rest_of_it), rest_of_it
    reader.close()


def silent_streams_show_that_they_live(client):
    client.invoke("approve", id="silent")
    connection = client.open("GET", "/v1/tasks/silent/events")
    response = connection.getresponse()
    while not response.readline().startswith(b": "):
        pass
    connection.close()


def slow_readers_cost_nothing(client, bridge):
    """Fifteen megabytes for each of twenty who read nothing yet: they stay in the log, not in memory."""
    size, number = 10000, 1500
    client.invoke(f"flood {number} {size}", id="flood")
    before = bridge.memory_kb()
    host, port = client.address.split(":")
    slow = []
    for _ in range(20):
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one.settimeout(60)
        one.connect((host, int(port)))
        one.sendall(b"GET /v1/tasks/flood/events HTTP/1.1\r\nHost: %s\r\n\r\n" % client.address.encode())
        slow.append(one)
    for one in slow:
        assert one.recv(1, socket.MSG_PEEK) == b"H"
    grown = bridge.memory_kb() - before
    assert grown < 30000, f"{grown} kB more for twenty slow readers"
    response = http.client.HTTPResponse(slow[0], method="GET")
    response.begin()
    chunks = 0
    finished = False
    for line in response:
        if line.startswith(b"data: "):
            event = json.loads(line[6:])
            if event["type"] == "chunk":
                assert event["data"].startswith(f"{chunks}:"), event["data"][:20]
                chunks += 1
            finished = event["type"] == "task_finished"
    assert chunks == number and finished, (chunks, finished)
    for one in slow:
        one.close()


# --- what must never be told ---

def credentials_are_never_told(client, data, log):
    body = {"input": {"text": "tell"}, "user_oidc_token": CANARY + "-1", "user_tokens": {"s": CANARY + "-2"},
            "mcp_servers": [{"type": "remote", "name": "search", "url": f"https://u:{CANARY}-3@mcp.example.com/{CANARY}-4?k={CANARY}-5",
                             "api_key": CANARY + "-6", "headers": {"X": CANARY + "-7"}, "client_secret": CANARY + "-8",
                             "env_vars": {"A": CANARY + "-9"}, "config": {"k": CANARY + "-10"}, "allowed_tools": ["find"]}],
            "webhooks": [{"url": "https://example.com/hook", "secret": "whsec_" + "Y2FuYXJ5" * 4}]}
    answers = [client.call("POST", "/v1/agents/worker/invoke", {**body, "id": "secret"}),
               client.call("POST", "/v1/agents/worker/invoke/async", {**body, "id": "secret 2"}),
               client.call("POST", "/v1/agents/worker/invoke/stream", {**body, "id": "secret 3"})]
    given = json.loads(answers[0].json["result"])["options"]
    assert given["credentials"] == ["user_oidc_token", "user_tokens", "mcp_servers"], given
    shown = [{"type": "remote", "name": "search", "allowed_tools": ["find"], "url": "https://mcp.example.com"}]
    assert given["mcp_servers"] == answers[0].json["mcp_servers"] == shown, given
    answers += [client.call("GET", path) for path in ("/v1/tasks", "/v1/tasks/secret", "/v1/tasks/secret/events", "/v1/tasks/secret/thread")]
    connection = client.open("GET", "/metrics")
    answers.append(rest.Answer(200, {}, connection.getresponse().read().decode()))
    connection.close()
    bad = client.call("POST", "/v1/agents/worker/invoke", {**body, "title": 4, "user_tokens": {"s": [CANARY]}, "mcp_servers": CANARY, "user_oidc_token": [CANARY]})
    assert bad.status == 422, bad.text
    for answer in answers + [bad]:
        assert CANARY not in answer.text and "Y2FuYXJ5" not in answer.text, answer.text
    for path in glob.glob(os.path.join(data, "**"), recursive=True) + [log]:
        if os.path.isfile(path):
            with open(path, "rb") as file:
                content = file.read()
            assert CANARY.encode() not in content and b"Y2FuYXJ5Y2Fu" not in content, path


# --- the platform's own samples ---

def samples_are_understood(client):
    sent = 0
    for path in sorted(glob.glob(os.path.join(SAMPLES, "req_*.json"))):
        with open(path, encoding="utf-8") as file:
            body = json.load(file)
        for how in ("/async", "/stream"):
            answer = client.call("POST", f"/v1/agents/cat/invoke{how}", body)
            assert answer.status == 200, (path, answer.text)
        sent += 1
    assert sent >= 9, f"only {sent} samples were found"


def answers_fit_the_published_schemas(client):
    import jsonschema
    with open(os.path.join(SAMPLES, "openapi_subset_2025-12.json"), encoding="utf-8") as file:
        document = json.load(file)
    schemas = document["components"]["schemas"]

    def check(name, value):
        whole = {"components": document["components"], "$ref": f"#/components/schemas/{name}"}
        errors = list(jsonschema.Draft202012Validator(whole).iter_errors(value))
        assert not errors, f"{name}: {errors[0].message[:300]} at {list(errors[0].absolute_path)}"

    names = {name.split("__")[-1]: name for name in schemas}
    tasks = [client.invoke("echo x", output_format="json"), client.invoke("fail x"), paused(client, "form"), paused(client, "sign-in"),
             client.invoke("wait", how="/async"), client.stream("all").events()[0]["data"]]
    for task in tasks:
        # Since then a pause for a human is told of in another form, which the newer pages have.
        check(next(name for name in names.values() if "AgentExecution" in name and "Request" not in name), {**task, "hitl_request": None})
    for item in client.good("GET", "/v1/tasks")["items"]:
        check(next(name for name in names.values() if "TasksListItem" in name and "Pag" not in name), item)
    check("HTTPValidationError", client.call("POST", "/v1/agents/cat/invoke", {}).json)


# --- other bridges ---

def a_strict_bridge_asks_for_the_user(folder):
    with open(os.path.join(HERE, "bridge.jsonc"), encoding="utf-8") as file:
        text = file.read().replace('"user": {', '"rest": { "strict": true }, "user": {').replace("./agent.py", os.path.join(HERE, "agent.py"))
    config = os.path.join(folder, "strict.jsonc")
    with open(config, "w", encoding="utf-8") as file:
        file.write(text)
    bridge = Bridge(os.path.join(folder, "strict"), config)
    try:
        client = Client(bridge.address)
        for user, where in ((None, ["user"]), ({}, ["user", "id"]), ({"id": "u"}, ["user", "email"]), ({"email": "e@x.example"}, ["user", "id"])):
            body = {"input": {"text": "echo", **({} if user is None else {"user": user})}}
            answer = client.call("POST", "/v1/agents/worker/invoke", body)
            assert answer.status == 422 and answer.detail[0]["loc"] == ["body", "input"] + where, answer.text
        assert client.good("POST", "/v1/agents/worker/invoke", {"input": {"text": "echo", "user": {"id": "u", "email": "e@x.example"}}})
    finally:
        bridge.stop()


def a_killed_bridge_loses_nothing(folder):
    """Two streams are cut by kill -9; what each read before and after is the whole story, once."""
    data = os.path.join(folder, "killed")
    bridge = Bridge(data)
    client = Client(bridge.address)
    reader = Reader(client, "POST", "/v1/agents/worker/invoke/stream", {"input": {"text": "flood 400 200"}, "id": "cut"})
    told = [reader.next() for _ in range(20)]
    other = Reader(client, "GET", "/v1/tasks/cut/events")
    seen = [other.next() for _ in range(10)]
    bridge.stop(signal.SIGKILL)
    try:
        told += list(iter(reader.next, None))
    except (OSError, http.client.HTTPException, ValueError):
        pass
    bridge = Bridge(data)
    try:
        client = Client(bridge.address)
        last = told[-1]["agentbridge"]
        told += client.call("GET", "/v1/tasks/cut/events", headers={"Last-Event-ID": f"{last['task_id']}:{last['last_event']}"}).events()
        seen += client.call("GET", "/v1/tasks/cut/events", headers={"Last-Event-ID": other.id}).events()
        whole = client.call("GET", "/v1/tasks/cut/events").events()
        numbers = [event["agentbridge"]["last_event"] for event in told]
        assert numbers == list(range(1, len(told) + 1)), "nothing is lost and nothing told twice"
        assert told == whole and seen == whole, "what is told again is what was told"
        end = whole[-1]
        assert end["type"] == "task_finished" and end["data"]["status"] in ("error", "completed"), end
    finally:
        bridge.stop()
        reader.close()
        other.close()


def a_shutdown_ends_streams_and_keeps_tasks(folder):
    data = os.path.join(folder, "down")
    bridge = Bridge(data)
    client = Client(bridge.address)
    client.invoke("approve", id="open")
    reader = Reader(client, "GET", "/v1/tasks/open/events")
    first = [reader.next(), reader.next(), reader.next()]
    bridge.stop()
    assert reader.next() is None and len(first) == 3
    reader.close()
    bridge = Bridge(data)
    try:
        client = Client(bridge.address)
        rest_of_it = client.call("GET", "/v1/tasks/open/events", headers={"Last-Event-ID": reader.id}).events()
        assert rest_of_it[-1]["type"] == "task_finished", rest_of_it
    finally:
        bridge.stop()


def every_route_was_driven(client):
    documented = {(path, method) for path, operations in rest.DOCUMENT["paths"].items() for method in operations}
    missing = documented - rest.driven.keys()
    assert not missing, f"never called: {sorted(missing)}"
    for (path, method), statuses in rest.driven.items():
        good = {int(status) for status in rest.DOCUMENT["paths"][path][method]["responses"] if status in ("200", "204")}
        assert good & statuses, f"{method} {path} never succeeded: {statuses}"


def run(name, test, *arguments):
    try:
        test(*arguments)
        return True
    except Exception:
        print(f"FAILED {name}")
        traceback.print_exc(file=sys.stdout)
        return False


def main():
    on_one = [the_document_is_served, agents_are_listed, every_status_is_told, a_pause_says_what_is_asked, tasks_wait_run_and_stop,
              workflows_are_agents, a_caller_that_leaves_has_not_cancelled, every_wish_reaches_the_agent, a_key_is_one_task, an_answer_is_held_against_its_schema,
              turns_are_one_task, lists_are_filtered_and_paged, a_conversation_is_listed_as_its_latest_turn,
              removal_is_for_good, malformed_bodies_are_refused, requests_are_refused,
              large_and_chunked_bodies, a_busy_conversation_is_refused, another_owner_has_other_tasks, answers_are_taken_or_refused,
              streams_tell_everything_in_order, a_stream_waits_with_its_task, a_stream_is_taken_up_behind_any_event, two_follow_one_task,
              a_removed_task_ends_its_streams, silent_streams_show_that_they_live]
    if os.path.isdir(SAMPLES):
        on_one += [samples_are_understood, answers_fit_the_published_schemas]
    else:
        print("the platform's samples are not sent: AGENTBRIDGE_TEST_DATA is not set")
    results = []
    with tempfile.TemporaryDirectory() as folder:
        data, log = os.path.join(folder, "data"), os.path.join(folder, "log")
        with open(log, "w", encoding="utf-8") as file:
            bridge = Bridge(data, log=file)
        client = Client(bridge.address)
        try:
            results += [run(test.__name__, test, client) for test in on_one]
            results.append(run("slow readers cost nothing", slow_readers_cost_nothing, client, bridge))
            results.append(run("credentials are never told", credentials_are_never_told, client, data, log))
            results.append(run("every route was driven", every_route_was_driven, client))
        finally:
            bridge.stop()
        for test in (a_strict_bridge_asks_for_the_user, a_killed_bridge_loses_nothing, a_shutdown_ends_streams_and_keeps_tasks):
            results.append(run(test.__name__, test, folder))
    print(f"{rest.checked} answers and events fit schemas/openapi.json")
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
