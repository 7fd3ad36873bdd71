"""Questions in the middle of work: every kind, in every way that a client can be asked and can answer."""
import concurrent.futures
import json
import os
import tempfile

from resumption import Stream, go
from wire import Bridge, call, modern_body, modern_headers, request_bytes, send, session

TASKS = {"extensions": {"io.modelcontextprotocol/tasks": {}}}
ANY = {"elicitation": {"form": {}, "url": {}}, "sampling": {}, "roots": {}}
FORM = {"elicitation": {"form": {}}}

WHO = {"kind": "form", "message": "For whom?", "schema": {
    "type": "object", "required": ["who"], "properties": {
        "who": {"type": "string", "minLength": 2}, "size": {"type": "string", "enum": ["s", "m"], "default": "m"}}}}
GO = {"kind": "approval", "title": "Go on?", "message": "There is no way back."}
DOOR = {"kind": "url", "message": "Sign in", "url": "https://example.com/sign-in"}
SAMPLE = {"kind": "request", "method": "sampling/createMessage", "params": {
    "messages": [{"role": "user", "content": {"type": "text", "text": "Hm?"}}], "maxTokens": 5}}
ROOTS = {"kind": "request", "method": "roots/list", "params": {}}
SAID = {"role": "assistant", "model": "m", "content": {"type": "text", "text": "Ah."}}
ROOM = {"roots": [{"uri": "file:///home"}]}

# What is asked, what a client answers, and what the agent hears.
KINDS = {
    "form": (WHO, {"action": "accept", "content": {"who": "ann"}},
             {"action": "accept", "content": {"who": "ann", "size": "m"}}),
    "form declined": (WHO, {"action": "decline"}, {"action": "decline"}),
    "approval": (GO, {"action": "accept", "content": {}}, {"action": "accept", "content": {}}),
    "approval declined": (GO, {"action": "decline"}, {"action": "decline"}),
    "url": (DOOR, {"action": "accept"}, {"action": "accept"}),
    "sampling": (SAMPLE, SAID, {"result": SAID}),
    "roots": (ROOTS, ROOM, {"result": ROOM}),
}


# --- clients of each kind; each gives the result's text, having answered what it was asked by `answers` ---

def modern(bridge, method, params, capabilities, name=None, id_=1):
    meta = {"io.modelcontextprotocol/clientCapabilities": capabilities}
    return send(bridge, modern_body(method, params, id_, meta), modern_headers(method, name))


def result_of(response):
    assert "result" in response.message, response.body
    return response.message["result"]


def wish(rounds, agent="asks", **more):
    return {"agent": agent, "text": json.dumps(rounds), **more}


def responses_to(requests, answers):
    """`answers` by the agent's own keys: a key shown a second time is key#2."""
    return {key: answers[key.split("#")[0]] for key in requests}


def by_retry(bridge, rounds, answers):
    """2026-07-28 without tasks: InputRequiredResult, and the call again."""
    params = {"name": "invoke", "arguments": wish(rounds)}
    result = result_of(modern(bridge, "tools/call", params, ANY, "invoke"))
    for _ in rounds:
        assert result["resultType"] == "input_required" and "task_id" not in json.dumps(result), result
        again = {**params, "requestState": result["requestState"],
                 "inputResponses": responses_to(result["inputRequests"], answers)}
        result = result_of(modern(bridge, "tools/call", again, ANY, "invoke", 2))
    return result["content"][0]["text"]


def by_update(bridge, rounds, answers):
    """The Tasks extension: inputRequests in the task, tasks/update."""
    capabilities = {**ANY, **TASKS}
    handle = result_of(modern(bridge, "tools/call", {"name": "invoke", "arguments": wish(rounds)}, capabilities, "invoke"))
    assert handle["resultType"] == "task", handle
    id_ = handle["taskId"]
    answered = set()
    while True:
        task = result_of(modern(bridge, "tasks/get", {"taskId": id_}, capabilities, id_))
        if task["status"] == "completed":
            return task["result"]["content"][0]["text"]
        new = {key: one for key, one in task.get("inputRequests", {}).items() if key not in answered}
        if new:
            answered |= new.keys()
            result_of(modern(bridge, "tasks/update", {"taskId": id_, "inputResponses": responses_to(new, answers)},
                             capabilities, id_))


def respond(bridge, sid, request, result):
    body = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})
    assert send(bridge, body, {"Mcp-Session-Id": sid}).status == 202


