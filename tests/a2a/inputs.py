"""What a request may say and how: names in either spelling, what is left out, what is too much, versions, media types,
tenants, addresses, and the error of each thing that is wrong."""
import json
import urllib.parse

from behaviours import does, kind_of, parts_of, scenario
from bindings import Http03, Http10, Rpc03, Rpc10, refused, state

HOOK = "https://hooks.example.com/in?x=1"


def error_of(answer):
    """The error of an answer that is one, in whichever form."""
    body = json.loads(answer.text)
    return body.get("error", body)


# --- names ---

def snake(value):
    """The same request with names as the proto has them."""
    if isinstance(value, list):
        return [snake(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {"".join("_" + c.lower() if c.isupper() else c for c in key): item if key in ("data", "metadata") else snake(item)
            for key, item in value.items()}


def snaked(it, operation, params):
    verb, path, body = it.asked(operation, params)
    return it.read(it.request(verb, path, snake(body)))


def takes_names_of_the_proto(it):
    """Each parameter in snake_case, too, and a camelCase name of what the caller's own data holds is left alone."""
    it = scenario(it)
    push = {"id": "mine", "url": HOOK}
    file = {"raw": "AAEC", "mediaType": "image/png"} if it.version else \
        {"file": {"fileWithBytes": "AAEC", "mimeType": "image/png"}} if it.name == "0.3 HTTP+JSON" else \
        {"kind": "file", "file": {"bytes": "AAEC", "mimeType": "image/png"}}
    name = "taskPushNotificationConfig" if it.version else "pushNotificationConfig" if hasattr(it, "methods") else "pushNotification"
    wish = {"message": {**it.message([{"text": "a"}], messageId="mirror", contextId="snake " + it.name, referenceTaskIds=["4711"],
                                     metadata={"leaveThis": 1}), },
            "configuration": {"acceptedOutputModes": ["text/plain"], "historyLength": 1, name: push, **({} if it.version else {"blocking": True})}}
    wish["message"][it.parts_key].append(file)
    _, task = kind_of(it.call("send", snake(wish)))
    assert state(task) == "COMPLETED" and task["contextId"] == "snake " + it.name and len(task["history"]) == 1, task
    got = json.loads(parts_of(it, task["artifacts"][0])[0]["text"])
    assert got["message"]["parts"][1] == {"raw": "AAEC", "media_type": "image/png"}, got
    assert got["message"]["reference_task_ids"] == ["4711"] and got["message"]["metadata"] == {"leaveThis": 1}, got
    assert got["options"]["accepted_output_modes"] == ["text/plain"], got
    config = snaked(it, "push_get", it.push("push_get", task["id"], "mine"))
    assert (config.get("pushNotificationConfig") or config)["url"] == HOOK, config
    made = snaked(it, "push", it.push("push", task["id"], {"id": "other", "url": HOOK}))
    assert (made.get("pushNotificationConfig") or made)["id"] == "other", made
    asked = kind_of(it.call("send", snake({**does(it, "input-required"), "configuration": {"blocking": True}})))[1]
    assert state(kind_of(it.call("send", snake({**does(it, "x", "that", taskId=asked["id"]), "configuration": {"blocking": True}})))[1]) == "COMPLETED"
    now = kind_of(it.call("send", snake({**does(it, "wait"), "configuration": it.later()})))[1]
    assert state(now) in ("SUBMITTED", "WORKING"), now
    it.call("cancel", {"id": now["id"]})


def takes_names_of_the_proto_in_lists(address):
    for it in (Rpc10(address, "scenario"), Http10(address, "scenario"), Http03(address, "scenario")):
        for _ in range(3):
            it.call("send", {**does(it, "complete-task", contextId="lists " + it.name), "configuration": {"blocking": True}})
        wish = {"contextId": "lists " + it.name, "pageSize": 2, "historyLength": 1, "includeArtifacts": True, "statusTimestampAfter": "2020-01-01T00:00:00Z"}
        page = it.call("list", snake(wish))
        assert (len(page["tasks"]), page["totalSize"]) == (2, 3) and "artifacts" in page["tasks"][0] and "history" in page["tasks"][0], page
        page = it.call("list", snake({**wish, "pageToken": page["nextPageToken"]}))
        assert (len(page["tasks"]), page["nextPageToken"]) == (1, ""), page


def leaves_unknown_names_alone(it):
    it = scenario(it)
    wish = does(it, "complete-task", surprise={"a": [1]})
    wish["message"][it.parts_key][0]["surprise"] = 1
    wish["surprise"] = wish["configuration"] = {"surprise": None, "blocking": True}
    _, task = kind_of(it.call("send", wish))
    assert state(task) == "COMPLETED" and "surprise" not in json.dumps(task), task
    assert it.call("get", {"id": task["id"], "surprise": "x"})["id"] == task["id"]
    assert it.call("push", {**it.push("push", task["id"], {"url": HOOK, "surprise": 1}), "surprise": 1})


def takes_what_proto_json_takes(it):
    """null is the same as nothing, numbers and flags may be texts, an empty text is none, roles may be numbers."""
    it = scenario(it)
    wish = does(it, "complete-task", contextId="", taskId="", metadata=None, extensions=None, referenceTaskIds=None)
    wish.update(metadata=None, tenant="", configuration={"historyLength": "1", "blocking": "true", "acceptedOutputModes": None})
    _, task = kind_of(it.call("send", wish))
    assert state(task) == "COMPLETED" and len(task["history"]) == 1, task
    if it.name != "0.3 JSON-RPC":
        wish["message"]["role"] = 1
        assert state(kind_of(it.call("send", wish))[1]) == "COMPLETED"
    del wish["message"]["role"]
    refused("INVALID_PARAMS", lambda: it.call("send", wish), "role")
    assert state(kind_of(it.call("send", {**does(it, "complete-task"), "configuration": None if it.name != "0.3 HTTP+JSON" else {"blocking": True}}))[1]) == \
        "COMPLETED"


# --- history ---

def counts_history(it):
    it = scenario(it)
    _, task = kind_of(it.call("send", {**does(it, "input-required"), "configuration": {"blocking": True}}))
    it.call("send", {"message": it.message("that", taskId=task["id"]), "configuration": {"blocking": True}})
    everything = it.call("get", {"id": task["id"]})["history"]
    assert len(everything) == 3, everything
    for length, found in ((1, everything[-1:]), (2, everything[-2:]), (3, everything), (99, everything), (0, None)):
        assert it.call("get", {"id": task["id"], "historyLength": length}).get("history") == found, length
        sent = {**does(it, "complete-task"), "configuration": {"historyLength": length, "blocking": True}}
        expected = 1 if length > 0 or it.name == "0.3 HTTP+JSON" else 0  # that proto says of a send's 0: unlimited
        for got in (it.call("send", sent), it.call("stream", sent, stream=True)[0]):
            assert len(kind_of(got)[1].get("history", [])) == expected, (length, got)
    for length in (-1, "-1", 1.5, "many", [1], True):
        refused("INVALID_PARAMS", lambda: it.call("get", {"id": task["id"], "historyLength": length}), "historyLength")
        refused("INVALID_PARAMS", lambda: it.call("send", {**does(it, "complete-task"), "configuration": {"historyLength": length}}), "historyLength")


# --- messages ---

def refuses_media_types_that_the_card_does_not_name(it):
    """This agent's card says text/plain and image/*, one of its skills application/pdf; what says nothing of its type is taken."""
    it = type(it)(it.address, "narrow")

    def part(media_type):
        if it.version:
            return {"raw": "AAEC", "mediaType": media_type}
        file = {"bytes": "AAEC", "fileWithBytes": "AAEC", "mimeType": media_type}
        del file["fileWithBytes" if it.name == "0.3 JSON-RPC" else "bytes"]
        return {"file": file} if it.name == "0.3 HTTP+JSON" else {"kind": "file", "file": file}

    for media_type in ("audio/wav", "text/html", "application/json", "image", "imagex/png"):
        message = {**it.message("a"), it.parts_key: [it.part({"text": "a"}), part(media_type)]}
        for operation in ("send", "stream"):
            refused("CONTENT_TYPE_NOT_SUPPORTED", lambda: it.call(operation, {"message": message}), f"parts[1] is {media_type}")
    good = [part(media_type) for media_type in ("text/plain", "Text/Plain; charset=utf-8", "image/png", "IMAGE/gif", "application/pdf", "")]
    message = {**it.message("a"), it.parts_key: [it.part({"text": "a"}), *good]}
    assert state(kind_of(it.call("send", {"message": message, "configuration": {"blocking": True}}))[1]) == "COMPLETED"


def makes_a_new_task_each_time(it):
    """The same message again is another task: a message's id is its sender's own business."""
    it = scenario(it)
    tasks = [kind_of(it.call("send", {**does(it, "complete-task-again", contextId="same " + it.name), "configuration": {"blocking": True}}))[1] for _ in range(3)]
    assert len({task["id"] for task in tasks}) == 3 and {task["contextId"] for task in tasks} == {"same " + it.name}, tasks
    alone = [kind_of(it.call("send", does(it, "complete-task")))[1] for _ in range(2)]
    assert alone[0]["contextId"] and alone[0]["contextId"] != alone[1]["contextId"], "a context of its own where none is named"


def refuses_parts(it):
    good = it.part({"text": "a"})
    if it.version:
        table = [{"text": "a", "raw": "AAEC"}, {"text": "a", "data": {}}, {"url": "https://example.com", "data": None}, {}, {"metadata": {}}, {"kind": "text"},
                 {"video": "b"}, {"raw": "AA*C"}, {"raw": "AAECA"}, {"raw": 4}, {"text": {}}, {"url": []}, {"text": "a", "mediaType": 4},
                 {"text": "a", "filename": {}}, {"text": "a", "metadata": []}, {"file": {"uri": "https://example.com"}}]
    else:
        table = [{"kind": "video", "text": "a"}, {"type": "video", "text": "a"}, {"kind": "text"}, {"kind": "text", "data": {}}, {"kind": "file", "text": "a"},
                 {"text": "a", "data": {}}, {"text": "a", "file": {"uri": "x"}}, {"kind": "file", "file": {}}, {"kind": "file", "file": "x"},
                 {"kind": "file", "file": {"bytes": "AAEC", "uri": "x"}}, {"kind": "file", "file": {"bytes": "A"}}, {"kind": "file", "file": {"bytes": 4}},
                 {"kind": "file", "file": {"uri": 4}}, {"kind": "data"}, {"kind": "text", "text": 4}, {"text": "a", "metadata": []}, {}]
    for part in [*table, "a", 4, None, []]:
        refused("INVALID_PARAMS", lambda: it.call("send", {"message": {**it.message([]), it.parts_key: [good, part]}}), "parts[1]")
    for parts in ([], {}, "a", None):
        refused("INVALID_PARAMS", lambda: it.call("send", {"message": {**it.message([]), it.parts_key: parts}}), "message.parts")


def takes_parts(it):
    """In every form that clients of this version send; bytes reach the agent in one alphabet."""
    it = scenario(it)
    if it.version:
        table = [({"text": ""}, {"text": ""}), ({"raw": ""}, {"raw": ""}), ({"raw": "-_8="}, {"raw": "+/8="}), ({"raw": "-_8"}, {"raw": "+/8="}),
                 ({"raw": "+/8="}, {"raw": "+/8="}), ({"data": None}, {"data": None}), ({"data": 4}, {"data": 4}), ({"data": [1, {}]}, {"data": [1, {}]}),
                 ({"url": "https://example.com/a", "filename": "a", "mediaType": "text/plain"},
                  {"url": "https://example.com/a", "media_type": "text/plain", "filename": "a"}),
                 ({"text": "a", "mediaType": "", "filename": "", "metadata": None}, {"text": "a"})]
    else:
        table = [({"kind": "text", "text": "a"}, {"text": "a"}), ({"text": "a"}, {"text": "a"}), ({"type": "text", "text": "a"}, {"text": "a"}),
                 ({"kind": "file", "file": {"bytes": "-_8", "name": "a", "mimeType": "x/y"}}, {"raw": "+/8=", "media_type": "x/y", "filename": "a"}),
                 ({"file": {"fileWithUri": "https://example.com/a"}}, {"url": "https://example.com/a"}),
                 ({"file": {"fileWithBytes": "AAEC"}}, {"raw": "AAEC"}), ({"kind": "file", "file": {"url": "https://example.com/a"}}, {"url": "https://example.com/a"}),
                 ({"kind": "data", "data": {"data": {"a": 1}}}, {"data": {"data": {"a": 1}}}), ({"kind": "data", "data": [{"a": 1}]}, {"data": [{"a": 1}]}),
                 ({"data": {"data": {"a": 1}}}, {"data": {"a": 1}}),
                 ({"kind": "data", "data": {"value": 4}, "metadata": {"data_part_compat": True, "b": 1}}, {"data": 4, "metadata": {"b": 1}})]
    message = {**it.message([], messageId="mirror"), it.parts_key: [sent for sent, _ in table]}
    _, task = kind_of(it.call("send", {"message": message, "configuration": {"blocking": True}}))
    got = json.loads(parts_of(it, task["artifacts"][0])[0]["text"])["message"]["parts"]
    assert got == [expected for _, expected in table], got


def refuses_misshapen_members(it):
    good = it.message("x")
    for name, wrong, words in (("extensions", "x", "message.extensions"), ("extensions", [4], "message.extensions"), ("referenceTaskIds", [None], "referenceTaskIds"),
                               ("referenceTaskIds", {}, "referenceTaskIds"), ("metadata", "x", "message.metadata"), ("contextId", 4, "contextId"),
                               ("taskId", {}, "taskId"), ("messageId", [], "messageId"), ("role", "ROLE_UNSPECIFIED", "role"), ("role", "ROLE_AGENT", "role")):
        refused("INVALID_PARAMS", lambda: it.call("send", {"message": {**good, name: wrong}}), words)
    for wish, words in (({"metadata": []}, "metadata"), ({"configuration": []}, "configuration"), ({"configuration": {"acceptedOutputModes": "text"}}, "acceptedOutputModes"),
                        ({"configuration": {"acceptedOutputModes": [1]}}, "acceptedOutputModes"), ({"tenant": 4}, "tenant"), ({"tenant": "x" * 300}, "tenant")):
        if "tenant" in wish and not hasattr(it, "methods"):
            continue  # it stands in the path there
        refused("INVALID_PARAMS", lambda: it.call("send", {"message": good, **wish}), words)
    refused("INVALID_PARAMS", lambda: it.call("send", {"message": {**good, "messageId": "a\0b"}}), "U+0000")
    for operation, wish in (("get", {"id": ""}), ("cancel", {"id": 4}), ("subscribe", {})) if hasattr(it, "methods") else ():
        refused("INVALID_PARAMS", lambda: it.call(operation, wish), "id")


# --- tenants ---

def a_tenant_stands_in_front_of_every_path(address):
    """Each method below a tenant; the tenant of the path is the one that counts."""
    for it in (Http10(address, "scenario"), Http03(address, "scenario")):
        tenant = "the tenant " + it.name[:3]
        base = f"/a2a/scenario/{urllib.parse.quote(tenant)}{'' if it.version else '/v1'}"
        sent = {**does(it, "input-required"), "tenant": "another", "configuration": {"blocking": True}}
        task = json.loads(it.request("POST", base + "/message:send", sent).text)["task"]["id"]
        assert it.request("POST", base + "/message:stream", does(it, "complete-task")).events()
        assert json.loads(it.request("GET", f"{base}/tasks").text)["totalSize"] == 2
        for verb, path, body, status in (
                ("GET", f"/tasks/{task}?tenant=another", None, 200), ("POST", f"/tasks/{task}/pushNotificationConfigs", inner_push(it, {"id": "a", "url": HOOK}), 200),
                ("GET", f"/tasks/{task}/pushNotificationConfigs", None, 200), ("GET", f"/tasks/{task}/pushNotificationConfigs/a", None, 200),
                ("DELETE", f"/tasks/{task}/pushNotificationConfigs/a", None, 200), ("GET", "/extendedAgentCard" if it.version else "/card", None, 400),
                ("POST", f"/tasks/{task}:cancel", {"tenant": "another"}, 200), ("POST", f"/tasks/{task}:subscribe", None, 400), ("GET", f"/tasks/{task}:subscribe", None, 400)):
            answer = it.request(verb, base + path, body)
            assert answer.status == status, (verb, path, answer.status, answer.text)
        for other in (base.replace(urllib.parse.quote(tenant), "another"), base.replace("/" + urllib.parse.quote(tenant), "")):
            assert it.request("GET", f"{other}/tasks/{task}").status == 404, other
        same = Rpc10(address, "scenario").call("get", {"tenant": tenant, "id": task})
        assert same["id"] == task, "it is the same one that stands in the parameters of JSON-RPC"
    v1 = Http10(address, "scenario")
    task = json.loads(v1.request("POST", "/a2a/scenario/v1/message:send", does(v1, "complete-task")).text)["task"]["id"]
    assert v1.call("get", {"tenant": "v1", "id": task})["id"] == task, "with the header of 1.0, v1 is a tenant like any other"


def inner_push(it, config):
    return config if it.version else {"pushNotificationConfig": config}


# --- versions ---

def reads_the_version_of_a_request(address):
    """By header or query, patch digits aside; what is not spoken here is refused in the form of the binding."""
    for it, path, error in ((Rpc10(address), "", (200, -32009)), (Http10(address), "/tasks/none", (400, 400)), (Http03(address), "/v1/tasks/none", (400, -32009))):
        body = {"jsonrpc": "2.0", "id": 7, "method": "GetTask", "params": {"id": "none"}} if hasattr(it, "methods") else None
        verb = "POST" if body else "GET"
        for version in ("2.0", "0.4", "1", "1.1", "one", "1.0x", "01.0", "1.0, 0.3"):
            for headers, query in (({"A2A-Version": version}, ""), ({"A2A-Version": None}, "?A2A-Version=" + urllib.parse.quote(version)),
                                   ({"A2A-Version": ""}, "?A2A-Version=" + urllib.parse.quote(version))):
                answer = it.request(verb, f"/a2a/worker{path}{query}", body, headers)
                assert (answer.status, error_of(answer)["code"]) == error, (version, answer.status, answer.text)
                assert "1.0 or 0.3" in error_of(answer)["message"], answer.text
        for headers, query in (({"A2A-Version": it.version or "0.3"}, ""), ({"A2A-Version": None}, f"?A2A-Version={it.version or '0.3'}"), ({"A2A-Version": None}, ""),
                               ({"A2A-Version": ""}, ""), ({"A2A-Version": (it.version or "0.3") + ".7"}, ""), ({"A2A-Version": f" {it.version or '0.3'} "}, "")):
            answer = it.request(verb, f"/a2a/worker{path}{query}", body, headers)
            assert "no task" in error_of(answer)["message"], (headers, query, answer.text)
    assert Http10(address).request("GET", "/a2a/worker/tasks/none", headers={"A2A-Version": "0.3"}).status == 400
    assert Http10(address).request("GET", "/a2a/worker/v1/tasks/none", headers={"A2A-Version": "1.0"}).status == 404


# --- media types ---

def takes_json_only(it):
    verb, path, body = it.asked("send", {"message": it.message("echo")})
    for kind in ("text/plain", "application/xml", "application/jsonx", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"):
        for text in (json.dumps(body), "no JSON at all"):
            refused("CONTENT_TYPE_NOT_SUPPORTED", lambda: it.read(it.request(verb, path, text, {"Content-Type": kind})), kind.split(";")[0])
    for kind in ("application/json", "application/json; charset=utf-8", "Application/JSON", "application/a2a+json", None):
        answer = it.request(verb, path, json.dumps(body), {"Content-Type": kind})
        assert answer.status == 200, (kind, answer.text)


def answers_in_the_media_type_that_is_named(address):
    own = "application/a2a+json"
    it = Http10(address)
    for verb, path, status in (("GET", "/tasks/none", 404), ("GET", "/tasks?pageSize=1", 200), ("POST", "/message:send", 400)):
        for headers, found in (({"Accept": own}, own), ({"Accept": f"{own};q=0, */*"}, "application/json"), ({"Accept": "application/json"}, "application/json"),
                               ({"Accept": f"text/html, {own};q=0.5"}, own), ({"Content-Type": own + "; charset=utf-8"}, own)):
            answer = it.request(verb, "/a2a/worker" + path, "{}" if verb == "POST" else None, headers)
            assert (answer.status, answer.headers["Content-Type"]) == (status, found), (path, headers, answer.status, answer.headers)
    rpc = Rpc10(address).request("POST", "/a2a/worker", {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {}}, {"Accept": own})
    assert rpc.headers["Content-Type"] == "application/json", rpc.headers
    stream = it.request("POST", "/a2a/worker/message:stream", {"message": it.message("echo")}, {"Accept": own})
    assert stream.headers["Content-Type"] == "text/event-stream" and stream.headers["X-Accel-Buffering"] == "no", stream.headers


# --- errors ---

def refuses_in_the_form_of_the_binding(address):
    """One error of each kind, word for word but for the sentence."""
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "TASK_NOT_FOUND", "domain": "a2a-protocol.org", "metadata": {"taskId": "none"}}
    field = {"@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"field": "message.parts", "description": "<sentence>"}]}
    wrong = {**info, "reason": "INVALID_PARAMS"}
    del wrong["metadata"]
    table = [
        (Rpc10, "get", {"id": "none"}, 200, {"jsonrpc": "2.0", "id": 7, "error": {"code": -32001, "message": "<sentence>", "data": [info]}}),
        (Rpc03, "get", {"id": "none"}, 200, {"jsonrpc": "2.0", "id": 7, "error": {"code": -32001, "message": "<sentence>"}}),
        (Http10, "get", {"id": "none"}, 404, {"error": {"code": 404, "status": "NOT_FOUND", "message": "<sentence>", "details": [info]}}),
        (Http03, "get", {"id": "none"}, 404, {"code": -32001, "type": "TaskNotFoundError", "message": "<sentence>"}),
        (Rpc10, "send", None, 200, {"jsonrpc": "2.0", "id": 7, "error": {"code": -32602, "message": "<sentence>", "data": [wrong, field]}}),
        (Rpc03, "send", None, 200, {"jsonrpc": "2.0", "id": 7, "error": {"code": -32602, "message": "<sentence>"}}),
        (Http10, "send", None, 400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "<sentence>", "details": [wrong, field]}}),
        (Http03, "send", None, 400, {"code": -32602, "type": "InvalidParamsError", "message": "<sentence>"}),
    ]
    for kind, operation, wish, status, expected in table:
        it = kind(address)
        answer = it.request(*it.asked(operation, wish or {"message": {**it.message("x"), it.parts_key: []}}))
        found = json.loads(answer.text)
        sentence = (found.get("error") or found)["message"]
        assert answer.status == status and json.loads(json.dumps(expected).replace("<sentence>", sentence.replace('"', '\\"'))) == found, (answer.status, found)
        assert answer.headers["Content-Type"] == "application/json" and len(sentence) > 10, (answer.headers, sentence)


def refuses_streams_of_old_clients_as_streams(address):
    """The clients of 0.3 take nothing but a stream where they asked for one; those of 1.0 look at the type first."""
    for operation, wish, code in (("subscribe", {"id": "none"}, -32001), ("stream", {"message": {}}, -32602), ("subscribe", {}, -32602)):
        it, new = Rpc03(address), Rpc10(address)
        for accept in ("text/event-stream", "*/*", "text/event-stream, */*;q=0.1"):
            answer = it.request(*it.asked(operation, wish), {"Accept": accept})
            assert answer.headers["Content-Type"] == "text/event-stream", answer.headers
            assert "event:" not in answer.text, "they read the data of events without a name"
            event, = answer.events()
            assert (event["id"], event["error"]["code"]) == (7, code), event
        for asked, accept in ((it, "application/json, text/event-stream"), (it, "application/json"), (it, "text/html"), (it, None), (new, "text/event-stream"), (new, None)):
            answer = asked.request(*asked.asked(operation, wish), {"Accept": accept})
            assert answer.headers["Content-Type"] == "application/json" and json.loads(answer.text)["error"]["code"] == code, (accept, answer.text)
    assert it.request(*it.asked("get", {"id": "none"}), {"Accept": "text/event-stream"}).headers["Content-Type"] == "application/json"


def takes_no_batches(address):
    one = {"jsonrpc": "2.0", "id": 1, "method": "GetTask", "params": {"id": "x"}}
    for batch in ([one], [one, one], [1], []):
        for it in (Rpc10(address), Rpc03(address)):
            answer = json.loads(it.request("POST", "/a2a/worker", batch).text)
            assert answer["error"]["code"] == -32600 and answer["id"] is None, answer


def gives_ids_back(address):
    for number in ("7", '"seven"', "-1", "0", '""', "12345678901234567890", '"\\u00e9"', "1.0"):
        text = f'{{"jsonrpc":"2.0","id":{number},"method":"GetTask","params":{{"id":"x"}}}}'
        answer = Rpc10(address).request("POST", "/a2a/worker", text).text
        assert f'"id":{number}' in answer, (number, answer)
    for number in ("null", "1.5", "true", "[]", "{}"):
        text = f'{{"jsonrpc":"2.0","id":{number},"method":"GetTask","params":{{"id":"x"}}}}'
        answer = json.loads(Rpc10(address).request("POST", "/a2a/worker", text).text)
        assert answer["error"]["code"] == -32600 and answer["id"] is None, (number, answer)


# --- addresses ---

def reads_encoded_ids(it):
    it = scenario(it)
    task = it.send("x", messageId="complete-task", configuration={"blocking": True})["id"]
    for name in ("a/b", "a b", "50%", "ü:é", "a:b", "urn:x:1", "a?b#c", "..", "x:cancel"):
        made = it.call("push", it.push("push", task, {"id": name, "url": HOOK}))
        assert (made.get("pushNotificationConfig") or made)["id"] == name, made
        got = it.call("push_get", it.push("push_get", task, name))
        assert (got.get("pushNotificationConfig") or got)["id"] == name, got
        assert it.call("push_delete", it.push("push_delete", task, name)) in (None, {})
        refused("TASK_NOT_FOUND", lambda: it.call("push_get", it.push("push_get", task, name)), "no push")
    for operation in ("get", "cancel", "subscribe"):
        for name in ("a/b", "a:b", "%", "..", "pushNotificationConfigs"):
            refused("TASK_NOT_FOUND", lambda: it.call(operation, {"id": name}), "no task")


def cancels_with_any_body_or_none(address):
    for it in (Http10(address, "scenario"), Http03(address, "scenario")):
        for body, kind in ((None, "application/json"), (None, None), (None, "text/plain"), ("", "application/json"), ("null", "application/json"), ("{}", "application/json"),
                           ('{"metadata":{"why":1},"surprise":2}', "application/json")):
            task = it.send("x", messageId="wait", configuration=it.later())["id"]
            answer = it.request("POST", f"/a2a/scenario{it.prefix(None)}/tasks/{task}:cancel", body, {"Content-Type": kind})
            assert answer.status == 200 and state(json.loads(answer.text)) == "CANCELED", (body, kind, answer.text)


def takes_plain_colons_in_paths(address):
    it = Http10(address, "scenario")
    task = it.send("x", messageId="complete-task")["id"]
    it.call("push", it.push("push", task, {"id": "urn:x:1", "url": HOOK}))
    for verb, path, status in (("GET", f"/tasks/{task}/pushNotificationConfigs/urn:x:1", 200), ("GET", "/tasks/urn:x:1", 404), ("POST", "/tasks/urn:x:1:cancel", 404),
                               ("GET", f"/tasks/{task}:cancel", 404), ("POST", f"/tasks/{task}:other", 404)):
        answer = it.request(verb, "/a2a/scenario" + path)
        assert answer.status == status, (verb, path, answer.status, answer.text)


# --- extensions ---

def names_the_extensions_that_are_active(it):
    """On answers, refusals and streams; those that the agent does not know are nobody's business."""
    it = type(it)(it.address, "picky")
    header = "A2A-Extensions" if it.version else "X-A2A-Extensions"
    must, may = "https://example.com/must", "https://example.com/may"
    for asked in ({header: must}, {"A2A-Extensions": f" {must} ,https://example.com/none"}, {header: f"https://example.com/must2,{must}"},
                  {header: "https://example.com/none", header.lower(): must}):  # in two lines
        for operation, wish in (("send", {"message": it.message("x")}), ("stream", {"message": it.message("x")}), ("get", {"id": "none"})):
            answer = it.request(*it.asked(operation, wish), asked)
            assert answer.headers[header] == must, (asked, operation, answer.headers)
    assert it.request(*it.asked("get", {"id": "none"}), {header: f"{may},{must}"}).headers[header] == f"{must}, {may}"
    for operation in ("send", "stream", "get", "cancel", "subscribe", "push_list", "card"):
        wish = {"message": it.message("x")} if operation in ("send", "stream") else it.push("push_list", "x") if operation == "push_list" else {"id": "x"}
        for asked in ({}, {header: may}, {header: must + "2"}, {header: must.upper()}):
            refused("EXTENSION_SUPPORT_REQUIRED", lambda: it.read(it.request(*it.asked(operation, wish), asked)), must)


# --- 0.3 ---

def takes_messages_as_old_clients_send_them(address):
    """In the form of the other binding, by the proto's name of it, saying what kind it is or not; blocking by default or not."""
    rpc, http = Rpc03(address, "scenario"), Http03(address, "scenario")
    kinds = {"messageId": "complete-task", "role": "user", "parts": [{"kind": "text", "text": "a"}]}
    proto = {"messageId": "complete-task", "role": "ROLE_USER", "content": [{"text": "a"}]}
    for it in (rpc, http):
        for message in (kinds, {"kind": "message", **kinds}, proto):
            for name in ("message", "request"):
                _, task = kind_of(it.call("send", {name: message, "configuration": {"blocking": True}}))
                assert state(task) == "COMPLETED", (it.name, message, task)
    for wish, waits in (({}, (True, True)), ({"configuration": {}}, (True, False)), ({"configuration": {"acceptedOutputModes": ["text/plain"]}}, (True, False)),
                        ({"configuration": {"blocking": True}}, (True, True)), ({"configuration": {"blocking": False}}, (False, False))):
        for it, expected in zip((rpc, http), waits):
            _, task = kind_of(it.call("send", {**does(it, "slow", "0.3"), **wish}))
            assert (state(task) == "COMPLETED") == expected, (it.name, wish, task)


def needs_no_parameters_for_a_card(address):
    for it, method, code in ((Rpc10(address), "GetExtendedAgentCard", -32004), (Rpc03(address), "agent/getAuthenticatedExtendedCard", -32007)):
        for more in ({}, {"params": None}, {"params": {}}, {"params": {"tenant": "x"}}):
            answer = json.loads(it.request("POST", "/a2a/worker", {"jsonrpc": "2.0", "id": 7, "method": method, **more}).text)
            assert answer["error"]["code"] == code, answer


def takes_configurations_as_old_clients_send_them(address):
    """Over HTTP+JSON: what is got back, the proto's whole request in either spelling; the id wherever it stands."""
    it = Http03(address, "scenario")
    task = it.send("x", messageId="complete-task", configuration={"blocking": True})["id"]
    name = f"tasks/{task}/pushNotificationConfigs"
    inner = {"url": HOOK, "token": "", "authentication": {}}
    for body, query, found in (
            ({"pushNotificationConfig": {**inner, "id": "a"}}, "", "a"), ({"name": name + "/b", "pushNotificationConfig": inner}, "", "b"),
            ({"parent": f"tasks/{task}", "configId": "c", "config": {"name": name + "/c", "pushNotificationConfig": {**inner, "id": "c"}}}, "", "c"),
            ({"parent": f"tasks/{task}", "config_id": "d", "config": {"push_notification_config": inner}}, "", "d"),
            ({"config": {"name": name + "/e", "push_notification_config": {**inner, "id": ""}}}, "", "e"),
            ({"name": name + "/", "pushNotificationConfig": inner}, "", None)):
        made = json.loads(it.request("POST", f"/a2a/scenario/v1/{name}{query}", body).text)
        assert (made["pushNotificationConfig"]["id"] == found if found else len(made["pushNotificationConfig"]["id"]) == 32), (body, made)
        assert made["name"] == f"{name}/{made['pushNotificationConfig']['id']}", made
    for body in ({}, {"config": {}}, {"config": "x"}, {"pushNotificationConfig": "x"}, {"config_id": "x" * 300, "pushNotificationConfig": inner},
                 {"config_id": "a\nb", "pushNotificationConfig": inner}):
        answer = it.request("POST", f"/a2a/scenario/v1/{name}", body)
        assert answer.status == 400 and json.loads(answer.text)["code"] == -32602, answer.text
    assert len(it.call("push_list", it.push("push_list", task))["configs"]) == 6


EACH = [takes_names_of_the_proto, leaves_unknown_names_alone, takes_what_proto_json_takes, counts_history, makes_a_new_task_each_time, refuses_parts, takes_parts,
        refuses_media_types_that_the_card_does_not_name, refuses_misshapen_members, takes_json_only, reads_encoded_ids, names_the_extensions_that_are_active]
ONCE = [takes_names_of_the_proto_in_lists, a_tenant_stands_in_front_of_every_path, reads_the_version_of_a_request, answers_in_the_media_type_that_is_named,
        refuses_in_the_form_of_the_binding, refuses_streams_of_old_clients_as_streams, takes_no_batches, gives_ids_back, cancels_with_any_body_or_none, takes_plain_colons_in_paths,
        takes_configurations_as_old_clients_send_them, takes_messages_as_old_clients_send_them, needs_no_parameters_for_a_card]
