#!/usr/bin/env python3
"""A2A from outside, over the wire: what every binding must refuse, and what the SDK does not show.

Where AGENTBRIDGE_TEST_DATA is set and python3-jsonschema is there, every message of 0.3 over JSON-RPC is also checked
against that version's published schema; else it says that it does not."""
import json
import os
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import behaviours
import cards
import inputs
import shapes
from bindings import ALL, Bridge, Http03, Http10, Rpc03, Rpc10, Stream, refused, state

HERE = os.path.dirname(os.path.abspath(__file__))


# --- what every binding refuses ---

def refuses_tasks(it):
    done = it.send("echo")
    for operation in ("get", "cancel", "subscribe"):
        refused("TASK_NOT_FOUND", lambda: it.call(operation, {"id": "nothing"}))
    refused("TASK_NOT_FOUND", lambda: it.send("x", taskId="nothing"))
    refused("TASK_NOT_CANCELABLE", lambda: it.call("cancel", {"id": done["id"]}), "COMPLETED".lower())
    refused("UNSUPPORTED_OPERATION", lambda: it.call("subscribe", {"id": done["id"]}))
    refused("UNSUPPORTED_OPERATION", lambda: it.send("x", taskId=done["id"]), "contextId")


def refuses_foreign_tasks(it):
    other = type(it)(it.address, "picky")
    must = {"A2A-Extensions": "https://example.com/must"}
    foreign = other.send("theirs", must)
    refused("TASK_NOT_FOUND", lambda: it.call("get", {"id": foreign["id"]}))
    mine = it.send("echo")
    refused("TASK_NOT_FOUND", lambda: it.call("get", {"id": mine["id"], "tenant": "them"}))


def keeps_tenants_apart(it):
    theirs = it.task(it.call("send", {"tenant": "them", "message": it.message("echo", contextId="same")}))
    assert it.call("get", {"tenant": "them", "id": theirs["id"]})["id"] == theirs["id"]
    for operation in ("get", "cancel", "subscribe"):
        refused("TASK_NOT_FOUND", lambda: it.call(operation, {"id": theirs["id"]}))
    assert theirs["contextId"] == "same"


def refuses_wrong_contexts(it):
    asked = it.send("ask", contextId="right " + it.name)
    refused("INVALID_PARAMS", lambda: it.send("yes", taskId=asked["id"], contextId="wrong"), "right")
    refused("UNSUPPORTED_OPERATION", lambda: it.send("next", contextId="right " + it.name), asked["id"])
    assert state(it.send("yes", taskId=asked["id"], contextId="right " + it.name)) == "COMPLETED"


def refuses_malformed_messages(it):
    good = it.message("echo")
    table = [
        ({}, "message"), ({"message": "x"}, "message"), ({"message": {**good, it.parts_key: []}}, "parts"),
        ({"message": {k: v for k, v in good.items() if k != it.parts_key}}, "parts"),
        ({"message": {**good, "messageId": ""}}, "messageId"), ({"message": {**good, "messageId": 4}}, "messageId"),
        ({"message": {**good, "role": "ROLE_AGENT"}}, "role"), ({"message": {**good, "role": None}}, "role"),
        ({"message": {**good, "contextId": "x" * 600}}, "contextId"), ({"message": {**good, "metadata": []}}, "metadata"),
        ({"message": {**good, it.parts_key: ["x"]}}, "parts[0]"), ({"message": {**good, it.parts_key: [{}]}}, "parts[0]"),
        ({"message": {**good, it.parts_key: [it.part({"text": "a"}), {"video": "b"}]}}, "parts[1]"),
        ({"message": {**good, it.parts_key: [{"text": 4}]}}, "parts[0]"),
        ({"message": {**good, it.parts_key: [{"kind": "song", "text": "la"}]}}, "parts[0]") if it.version is None else None,
        ({"message": {**good, it.parts_key: [{"raw": "*"}]}}, "base64") if it.version else None,
        ({"message": {**good, it.parts_key: [{"text": "a", "url": "b"}]}}, "one of") if it.version else None,
        ({"message": {**good, it.parts_key: [{"kind": "file", "file": {"bytes": "*"}}]}}, "base64") if it.version is None else None,
        ({"message": good, "configuration": 4}, "configuration"),
        ({"message": good, "configuration": {"historyLength": -1}}, "historyLength"),
        ({"message": good, "configuration": {"blocking": "perhaps"}}, "blocking"),
    ]
    for wish, words in filter(None, table):
        refused("INVALID_PARAMS", lambda: it.call("send", wish), words)
        refused("INVALID_PARAMS", lambda: it.call("stream", wish), words)