ABOUT = {"elicitation/create": lambda params: "door" if params.get("mode") == "url" else
         "who" if params["message"].startswith("For whom?") else "go",
         "sampling/createMessage": lambda params: "sample", "roots/list": lambda params: "roots"}


def legacy_stream(bridge, sid, method, params, id_=7):
    body = json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params})
    return Stream(bridge, request_bytes(bridge, body, {"Mcp-Session-Id": sid}))


def answer_on(bridge, sid, stream, answers, id_=7):
    """Reads a call's stream to its response; answers each request of the server's as `answers` says."""
    while True:
        message = stream.event()
        assert message is not None, "the stream ended without a response"
        if not message or message.get("method", "").startswith("notifications/"):
            continue
        if "method" not in message:
            assert message["id"] == id_, message
            return message["result"]
        key = ABOUT[message["method"]](message.get("params", {}))
        respond(bridge, sid, message, answers[key])


def by_elicitation(version):
    """The versions with sessions: requests to the client on the open call's stream."""
    def way(bridge, rounds, answers):
        sid = session(bridge, version, ANY)
        with legacy_stream(bridge, sid, "tools/call", {"name": "invoke", "arguments": wish(rounds)}) as stream:
            return answer_on(bridge, sid, stream, answers)["content"][0]["text"]
    return way


def by_tasks_result(bridge, rounds, answers):
    """2025-11-25 tasks: requests to the client on the stream of tasks/result."""
    sid = session(bridge, capabilities=ANY)
    made = send(bridge, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "invoke", "arguments": wish(rounds), "task": {}}}), {"Mcp-Session-Id": sid}).message["result"]["task"]
    with legacy_stream(bridge, sid, "tasks/result", {"taskId": made["taskId"]}) as stream:
        result = answer_on(bridge, sid, stream, answers)
    related = result["_meta"]["io.modelcontextprotocol/related-task"]
    assert related == {"taskId": made["taskId"]}, result
    return result["content"][0]["text"]


def by_later_get_task(bridge, rounds, answers):
    """2026-07-28: the call was answered before the question came; get-task puts it."""
    id_ = call(bridge, "invoke", wish(rounds, wait_s=0))["structuredContent"]["task_id"]
    params = {"name": "get-task", "arguments": {"task_id": id_}}
    result = result_of(modern(bridge, "tools/call", params, ANY, "get-task"))
    while result["resultType"] == "input_required":
        again = {**params, "requestState": result["requestState"],
                 "inputResponses": responses_to(result["inputRequests"], answers)}
        result = result_of(modern(bridge, "tools/call", again, ANY, "get-task", 2))
    return result["structuredContent"]["result"]


def by_later_legacy_get_task(bridge, rounds, answers):
    """The same with sessions."""
    sid = session(bridge, capabilities=ANY)
    id_ = call(bridge, "invoke", wish(rounds, wait_s=0))["structuredContent"]["task_id"]
    with legacy_stream(bridge, sid, "tools/call", {"name": "get-task", "arguments": {"task_id": id_}}) as stream:
        return answer_on(bridge, sid, stream, answers)["structuredContent"]["result"]


def by_reply(bridge, rounds, answers):
    """A client that cannot be asked reads `questions` and answers with reply-task."""
    state = call(bridge, "invoke", wish(rounds))["structuredContent"]
    while state["status"] != "completed":
        if state["status"] == "paused":
            given = {key: {"result": one} if state["questions"][key]["kind"] == "request" else one
                     for key, one in responses_to(state["questions"], answers).items()}
            result = call(bridge, "reply-task", {"task_id": state["task_id"], "answers": given})
            assert not result.get("isError"), result
        state = call(bridge, "get-task", {"task_id": state["task_id"]})["structuredContent"]
    return state["result"]


WAYS = {"retry": by_retry, "tasks/update": by_update, "elicitation 2025-11-25": by_elicitation("2025-11-25"),
        "tasks/result": by_tasks_result, "later get-task": by_later_get_task,
        "later get-task with sessions": by_later_legacy_get_task, "reply-task": by_reply}


def key_of(question):
    return {"form": "who", "approval": "go", "url": "door"}.get(
        question["kind"], "roots" if question.get("method") == "roots/list" else "sample")


def each_way(check):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for name, job in [(name, pool.submit(check, way)) for name, way in WAYS.items()]:
            try:
                job.result()
            except Exception as error:
                raise AssertionError(f"{name}: {type(error).__name__}: {error}") from error


def test_every_kind_in_every_way(bridge):
    def check(way):
        for kind, (question, answer, heard) in KINDS.items():
            key = key_of(question)
            text = way(bridge, [{key: question}], {key: answer})
            assert json.loads(text) == [{key: heard}], (kind, text)
    each_way(check)


def test_several_keys_and_rounds_in_every_way(bridge):
    answers = {key_of(KINDS[kind][0]): KINDS[kind][1] for kind in ("form", "approval", "url", "sampling", "roots")}
    heard = {key_of(KINDS[kind][0]): KINDS[kind][2] for kind in ("form", "approval", "url", "sampling", "roots")}

    def check(way):
        rounds = [{"who": WHO, "go": GO, "sample": SAMPLE}, {"roots": ROOTS}, {"go": GO, "door": DOOR}]
        text = way(bridge, rounds, answers)
        assert json.loads(text) == [{key: heard[key] for key in one} for one in rounds], text
    each_way(check)


def test_older_versions_are_asked_what_they_know(bridge):
    text = by_elicitation("2025-06-18")(bridge, [{"who": WHO}], {"who": KINDS["form"][1]})
    assert json.loads(text) == [{"who": KINDS["form"][2]}], text
    sid = session(bridge, "2025-06-18", FORM)
    with legacy_stream(bridge, sid, "tools/call", {"name": "invoke", "arguments": wish([{"who": WHO}])}) as stream:
        params = stream.messages(1)[0]["params"]
        assert params.keys() == {"message", "requestedSchema"}, params  # its schema has no mode
    sid = session(bridge, "2025-11-25", ANY)
    with legacy_stream(bridge, sid, "tools/call", {"name": "invoke", "arguments": wish([{"door": DOOR}])}) as stream:
        params = stream.messages(1)[0]["params"]
        assert params["mode"] == "url" and params["elicitationId"].endswith("/door"), params
    # Nothing is put that a client did not say it can answer.
    sid = session(bridge, "2025-11-25", FORM)
    for questions in ({"door": DOOR}, {"sample": SAMPLE}, {"roots": ROOTS}):
        with legacy_stream(bridge, sid, "tools/call", {"name": "invoke", "arguments": wish([questions])}) as stream:
            result = stream.messages()[-1]["result"]
        assert result["structuredContent"]["status"] == "paused" and "reply-task" in result["content"][0]["text"], result


# --- answers that are checked ---

CHOICES = {"kind": "form", "message": "For whom?", "schema": {"type": "object", "required": ["mail"], "properties": {
    "mail": {"type": "string", "format": "email"}, "site": {"type": "string", "format": "uri"},
    "day": {"type": "string", "format": "date"}, "at": {"type": "string", "format": "date-time"},
    "one": {"type": "string", "oneOf": [{"const": "a", "title": "A"}, {"const": "b", "title": "B"}], "default": "b"},
    "some": {"type": "array", "minItems": 1, "maxItems": 2, "items": {"anyOf": [{"const": "x", "title": "X"},
                                                                                {"const": "y", "title": "Y"}]}},
    "plain": {"type": "array", "items": {"type": "string", "enum": ["p", "q"]}, "default": ["p"]},
    "old": {"type": "string", "enum": ["o1"], "enumNames": ["One"]},
    "n": {"type": "integer", "minimum": 1, "maximum": 9, "default": 3}, "r": {"type": "number", "default": 0.5},
    "sure": {"type": "boolean", "default": True}}}}
FILLED = {"one": "b", "plain": ["p"], "n": 3, "r": 0.5, "sure": True}
MISFITS = {"/mail": {"mail": "nobody"}, "/site": {"mail": "a@b.cd", "site": "no uri"}, "/day": {"mail": "a@b.cd", "day": "2026-02-30"},
           "/at": {"mail": "a@b.cd", "at": "noon"}, "/one": {"mail": "a@b.cd", "one": "c"}, "/some": {"mail": "a@b.cd", "some": []},
           "/some/0": {"mail": "a@b.cd", "some": ["z"]}, "/plain/0": {"mail": "a@b.cd", "plain": ["r"]},
           "/old": {"mail": "a@b.cd", "old": "One"}, "/n": {"mail": "a@b.cd", "n": 10}, "mail": {}}