def refuses_what_is_not_there(it):
    name = "UNSUPPORTED_OPERATION" if it.version else "EXTENDED_AGENT_CARD_NOT_CONFIGURED"
    refused(name, lambda: it.call("card", {}))


# A task that has ended keeps its configurations, and nothing is posted any more: so these lead nowhere.
HOOK = "https://hooks.example.com/in?x=1"


def authentication(it, **more):
    return {"scheme": "Bearer", **more} if it.version else {"schemes": ["Bearer"], **more}


def listed(it, task, **more):
    answer = it.call("push_list", it.push("push_list", task, **more))
    if isinstance(answer, dict):
        assert answer.keys() == {"configs", "nextPageToken"}, answer
        return answer["configs"], answer["nextPageToken"]
    return answer, ""


def inner(config):
    """A configuration's own members, and the id of its task."""
    task = config.get("taskId") or config["name"].split("/")[1]
    return config.get("pushNotificationConfig") or config, task


def keeps_push_configurations(it):
    task = it.send("echo")["id"]
    secret = {"token": "canary-token", "authentication": authentication(it, credentials="canary-credentials")}
    made, of = inner(it.call("push", it.push("push", task, {"url": HOOK, **secret})))
    assert of == task and made["url"] == HOOK and len(made["id"]) == 32, made
    assert "canary" not in json.dumps(made) and "Bearer" in json.dumps(made["authentication"]), made
    for name in ("mine", "my other"):
        assert inner(it.call("push", it.push("push", task, {"id": name, "url": HOOK})))[0] == {"id": name, "url": HOOK, **(
            {"taskId": task} if it.version else {})}
    assert inner(it.call("push_get", it.push("push_get", task, "my other")))[0]["url"] == HOOK
    again = inner(it.call("push", it.push("push", task, {"id": "mine", "url": HOOK + "&again"})))[0]
    assert again["url"] == HOOK + "&again"
    configs, _ = listed(it, task)
    assert [inner(config)[0]["id"] for config in configs] == [made["id"], "mine", "my other"], configs
    assert it.call("push_delete", it.push("push_delete", task, "mine")) in (None, {})
    assert it.call("push_delete", it.push("push_delete", task, "mine")) in (None, {}), "deleted already: done"
    refused("TASK_NOT_FOUND", lambda: it.call("push_get", it.push("push_get", task, "mine")), "mine")
    assert len(listed(it, task)[0]) == 2
    if it.name == "0.3 JSON-RPC":
        assert inner(it.call("push_get", {"id": task}))[0]["id"] == made["id"], "the first one, where none is named"


def pages_push_configurations(it):
    if it.name == "0.3 JSON-RPC":
        return  # its lists have no pages
    task = it.send("echo")["id"]
    for name in "abcde":
        it.call("push", it.push("push", task, {"id": name, "url": HOOK}))
    found, token = [], ""
    for step in range(3):
        configs, token = listed(it, task, pageSize=2, **({"pageToken": token} if token else {}))
        found += [inner(config)[0]["id"] for config in configs]
        if step == 0:
            it.call("push_delete", it.push("push_delete", task, "b"))
    assert (found, token) == (list("abcde"), ""), (found, token)
    for wish, words in (({"pageSize": 0}, "pageSize"), ({"pageSize": 101}, "pageSize"), ({"pageToken": "x"}, "pageToken")):
        refused("INVALID_PARAMS", lambda: listed(it, task, **wish), words)