def test_answers_are_checked(bridge):
    id_ = call(bridge, "invoke", wish([{"who": CHOICES}]))["structuredContent"]["task_id"]
    reply = lambda content: call(bridge, "reply-task", {  # noqa: E731
        "task_id": id_, "answers": {"who": {"action": "accept", "content": content}}})
    for place, content in MISFITS.items():
        result = reply(content)
        assert result["isError"] and place in result["content"][0]["text"], (place, result["content"])
    given = {"mail": "a@b.cd", "some": ["x", "y"], "day": "2026-02-28", "at": "2026-02-28T12:00:00Z", "site": "urn:x", "old": "o1"}
    assert not reply(given).get("isError")
    state = call(bridge, "get-task", {"task_id": id_})["structuredContent"]
    assert json.loads(state["result"]) == [{"who": {"action": "accept", "content": {**FILLED, **given}}}], state["result"]


def test_misfits_in_the_words_of_each_face(bridge):
    bad, good = {"action": "accept", "content": {"who": "x"}}, KINDS["form"][1]
    # A retried call is asked anew, and told which field.
    params = {"name": "invoke", "arguments": wish([{"who": WHO}])}
    result = result_of(modern(bridge, "tools/call", params, ANY, "invoke"))
    for response, words in ((bad, "/who"), ({"action": "perhaps"}, "action"), ("yes", "object")):
        result = result_of(modern(bridge, "tools/call", {**params, "requestState": result["requestState"],
                                                         "inputResponses": {"who": response}}, ANY, "invoke"))
        assert result["resultType"] == "input_required", result
        assert words in result["inputRequests"]["who"]["params"]["message"], result
    # Missing answers, or answers to something else, are no errors either.
    for responses in ({}, {"what": good}):
        result = result_of(modern(bridge, "tools/call", {**params, "requestState": result["requestState"],
                                                         "inputResponses": responses}, ANY, "invoke"))
        assert result["resultType"] == "input_required" and list(result["inputRequests"]) == ["who"], result
    # A legacy client is asked again on the same stream.
    sid = session(bridge, capabilities=ANY)
    with legacy_stream(bridge, sid, "tools/call", {"name": "invoke", "arguments": wish([{"who": WHO}])}) as stream:
        first = stream.messages(1)[0]
        respond(bridge, sid, first, bad)
        second = stream.messages(1)[0]
        assert second["id"] != first["id"] and "/who" in second["params"]["message"], second
        respond(bridge, sid, first, good)  # to a question that is not open any more: nobody waits for it
        respond(bridge, sid, second, good)
        assert "ann" in stream.messages()[-1]["result"]["content"][0]["text"]


# --- requestState ---

def error_code(response):
    return response.message["error"]["code"]


def test_request_state(bridge):
    params = {"name": "invoke", "arguments": wish([{"go": GO}, {"who": WHO}])}
    first = result_of(modern(bridge, "tools/call", params, ANY, "invoke"))
    state, accepted = first["requestState"], {"go": KINDS["approval"][1]}
    again = lambda **more: modern(bridge, "tools/call", {**params, "inputResponses": accepted, "requestState": state, **more},  # noqa: E731
                                  ANY, more.get("name", "invoke"))
    for forged in (state + "A", state[:-1], state[:40] + ("A" if state[40] != "A" else "B") + state[41:], "", "x", 7,
                   state + "-TAMPERED"):
        assert error_code(again(requestState=forged)) == -32602, forged
    # Bound to the call: other arguments, another tool.
    assert error_code(again(arguments=wish([{"go": GO}]))) == -32602
    assert error_code(again(name="get-task", arguments={"task_id": "0" * 32})) == -32602
    assert error_code(again(name="asks_on_call", arguments=params["arguments"])) == -32602
    second = result_of(again())
    assert list(second["inputRequests"]) == ["who"] and second["requestState"] != state, second
    # Replayed: what it answered is closed, so nothing is answered twice, and the open question is put.
    replayed = result_of(again())
    assert list(replayed["inputRequests"]) == ["who"], replayed
    last = {**params, "requestState": second["requestState"], "inputResponses": {"who": KINDS["form"][1]}}
    done = result_of(modern(bridge, "tools/call", last, ANY, "invoke"))
    heard = [{"go": KINDS["approval"][2]}, {"who": KINDS["form"][2]}]
    assert json.loads(done["content"][0]["text"]) == heard, done
    # After the end both states give the result again, and start nothing.
    for once_more in (again(), modern(bridge, "tools/call", last, ANY, "invoke")):
        assert result_of(once_more)["structuredContent"]["task_id"] == done["structuredContent"]["task_id"]


def alone_of_another_bridge(folder):
    """Sealed by another bridge: its sessions and its states are nobody's here."""
    one, other = Bridge(os.path.join(folder, "one")), Bridge(os.path.join(folder, "other"))
    try:
        ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
        assert send(other, ping, {"Mcp-Session-Id": session(one)}).status == 404
        params = {"name": "invoke", "arguments": wish([{"go": GO}])}
        state = result_of(modern(one, "tools/call", params, ANY, "invoke"))["requestState"]
        assert error_code(modern(other, "tools/call", {**params, "requestState": state}, ANY, "invoke")) == -32602
    finally:
        one.stop()
        other.stop()


def alone_keys_are_rotated(folder):
    """What an older key sealed is good as long as that key is listed."""
    config, data = os.path.join(folder, "rotated.jsonc"), os.path.join(folder, "rotated")
    secrets = {**os.environ, "AB_TEST_OLD": "11" * 32, "AB_TEST_NEW": "22" * 32}
    asker = os.path.join(os.path.dirname(os.path.abspath(__file__)), "asker.py")

    def start(*keys):
        with open(config, "w", encoding="ascii") as file:
            json.dump({"seal_keys": [{"env": key} for key in keys], "agents": {"asks": {
                "kind": "command", "command": [asker], "output": "events", "env": ["PATH"], "restart": "retry"}}}, file)
        return Bridge(data, config, env=secrets)

    ping = lambda bridge, sid: send(bridge, '{"jsonrpc":"2.0","id":1,"method":"ping"}', {"Mcp-Session-Id": sid}).status  # noqa: E731
    params = {"name": "invoke", "arguments": wish([{"go": GO}])}
    bridge = start("AB_TEST_OLD")
    sid, state = session(bridge), result_of(modern(bridge, "tools/call", params, ANY, "invoke"))["requestState"]
    bridge.stop()
    bridge = start("AB_TEST_NEW", "AB_TEST_OLD")
    try:
        assert ping(bridge, sid) == 200
        again = modern(bridge, "tools/call", {**params, "requestState": state}, ANY, "invoke")
        result = result_of(again)  # run again, it asks again
        assert result["resultType"] == "input_required" and result["requestState"] != state, result
        newer = session(bridge)
    finally:
        bridge.stop()
    bridge = start("AB_TEST_NEW")
    try:
        assert (ping(bridge, sid), ping(bridge, newer)) == (404, 200)
        assert error_code(modern(bridge, "tools/call", {**params, "requestState": state}, ANY, "invoke")) == -32602
    finally:
        bridge.stop()


# --- answers to what is not there; two at once ---

def test_answers_to_nothing(bridge):
    capabilities = {**ANY, **TASKS}
    id_ = call(bridge, "invoke", wish([{"go": GO, "who": WHO}]))["structuredContent"]["task_id"]
    reply = lambda **answer: call(bridge, "reply-task", {"task_id": id_, **answer})  # noqa: E731
    update = lambda task, key: modern(bridge, "tasks/update", {  # noqa: E731
        "taskId": task, "inputResponses": {key: {"action": "accept", "content": {}}}}, capabilities, task)
    result = reply(answers={"nobody": {"action": "accept"}})
    assert result["isError"] and "open" in result["content"][0]["text"], result
    assert reply(approve=True)["isError"]  # two are open
    result_of(update(id_, "nobody"))  # acknowledged and ignored
    assert not reply(answers={"go": {"action": "decline"}}).get("isError")
    result = reply(answers={"go": {"action": "accept"}})
    assert result["isError"] and "open" in result["content"][0]["text"], result
    result_of(update(id_, "go"))
    assert not reply(text="ann").get("isError")
    state = call(bridge, "get-task", {"task_id": id_})["structuredContent"]
    assert json.loads(state["result"])[0]["go"] == {"action": "decline"}, state
    result = reply(approve=True)
    assert result["isError"], result
    result_of(update(id_, "go"))
    assert error_code(update("0" * 32, "go")) == -32602