def refuses_push_configurations(it):
    task = it.send("echo")["id"]
    for operation in ("push", "push_get", "push_list", "push_delete"):
        config = {"url": HOOK} if operation == "push" else None if operation == "push_list" else "x"
        refused("TASK_NOT_FOUND", lambda: it.call(operation, it.push(operation, "nothing", config)))
        refused("TASK_NOT_FOUND", lambda: it.call(operation, it.push(operation, task, config, tenant="them")))
    refused("TASK_NOT_FOUND", lambda: it.call("push_get", it.push("push_get", task, "none")), "none")
    table = [({}, "url"), ({"url": 4}, "url"), ({"url": "ftp://hooks.example.com/"}, "https://"), ({"url": "http://10.1.2.3/"}, "outbound.allow"),
             ({"url": "http://localhost:1/"}, "outbound.allow"), ({"url": "http://[::ffff:127.0.0.1]/"}, "outbound.allow"),
             ({"url": "https://me:canary@hooks.example.com/"}, "user"), ({"url": HOOK + "\r\nX-Other: 1"}, "encoded"),
             ({"url": HOOK, "token": "a\r\nX-Other: 1"}, "token"), ({"url": HOOK, "token": ["a"]}, "token"),
             ({"url": HOOK, "authentication": authentication(it, credentials="a\nb")}, "credentials"),
             ({"url": HOOK, "authentication": {"credentials": "canary"}}, "scheme"), ({"url": HOOK, "authentication": "Basic"}, "object"),
             ({"url": HOOK, "authentication": {"scheme": "A\nB"} if it.version else {"schemes": ["A\nB"]}}, "scheme"),
             ({"url": HOOK, "id": "x" * 300}, "id"), ({"url": HOOK, "token": "x" * 9000}, "token")]
    name = "taskPushNotificationConfig" if it.version else "pushNotificationConfig" if hasattr(it, "methods") else "pushNotification"
    for config, words in table:
        refused("INVALID_PARAMS", lambda: it.call("push", it.push("push", task, config)), words)
        refused("INVALID_PARAMS", lambda: it.send("echo", configuration={name: config}), words)
    refused("INVALID_PARAMS", lambda: it.send("echo", configuration={name: "x"}), name)
    for host in ("127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[::1]", "[::]",
                 "[fc00::1]", "[fd12::1]", "[fe80::1]", "[::ffff:10.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::a00:1]", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"):
        refused("INVALID_PARAMS", lambda: it.call("push", it.push("push", task, {"url": f"https://{host}/in"})), "url")
    assert listed(it, task) == ([], ""), "what was refused is not kept"
    for number in range(16):
        it.call("push", it.push("push", task, {"id": str(number), "url": HOOK}))
    refused("OVER_QUOTA", lambda: it.call("push", it.push("push", task, {"url": HOOK})), "16")


def refuses_versions_and_types(it):
    wish = {"message": it.message("echo")}
    refused("VERSION_NOT_SUPPORTED", lambda: it.call("send", wish, {"A2A-Version": "2.0"}), "1.0 or 0.3")
    refused("VERSION_NOT_SUPPORTED", lambda: it.call("send", wish, {"A2A-Version": "1"}))
    refused("CONTENT_TYPE_NOT_SUPPORTED", lambda: it.call("send", wish, {"Content-Type": "text/plain"}), "text/plain")
    assert state(it.task(it.call("send", wish, {"A2A-Version": "1.0.1" if it.version else "0.3.0"}))) == "COMPLETED"


def requires_extensions(it):
    picky = type(it)(it.address, "picky")
    refused("EXTENSION_SUPPORT_REQUIRED", lambda: picky.send("x"), "https://example.com/must")
    header = "A2A-Extensions" if it.version else "X-A2A-Extensions"
    names = {header: "https://example.com/none, https://example.com/must,https://example.com/may"}
    assert state(picky.send("x", names)) == "COMPLETED"
    path, body = ("/a2a/picky", {"jsonrpc": "2.0", "id": 7, "method": it.methods["send"], "params": {"message": it.message("x")}}) \
        if hasattr(it, "methods") else (f"/a2a/picky{it.prefix(None)}/message:send", {"message": it.message("x")})
    answer = it.request("POST", path, body, names)
    assert answer.headers[header] == "https://example.com/must, https://example.com/may", answer.headers


# --- what every binding does ---

def takes_snake_case(it):
    parts = it.message("echo")[it.parts_key]
    message = {"message_id": "m", "role": it.user, it.parts_key: parts, "context_id": "snake"}
    task = it.task(it.call("send", {"message": message, "configuration": {"history_length": 0, "blocking": True}}))
    assert task["contextId"] == "snake" and ("history" in task) == (it.name == "0.3 HTTP+JSON"), task


def answers_each_question_once(it):
    asked = it.send("form")
    assert state(asked) == "INPUT_REQUIRED", asked
    refused("INVALID_PARAMS", lambda: it.send([{"data": {"name": {"action": "accept", "content": {"who": "A"}}}}], taskId=asked["id"]), "who")
    half = it.send([{"data": {"name": {"action": "accept", "content": {"who": "Ann"}}}}], taskId=asked["id"])
    assert state(half) == "INPUT_REQUIRED" and "name" not in json.dumps(half["status"]["message"]), half["status"]
    words = it.send("perhaps", taskId=asked["id"])
    assert state(words) == "INPUT_REQUIRED" and "yes or no" in json.dumps(words["status"]["message"]), words["status"]
    again = it.send("no", taskId=asked["id"])
    assert state(again) == "INPUT_REQUIRED", again
    both = {"answers": {"name#2": {"action": "accept", "content": {"who": "Bob", "size": "s"}}, "go#2": {"action": "accept"}}}
    done = it.send([{"data": both}], taskId=asked["id"])
    assert state(done) == "COMPLETED" and len(done["history"]) == 6, done
    assert "Bob" in json.dumps(done["artifacts"]), done


def refuses_messages_to_the_busy(it):
    task = it.send("wait", configuration={"returnImmediately": True, "blocking": False})
    refused("UNSUPPORTED_OPERATION", lambda: it.send("more", taskId=task["id"]))
    assert state(it.task(it.call("cancel", {"id": task["id"]}))) == "CANCELED"


def streams_tell_everything(it):
    events = [it.task(event) for event in it.call("stream", {"message": it.message("files")}, stream=True)]
    names = [next(iter(event)) if it.name != "0.3 JSON-RPC" else event["kind"] for event in events]
    if it.name == "0.3 JSON-RPC":
        assert names == ["task", "status-update"] + ["artifact-update"] * 4 + ["status-update"], names
        updates, end = events[2:6], events[-1]
    else:
        assert names[1:] == ["statusUpdate"] + ["artifactUpdate"] * 4 + ["statusUpdate"], names
        updates, end = [event["artifactUpdate"] for event in events[2:6]], events[-1]["statusUpdate"]
    assert [(one.get("append", False), one.get("lastChunk", False)) for one in updates] == \
        [(False, False), (True, False), (True, True), (False, True)], updates
    assert state(end) == "COMPLETED" and end.get("final") == (None if it.version else True), end


# --- JSON-RPC alone ---

def reads_envelopes(address):
    it = Rpc03(address)
    table = [("{", -32700), ("[]", -32600), ("4", -32600), ('{"jsonrpc":"aaa","id":1,"method":"tasks/get"}', -32600),
             ('{"jsonrpc":"2.0","id":1}', -32600), ('{"jsonrpc":"2.0","id":{},"method":"tasks/get"}', -32600),
             ('{"jsonrpc":"2.0","id":1,"method":"tasks/none"}', -32601), ('{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":{"":1}}', -32602),
             ('{"jsonrpc":"2.0","id":1,"method":"tasks/get","params":[]}', -32602), ('{"jsonrpc":"2.0","id":1,"method":"GetTasks"}', -32601),
             ('{"jsonrpc":"2.0","method":"tasks/get","params":{"id":"x"}}', -32001)]
    for text, code in table:
        for path in ("/a2a/worker", "/a2a/worker/", "/a2a", "/a2a/"):
            answer = it.request("POST", path, text)
            body = json.loads(answer.text)
            assert (answer.status, body["error"]["code"]) == (200, code), (text, answer.text)
            assert "id" in body, body


def tells_versions_apart_by_method(address):
    body = {"jsonrpc": "2.0", "id": 7, "method": "GetTask", "params": {"id": "x"}}
    for version, code in ((None, -32001), ("", -32001), ("1.0", -32001), ("1.0.1", -32001), ("0.3", -32009), ("7", -32009)):
        answer = json.loads(Rpc10(address).request("POST", "/a2a/worker", body, {"A2A-Version": version}).text)
        assert answer["error"]["code"] == code, (version, answer)
    answer = Rpc10(address).request("POST", "/a2a/worker?A2A-Version=9", body, {"A2A-Version": None})
    assert json.loads(answer.text)["error"]["code"] == -32009
    body["method"] = "tasks/get"
    for version, code in ((None, -32001), ("", -32001), ("0.3", -32001), ("0.3.0", -32001), ("1.0", -32601), ("0.2", -32009)):
        answer = json.loads(Rpc03(address).request("POST", "/a2a/worker", body, {"A2A-Version": version}).text)
        assert answer["error"]["code"] == code and ("data" in answer["error"]) == (version in ("1.0", "0.2")), (version, answer)


# --- HTTP alone ---

def negotiates_media_types(address):
    it = Http10(address)
    own = "application/a2a+json"
    for headers, found in (({}, "application/json"), ({"Accept": own}, own), ({"Accept": f"{own}, application/json"}, own),
                           ({"Content-Type": own}, own), ({"Accept": "*/*"}, "application/json")):
        answer = it.request("POST", "/a2a/worker/message:send", {"message": it.message("echo")}, headers)
        assert answer.status == 200 and answer.headers["Content-Type"] == found, (headers, answer.headers)
    old = Http03(address).request("POST", "/a2a/worker/v1/message:send", {"message": it.message("echo")}, {"Accept": own})
    assert old.headers["Content-Type"] == "application/json"


def finds_addresses(address):
    it = Http10(address)
    task = it.send("wait", configuration={"returnImmediately": True})
    for method, path, status in (
            ("GET", f"/a2a/tasks/{task['id']}", 200), ("GET", f"/a2a/worker/tasks/{task['id']}?historyLength=0", 200),
            ("GET", f"/a2a/worker/tasks/{task['id']}?historyLength=x", 400), ("GET", "/a2a/worker/tasks/%zz", 400),
            ("GET", f"/a2a/picky/tasks/{task['id']}", 400), ("PUT", f"/a2a/worker/tasks/{task['id']}", 404), ("GET", "/a2a/worker", 405),
            ("GET", "/a2a/nobody", 404), ("POST", "/a2a/nobody/message:send", 404), ("GET", "/a2a/worker/a/b/c", 404),
            ("GET", "/a2abc", 404), ("POST", "/.well-known/agent-card.json", 405), ("GET", "/a2a/worker//tasks", 404),
            ("POST", f"/a2a/worker/tasks/{task['id']}:cancel", 200), ("POST", f"/a2a/worker/tasks/{task['id']}:cancel", 400)):
        answer = it.request(method, path)
        assert answer.status == status, (method, path, answer.status, answer.text)
        json.loads(answer.text)


def subscribes_by_get(address):
    for it in (Http10(address), Http03(address)):
        asked = it.send("ask", configuration={"blocking": True})
        stream = Stream(it, it.connect("GET", f"/a2a/worker{it.prefix(None)}/tasks/{asked['id']}:subscribe"))
        first = stream.next()
        assert state(first["task"]) == "INPUT_REQUIRED", first
        it.send("yes", taskId=asked["id"])
        events = stream.rest()
        assert state(events[-1]["statusUpdate"]) == "COMPLETED", events


# --- lists ---

def lists_in_pages(address):
    for it in (Rpc10(address), Http10(address)):
        name = "pages " + it.name
        for text in ("echo", "no", "reject", "artifact"):
            it.send(text, contextId=name)
        table = [({"pageSize": 0}, "pageSize"), ({"pageSize": 101}, "pageSize"), ({"pageSize": "x"}, "pageSize"), ({"pageToken": "x"}, "pageToken"),
                 ({"status": "busy"}, "status"), ({"status": "9"}, "status"), ({"statusTimestampAfter": "yesterday"}, "statusTimestampAfter"),
                 ({"statusTimestampAfter": "2020-01-01T00:00:00"}, "statusTimestampAfter"), ({"historyLength": -1}, "historyLength"),
                 ({"includeArtifacts": "perhaps"}, "includeArtifacts")]
        for wish, words in table:
            refused("INVALID_PARAMS", lambda: it.call("list", wish), words)
        page = it.call("list", {"contextId": name, "pageSize": 3})
        assert page.keys() == {"tasks", "nextPageToken", "pageSize", "totalSize"}, page
        assert (len(page["tasks"]), page["pageSize"], page["totalSize"]) == (3, 3, 4) and page["nextPageToken"], page
        assert all("artifacts" not in task for task in page["tasks"]), page
        rest = it.call("list", {"contextId": name, "pageSize": 3, "pageToken": page["nextPageToken"], "includeArtifacts": True, "historyLength": 1})
        assert (len(rest["tasks"]), rest["nextPageToken"], len(rest["tasks"][0]["history"])) == (1, "", 1), rest
        assert len(rest["tasks"][0]["artifacts"]) == 1, rest
        refused("INVALID_PARAMS", lambda: it.call("list", {"tenant": "them", "pageToken": page["nextPageToken"]}))
        for wanted, total in (("TASK_STATE_FAILED", 1), ("TASK_STATE_REJECTED", 1), ("TASK_STATE_COMPLETED", 2), ("TASK_STATE_WORKING", 0),
                              (3, 2), ("3", 2), (0, 4), ("7", 1), ("TASK_STATE_UNSPECIFIED", 4)):
            assert it.call("list", {"contextId": name, "status": wanted})["totalSize"] == total, wanted
        newest = page["tasks"][0]["status"]["timestamp"]
        assert it.call("list", {"contextId": name, "statusTimestampAfter": newest})["totalSize"] >= 1
        assert it.call("list", {"contextId": name, "statusTimestampAfter": "2020-01-01T00:00:00+00:00"})["totalSize"] == 4
        between = newest.replace("Z", "0001Z")
        assert newest not in [task["status"]["timestamp"] for task in it.call("list", {"contextId": name, "statusTimestampAfter": between})["tasks"]]
        assert it.call("list", {"contextId": name, "statusTimestampAfter": "2999-01-01T00:00:00Z"})["totalSize"] == 0


def lists_by_the_last_change(address):
    for it in (Rpc10(address), Http10(address)):
        name = "changes " + it.name
        asked = it.send("ask", contextId=name)
        it.call("cancel", {"id": asked["id"]})
        first = it.send("name", contextId=name)
        others = [it.send("echo", contextId=name + " other") for _ in range(2)]
        assert [state(task) for task in others] == ["COMPLETED"] * 2
        it.send("Ann", taskId=first["id"])
        newest = it.call("list", {"pageSize": 1})["tasks"][0]
        assert newest["id"] == first["id"], "a task comes first again when it changes"
        stamps = [task["status"]["timestamp"] for task in it.call("list", {"pageSize": 100})["tasks"]]
        assert stamps == sorted(stamps, reverse=True), stamps


EACH = [refuses_tasks, refuses_foreign_tasks, keeps_tenants_apart, refuses_wrong_contexts, refuses_malformed_messages,
        refuses_what_is_not_there, refuses_versions_and_types, requires_extensions, takes_snake_case, answers_each_question_once,
        refuses_messages_to_the_busy, streams_tell_everything, keeps_push_configurations, pages_push_configurations,
        refuses_push_configurations] + behaviours.EACH + inputs.EACH
ONCE = [reads_envelopes, tells_versions_apart_by_method, negotiates_media_types, finds_addresses, subscribes_by_get, lists_in_pages,
        lists_by_the_last_change] + inputs.ONCE + cards.ONCE


def load_schema():
    folder = os.environ.get("AGENTBRIDGE_TEST_DATA")
    try:
        import jsonschema
        with open(os.path.join(folder or "", "a2a-schema", "0.3.json"), encoding="utf-8") as file:
            schema = json.load(file)
    except (ImportError, OSError):
        print("messages are not checked against the published schema: AGENTBRIDGE_TEST_DATA or python3-jsonschema is missing")
        return None
    return jsonschema, schema


def check_one(loaded, name, value):
    jsonschema, schema = loaded
    errors = list(jsonschema.Draft7Validator({"definitions": schema["definitions"], "$ref": f"#/definitions/{name}"}).iter_errors(value))
    assert not errors, f"{name}: {errors[0].message}: {json.dumps(value)}"


def check_schema(loaded, messages, address):
    """Messages of 0.3 as the published schema has them: results by their kind, errors, the events of streams; and cards."""
    kinds = {"task": "Task", "message": "Message", "status-update": "TaskStatusUpdateEvent", "artifact-update": "TaskArtifactUpdateEvent"}
    for message in messages:
        value = message if "error" in message else message["result"]
        if isinstance(value, list):
            for config in value:
                check_one(loaded, "TaskPushNotificationConfig", config)
        elif value is not None:  # of a configuration that was deleted
            check_one(loaded, "JSONRPCErrorResponse" if "error" in message else
                      "TaskPushNotificationConfig" if "pushNotificationConfig" in value else kinds[value["kind"]], value)
    for agent in ("worker", "picky", "narrow"):
        card = Rpc03(address).request("GET", f"/a2a/{agent}/.well-known/agent-card.json")
        check_one(loaded, "AgentCard", json.loads(card.text))


def check_shapes():
    """All that was answered in 1.0, and in 0.3 over HTTP+JSON."""
    for kind, known in ((Rpc10, shapes.V1_0), (Http10, shapes.V1_0), (Http03, shapes.V0_3)):
        results = [message["result"] if kind is Rpc10 else message for message in kind.seen if "error" not in message]
        assert results, "nothing was seen"
        for result in results:
            shapes.check_result(result, known)


def run(address):
    """The tests by name, those together that go together: one after the other has too much waiting in it."""
    for kind in ALL:
        kind.seen = []
    for test in EACH:
        yield [(f"{test.__name__} {kind.name}", lambda kind=kind: test(kind(address))) for kind in ALL]
    for test in ONCE:
        yield [(test.__name__, lambda: test(address))]
    yield [("has_its_shape", check_shapes)]
    loaded = load_schema()
    if loaded:
        yield [("fits_the_schema", lambda: check_schema(loaded, Rpc03.seen, address))]


def main(wanted):
    """All tests, or those whose names hold one of these words."""
    passed = failed = 0
    with Bridge(os.path.join(HERE, "bridge.jsonc")) as bridge, ThreadPoolExecutor(len(ALL)) as pool:
        for together in run(bridge.address):
            started = [(name, pool.submit(action)) for name, action in together if not wanted or any(word in name for word in wanted)]
            for name, test in started:
                error = test.exception()
                passed += error is None
                failed += error is not None
                if error:
                    print(f"FAILED {name}: {''.join(traceback.format_exception(error))}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