def test_the_first_of_two_answers_wins(bridge):
    id_ = call(bridge, "invoke", wish([{"go": GO}]))["structuredContent"]["task_id"]
    answers = [{"action": "accept" if i % 2 else "decline"} for i in range(8)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda one: call(bridge, "reply-task", {"task_id": id_, "answers": {"go": one}}), answers))
    taken = [one for one, result in zip(answers, results) if not result.get("isError")]
    assert len(taken) == 1, results
    call(bridge, "get-task", {"task_id": id_})  # to its end
    state = call(bridge, "get-task", {"task_id": id_, "events_after": 0})["structuredContent"]
    assert json.loads(state["result"]) == [{"go": taken[0]}], state["result"]
    assert len([event for event in state["events"] if event["kind"] == "answer"]) == 1, state["events"]


def test_the_others_are_told(bridge):
    sid, other = session(bridge, capabilities=ANY), session(bridge, capabilities=ANY)
    arguments = wish([{"go": GO}], thread_id="the others are told")
    with legacy_stream(bridge, sid, "tools/call", {"name": "invoke", "arguments": arguments}) as stream:
        asked = stream.messages(1)[0]
        listed = call(bridge, "list-tasks", {"thread_id": arguments["thread_id"]})["structuredContent"]["tasks"]
        id_ = listed[0]["task_id"]
        with legacy_stream(bridge, other, "tools/call", {"name": "get-task", "arguments": {"task_id": id_}}) as second:
            asked_too = second.messages(1)[0]
            # Another session's answer is nobody's: ids of requests belong to their session.
            respond(bridge, sid, asked_too, {"action": "decline"})
            respond(bridge, other, asked_too, {"action": "accept", "content": {}})
            assert second.messages()[-1]["result"]["structuredContent"]["status"] == "completed"
        rest = stream.messages()
        withdrawn = [one["params"]["requestId"] for one in rest if one.get("method") == "notifications/cancelled"]
        assert withdrawn == [asked["id"]], rest
        assert '"accept"' in rest[-1]["result"]["content"][0]["text"], rest[-1]


def test_an_unanswered_question_expires(bridge):
    for result in (call(bridge, "get-task", {"task_id": call(bridge, "invoke", wish([{"go": GO}], "forgotten", wait_s=0))
                                             ["structuredContent"]["task_id"], "wait_s": 0}),):
        id_ = result["structuredContent"]["task_id"]
        while (state := call(bridge, "get-task", {"task_id": id_})["structuredContent"])["status"] == "paused":
            pass
        assert state["status"] == "error" and "nobody answered" in state["error"]["message"], state


# --- tools that ask, and what they need ---

def test_ask_in_the_task_or_on_the_call(bridge):
    arguments = {"text": json.dumps([{"go": GO}])}
    both = {**ANY, **TASKS}
    in_task = result_of(modern(bridge, "tools/call", {"name": "asks_in_task", "arguments": arguments}, both, "asks_in_task"))
    assert in_task["resultType"] == "task" and in_task["status"] == "input_required", in_task
    params = {"name": "asks_on_call", "arguments": arguments}
    on_call = result_of(modern(bridge, "tools/call", params, both, "asks_on_call"))
    assert on_call["resultType"] == "input_required" and "taskId" not in on_call, on_call
    done = result_of(modern(bridge, "tools/call", {**params, "requestState": on_call["requestState"], "inputResponses": {
        "go": {"action": "accept", "content": {}}}}, both, "asks_on_call"))
    assert done["resultType"] in ("complete", "task"), done  # its mode is auto


def test_capabilities_that_a_tool_needs(bridge):
    refused = modern(bridge, "tools/call", {"name": "needy", "arguments": {}}, {}, "needy")
    assert refused.status == 400 and refused.message["error"]["data"] == {"requiredCapabilities": {"sampling": {}}}, refused.body
    assert error_code(refused) == -32021
    assert result_of(modern(bridge, "tools/call", {"name": "needy", "arguments": {}}, {"sampling": {}}, "needy"))["content"]
    refused = modern(bridge, "tools/call", {"name": "handled", "arguments": {}}, {}, "handled")
    assert refused.status == 400 and error_code(refused) == -32021, refused.body
    assert refused.message["error"]["data"]["requiredCapabilities"] == TASKS, refused.body
    handle = result_of(modern(bridge, "tools/call", {"name": "handled", "arguments": {}}, TASKS, "handled"))
    assert handle["resultType"] == "task", handle
    sid = session(bridge)
    called = lambda name, **more: send(bridge, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {  # noqa: E731
        "name": name, "arguments": {}, **more}}), {"Mcp-Session-Id": sid}).message
    assert called("handled")["result"]["content"][0]["text"] == "good"  # legacy: held
    assert called("handled", task={})["result"]["task"]["taskId"]
    assert called("prompt", task={})["error"]["code"] == -32601
    assert called("handled", task={"ttl": "long"})["error"]["code"] == -32602
    assert called("handled", task=7)["error"]["code"] == -32602


def test_output_schemas_that_can_be_kept(bridge):
    listed = lambda version: {tool["name"]: tool for tool in (send(bridge, '{"jsonrpc":"2.0","id":1,"method":"tools/list"}', {  # noqa: E731
        "Mcp-Session-Id": session(bridge, version)}) if version else modern(bridge, "tools/list", {}, {})).message["result"]["tools"]}
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}}
    for version in ("2025-06-18", "2025-11-25", None):
        tools = listed(version)
        assert tools["prompt"]["outputSchema"] == schema, tools["prompt"]  # can neither pause nor outlast its call
        support = {name: tools[name].get("execution") for name in ("prompt", "handled", "invoke", "get-task")}
        assert [one and one["taskSupport"] for one in support.values()] == (
            ["forbidden", "optional", "optional", "forbidden"] if version == "2025-11-25" else [None] * 4), support
        # Its output is an array: what is always an object there cannot be one.
        choices = tools["asks_in_task"].get("outputSchema", {}).get("anyOf", [])
        assert (choices[:1] == [{"type": "array"}]) == (version is None) and len(choices) in (0, 2), tools["asks_in_task"]
    assert "outputSchema" not in listed("2025-03-26")["prompt"]


def test_what_a_task_tells_names_it(bridge):
    """2025-11-25: every message that belongs to a task says to which, on whatever stream it comes."""
    sid = session(bridge)
    with tempfile.TemporaryDirectory() as folder:
        made = send(bridge, json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
            "name": "invoke", "arguments": {"agent": "steps", "text": f"folder:{folder}"}, "task": {}}}),
            {"Mcp-Session-Id": sid}).message["result"]["task"]["taskId"]
        params = {"taskId": made, "_meta": {"progressToken": "p"}}
        with legacy_stream(bridge, sid, "tasks/result", params) as stream:
            assert stream.event() == ""  # it waits
            go(folder, 1, 2, 3, "end")
            messages = stream.messages()
    related = {"io.modelcontextprotocol/related-task": {"taskId": made}}
    assert {one["method"] for one in messages[:-1]} == {"notifications/message", "notifications/progress"}, messages
    assert all(one["params"]["_meta"] == related for one in messages[:-1]), messages
    assert messages[-1]["result"]["_meta"] == related, messages[-1]


def test_methods_of_tasks_need_the_capability(bridge):
    id_ = call(bridge, "invoke", wish([{"go": GO}]))["structuredContent"]["task_id"]
    for method, params in (("tasks/get", {}), ("tasks/update", {"inputResponses": {}}), ("tasks/cancel", {})):
        refused = modern(bridge, method, {"taskId": id_, **params}, ANY, id_)
        assert refused.status == 400 and error_code(refused) == -32021, (method, refused.body)
        assert refused.message["error"]["data"] == {"requiredCapabilities": TASKS}, refused.body
    refused = modern(bridge, "subscriptions/listen", {"notifications": {"taskIds": [id_]}}, ANY)
    assert refused.status == 400 and error_code(refused) == -32021, refused.body


def test_handles_of_the_other_dialect(bridge):
    """One task, whichever dialect looks; each dialect's own words do not exist in the other."""
    sid = session(bridge, capabilities=ANY)
    legacy = lambda method, params: send(bridge, json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}),  # noqa: E731
                                         {"Mcp-Session-Id": sid}).message
    made = legacy("tools/call", {"name": "invoke", "arguments": wish([{"go": GO}]), "task": {}})["result"]["task"]["taskId"]
    while (task := result_of(modern(bridge, "tasks/get", {"taskId": made}, {**ANY, **TASKS}, made)))["status"] == "working":
        pass
    assert task["status"] == "input_required" and list(task["inputRequests"]) == ["go"], task
    result_of(modern(bridge, "tasks/update", {"taskId": made, "inputResponses": {"go": {"action": "decline"}}},
                     {**ANY, **TASKS}, made))
    assert "decline" in legacy("tasks/result", {"taskId": made})["result"]["content"][0]["text"]
    handle = result_of(modern(bridge, "tools/call", {"name": "invoke", "arguments": wish([{"go": GO}]), "task": {"ttl": 1}},
                              {**ANY, **TASKS}, "invoke"))
    assert handle["resultType"] == "task", handle  # `task` means nothing there
    assert legacy("tasks/get", {"taskId": handle["taskId"]})["result"]["status"] == "input_required"
    assert legacy("tasks/cancel", {"taskId": handle["taskId"]})["result"]["status"] == "cancelled"
    for method in ("tasks/result", "tasks/list"):
        refused = modern(bridge, method, {"taskId": made}, {**ANY, **TASKS}, made)
        assert refused.status == 404 and error_code(refused) == -32601, (method, refused.body)
    assert legacy("tasks/update", {"taskId": made, "inputResponses": {}})["error"]["code"] == -32601


# --- subscriptions ---

def test_more_subscriptions_than_allowed(bridge):
    id_ = call(bridge, "invoke", {"agent": "good", "text": "x"})["structuredContent"]["task_id"]
    refused = modern(bridge, "subscriptions/listen", {"notifications": {"taskIds": [id_] * 101}}, TASKS)
    assert error_code(refused) == -32602 and "at most 100" in refused.message["error"]["message"], refused.body
    for wishes in ({"notifications": {"taskIds": "all"}}, {"notifications": 1}, {}):
        assert error_code(modern(bridge, "subscriptions/listen", wishes, TASKS)) == -32602, wishes
    meta = {"io.modelcontextprotocol/clientCapabilities": TASKS}
    body = modern_body("subscriptions/listen", {"notifications": {"taskIds": [id_, "0" * 32, id_, 7]}}, "l", meta)
    with Stream(bridge, request_bytes(bridge, body, modern_headers("subscriptions/listen"))) as stream:
        acknowledged, told = stream.messages(2)
    assert acknowledged["params"]["notifications"] == {"taskIds": [id_]}, acknowledged
    assert told["params"]["taskId"] == id_ and told["params"]["status"] == "completed", told


def test_the_end_of_a_session_ends_its_stream(bridge):
    sid = session(bridge)
    headers = {"Mcp-Session-Id": sid, "Content-Length": None, "Content-Type": None}
    with Stream(bridge, request_bytes(bridge, headers=headers, method="GET")) as stream:
        assert stream.event() == ""
        assert send(bridge, method="DELETE", headers={"Mcp-Session-Id": sid}).status == 204
        assert stream.event() is None


def alone_streams_that_nobody_reads(folder):
    """Listen and GET streams whose clients never read: the bridge's memory does not grow with what happens."""
    bridge = Bridge(os.path.join(folder, "deaf"))
    try:
        long = {**WHO, "message": "For whom? " + "x" * 50000}
        id_ = call(bridge, "invoke", wish([{"who": long}]))["structuredContent"]["task_id"]
        meta = {"io.modelcontextprotocol/clientCapabilities": {**ANY, **TASKS}}
        listen = request_bytes(bridge, modern_body("subscriptions/listen", {"notifications": {"taskIds": [id_]}}, 1, meta),
                               modern_headers("subscriptions/listen"))
        sids = [session(bridge) for _ in range(10)]
        deaf = [bridge.connect() for _ in range(50)]
        for connection in deaf[:40]:
            connection.sendall(listen)
        for sid, connection in zip(sids, deaf[40:]):
            connection.sendall(request_bytes(bridge, method="GET", headers={
                "Mcp-Session-Id": sid, "Content-Length": None, "Content-Type": None}))
        before = bridge.memory_kb()
        for _ in range(100):  # each changes the task, and each of 40 watchers would be told 50 kB
            modern(bridge, "tasks/update", {"taskId": id_, "inputResponses": {"who": {"action": "perhaps"}}}, {**ANY, **TASKS}, id_)
        grown = bridge.memory_kb() - before
        assert grown < 40000, f"{grown} kB more"
        assert call(bridge, "reply-task", {"task_id": id_, "answers": {"who": {"action": "cancel"}}})["structuredContent"]
        for connection in deaf:
            connection.close()
    finally:
        assert bridge.stop() == 0
