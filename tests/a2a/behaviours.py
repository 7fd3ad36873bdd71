"""What an agent behind the bridge may do, seen in every version over every binding. The agent is agent.py: the message's
id says what it does."""
import base64
import json
import socket

from bindings import Meanwhile, Refused, Rpc10, refused, state, until

KINDS = {"task": "task", "message": "message", "statusUpdate": "status", "artifactUpdate": "artifact",
         "status-update": "status", "artifact-update": "artifact"}


def scenario(it):
    return type(it)(it.address, "scenario")


def does(it, name, text="do", **more):
    """The parameters of a message that makes the agent do this."""
    return {"message": it.message(text, messageId=name, **more)}


def kind_of(event):
    """("status", the update) and so on."""
    if "kind" in event:
        return KINDS[event["kind"]], event
    assert len(event) == 1, event
    name, value = next(iter(event.items()))
    return KINDS[name], value


def told(it, event):
    kind, value = kind_of(event)
    if kind in ("task", "status"):
        return kind, state(value)
    return kind, None


def parts_of(it, holder):
    """The parts of a message or an artifact in the form of 1.0."""
    return [plain(it, part) for part in holder.get("parts", holder.get("content"))]


def plain(it, part):
    if it.version:
        return part
    out = {name: value for name, value in part.items() if name not in ("kind", "file", "data")}
    if "file" in part:
        file = part["file"]
        names = {"bytes": "raw", "fileWithBytes": "raw", "uri": "url", "fileWithUri": "url", "mimeType": "mediaType", "name": "filename"}
        out.update({names[name]: value for name, value in file.items()})
    if "data" in part:
        out["data"] = part["data"] if "kind" in part else part["data"]["data"]
    assert "kind" not in part or part["kind"] == ("text" if "text" in part else "file" if "file" in part else "data"), part
    return out


def words(it, task):
    """What the status says."""
    return " ".join(part["text"] for part in parts_of(it, task["status"]["message"]) if "text" in part)


def fits(it, found, expected):
    """Parts as they were meant; 0.3 over HTTP+JSON has no room for names, metadata and the types of texts and data."""
    if it.name == "0.3 HTTP+JSON":
        expected = [{name: value for name, value in part.items()
                     if name not in ("filename", "metadata") and (name != "mediaType" or "raw" in part or "url" in part)} for part in expected]
    if it.name == "0.3 JSON-RPC":
        expected = [{name: value for name, value in part.items() if name != "mediaType" or "raw" in part or "url" in part} for part in expected]
    assert found == expected, (found, expected)


# --- ends ---

def answers_with_a_message(it):
    it = scenario(it)
    expected = [{"text": "Direct message response", "metadata": {"tone": "dry"}}]
    said = it.call("send", does(it, "message-response", contextId="talk " + it.name))
    events = it.call("stream", does(it, "message-response", contextId="talk " + it.name), stream=True)
    assert len(events) == 1, events
    for one in (said, events[0]):
        kind, message = kind_of(one)
        assert kind == "message" and message["contextId"] == "talk " + it.name and "taskId" not in message, message
        assert message["role"] == ("agent" if it.name == "0.3 JSON-RPC" else "ROLE_AGENT") and message["messageId"], message
        fits(it, parts_of(it, message), expected)


def keeps_a_message_that_nobody_waited_for(it):
    """Who did not wait got a task, and finds there what was said."""
    it = scenario(it)
    kind, task = kind_of(it.call("send", {**does(it, "message-response"), "configuration": it.later()}))
    assert kind == "task", task
    until(lambda: state(it.call("get", {"id": task["id"]})) == "COMPLETED")
    task = it.call("get", {"id": task["id"]})
    assert "Direct message response" in json.dumps([task.get("artifacts"), task["status"]]), task


def ends_in_every_way(it):
    it = scenario(it)
    for name, end, said in (("complete-task", "COMPLETED", None), ("reject-task", "REJECTED", "rejected"), ("fail-task", "FAILED", "It cannot be done"),
                            ("break-task", "FAILED", "out of paper"), ("crash-task", "FAILED", "something broke"), ("babble-task", "FAILED", "Line 1")):
        _, task = kind_of(it.call("send", does(it, name)))
        assert state(task) == end, (name, task)
        assert ("message" in task["status"]) == (said is not None), task
        events = it.call("stream", does(it, name), stream=True)
        assert told(it, events[0]) == ("task", "SUBMITTED") and told(it, events[-1]) == ("status", end), events
        for one in (task, kind_of(events[-1])[1]) if said else ():
            assert said in words(it, one), (said, one)
        finals = [kind_of(event)[1].get("final") for event in events if told(it, event)[0] == "status"]
        assert finals == ([None] * len(finals) if it.version else [False] * (len(finals) - 1) + [True]), finals
        refused("TASK_NOT_CANCELABLE", lambda: it.call("cancel", {"id": task["id"]}))
        refused("UNSUPPORTED_OPERATION", lambda: it.call("subscribe", {"id": task["id"]}))
        refused("UNSUPPORTED_OPERATION", lambda: it.send("more", taskId=task["id"]))


# --- questions ---

def asks_for_input(it):
    it = scenario(it)
    _, task = kind_of(it.call("send", does(it, "input-required", contextId="ask " + it.name)))
    assert state(task) == "INPUT_REQUIRED" and "What then?" in words(it, task), task
    watching = it.open("subscribe", {"id": task["id"]})
    assert told(it, watching.next()) == ("task", "INPUT_REQUIRED"), "it is told as it stands, and goes on"
    for number in (1, 2):
        again = it.send(f"history message {number}", messageId=f"h{number}", taskId=task["id"])
        assert again["id"] == task["id"] and state(again) == "INPUT_REQUIRED", again
    done = it.send("that", messageId="h3", taskId=task["id"], contextId="ask " + it.name)
    assert state(done) == "COMPLETED", done
    rest = watching.rest()
    assert told(it, rest[-1]) == ("status", "COMPLETED") and [told(it, event)[1] for event in rest].count("INPUT_REQUIRED") == 2, rest
    mine = [message for message in done["history"] if message["role"] in ("user", "ROLE_USER")]
    assert [parts_of(it, message)[0]["text"] for message in mine] == ["do", "history message 1", "history message 2", "that"], mine
    assert all(message["taskId"] == task["id"] and message["contextId"] == task["contextId"] for message in done["history"]), done


def a_stream_ends_where_it_is_the_callers_turn(it):
    it = scenario(it)
    events = it.call("stream", does(it, "input-required"), stream=True)
    assert told(it, events[-1]) == ("status", "INPUT_REQUIRED"), events
    assert kind_of(events[-1])[1].get("final") == (None if it.version else True), events[-1]
    task = kind_of(events[0])[1]["id"]
    more = it.call("stream", {"message": it.message("that", taskId=task)}, stream=True)
    assert told(it, more[0])[0] == "task" and told(it, more[-1]) == ("status", "COMPLETED"), more
    assert kind_of(more[0])[1]["id"] == task, more


def asks_for_a_sign_in(it):
    it = scenario(it)
    _, task = kind_of(it.call("send", does(it, "auth-required")))
    assert state(task) == "AUTH_REQUIRED" and "Sign in, please" in words(it, task), task
    assert "https://example.com/sign-in" in json.dumps(task["status"]["message"]), task
    assert state(it.send("done", taskId=task["id"])) == "AUTH_REQUIRED", "what answers nothing changes nothing"
    done = it.send("yes", taskId=task["id"])
    assert state(done) == "COMPLETED" and "in: accept" in json.dumps(done["artifacts"]), done


def a_stream_stays_open_for_a_sign_in(it):
    it = scenario(it)
    stream = it.open("stream", does(it, "auth-required"))
    task = kind_of(stream.next())[1]["id"]
    events = [stream.next()]
    while told(it, events[-1]) != ("status", "AUTH_REQUIRED"):
        events.append(stream.next())
    assert kind_of(events[-1])[1].get("final") == (None if it.version else False), events
    it.send("yes", taskId=task)
    rest = stream.rest()
    assert ("status", "WORKING") in [told(it, event) for event in rest] and told(it, rest[-1]) == ("status", "COMPLETED"), rest


def goes_on_after_a_sign_in_elsewhere(it):
    """Credentials come out of band: the agent notices by itself, and nobody has to say so."""
    it = scenario(it)
    stream = it.open("stream", does(it, "auth-elsewhere"))
    events = stream.rest()
    states = [told(it, event)[1] for event in events if told(it, event)[0] == "status"]
    assert "AUTH_REQUIRED" in states and states[-1] == "COMPLETED", states


# --- artifacts ---

def tells_artifacts_in_pieces(it):
    it = scenario(it)
    events = it.call("stream", does(it, "stream-artifact-chunked"), stream=True)
    updates = [kind_of(event)[1] for event in events if told(it, event)[0] == "artifact"]
    assert [(update.get("append", False), update.get("lastChunk", False)) for update in updates] == [(False, False), (True, True)], updates
    assert [parts_of(it, update["artifact"]) for update in updates] == [[{"text": "chunk-1 "}], [{"text": "chunk-2"}]], updates
    assert {update["artifact"]["artifactId"] for update in updates} == {"out"}, updates
    assert all("append" not in update or update["append"] for update in updates), "what is false is not written"
    task = it.call("get", {"id": kind_of(events[0])[1]["id"]})
    assert [parts_of(it, artifact) for artifact in task["artifacts"]] == [[{"text": "chunk-1 "}, {"text": "chunk-2"}]], task


def answers_in_pieces(it):
    it = scenario(it)
    events = it.call("stream", does(it, "pieces"), stream=True)
    updates = [kind_of(event)[1] for event in events if told(it, event)[0] == "artifact"]
    text, kept = "", None
    for update in updates:
        piece = parts_of(it, update["artifact"])[0]["text"]
        text = text + piece if update.get("append") else piece
        kept = update
    assert text == "one two three" and kept.get("lastChunk"), updates
    task = it.call("get", {"id": kind_of(events[0])[1]["id"]})
    assert parts_of(it, task["artifacts"][0]) == [{"text": "one two three"}], task


def makes_every_kind_of_artifact(it):
    it = scenario(it)
    table = {
        "artifact-text": [{"text": "Generated text content"}],
        "artifact-file": [{"raw": base64.b64encode(b"tck").decode(), "filename": "output.txt", "mediaType": "text/plain"}],
        "artifact-file-url": [{"url": "https://example.com/output.txt", "filename": "output.txt", "mediaType": "text/plain"}],
        "artifact-data": [{"data": {"key": "value", "count": 42}}],
        "artifact-all": [{"text": "t", "mediaType": "text/markdown", "metadata": {"n": 1}}, {"raw": "AAEC"}, {"url": "https://example.com/f"}, {"data": {"n": 1}}],
    }
    for name, expected in table.items():
        _, task = kind_of(it.call("send", does(it, name)))
        events = it.call("stream", does(it, name), stream=True)
        for artifact in (task["artifacts"][0], *[kind_of(event)[1]["artifact"] for event in events if told(it, event)[0] == "artifact"]):
            fits(it, parts_of(it, artifact), expected)
        assert len(task["artifacts"]) == 1, task
    assert (artifact["name"], artifact["description"]) == ("All", "One of each"), artifact


def wraps_data_that_is_no_object(it):
    """0.3 has objects only, and says which of them are wraps."""
    it = scenario(it)
    _, task = kind_of(it.call("send", does(it, "artifact-scalars")))
    found = parts_of(it, task["artifacts"][0])
    values = [12345678901234567890, [1, None], None, "word"]
    if it.version:
        assert found == [{"data": value} for value in values], found
    else:
        assert [part["data"] for part in found] == [{"value": value} for value in values], found
        assert it.name == "0.3 HTTP+JSON" or all(part["metadata"] == {"data_part_compat": True} for part in found), found


# --- silence ---

def holds_a_call_while_the_agent_is_silent(it):
    it = scenario(it)
    call = Meanwhile(lambda: it.call("send", does(it, "silent", contextId="held " + it.name)))
    task = find(it, "held " + it.name)
    watching = it.open("subscribe", {"id": task})
    first = watching.next()
    assert told(it, first)[0] == "task" and kind_of(first)[1]["id"] == task, first
    watching.sign_of_life()
    assert call.is_open(), "a blocking call waits"
    it.call("cancel", {"id": task})
    assert state(kind_of(call.result())[1]) == "CANCELED"
    assert told(it, watching.rest()[-1]) == ("status", "CANCELED")


def keeps_a_silent_stream_open(it):
    it = scenario(it)
    stream = it.open("stream", does(it, "silent"))
    task = kind_of(stream.next())[1]["id"]
    while told(it, stream.next()) != ("status", "WORKING"):
        pass
    stream.sign_of_life()
    other = it.open("subscribe", {"id": task})
    assert told(it, other.next()) == ("task", "WORKING")
    other.close()
    stream.sign_of_life()
    it.call("cancel", {"id": task})
    assert told(it, stream.rest()[-1]) == ("status", "CANCELED"), "another stream's end is not this one's"


def all_streams_tell_the_same(it):
    """Whoever watches sees each event, in the same order; one that leaves changes nothing for the others."""
    it = scenario(it)
    first = it.open("stream", does(it, "steps"))
    task = kind_of(first.next())[1]["id"]
    others = [it.open("subscribe", {"id": task}) for _ in range(3)]
    for other in others:
        assert told(it, other.next())[0] == "task"
    others.pop().close()
    it.send("yes", taskId=task)
    seen = [stream.rest() for stream in [first, *others]]
    last = [[event for event in events if told(it, event)[0] == "artifact"] for events in seen]
    assert len(last[0]) == 20 and all(events == last[0] for events in last), last
    assert all(told(it, events[-1]) == ("status", "COMPLETED") for events in seen[1:]), seen


def outlives_its_callers(it):
    """A caller that goes away has not cancelled its task."""
    it = scenario(it)
    host, port = it.address.rsplit(":", 1)
    for operation in ("send", "stream"):
        context = f"left {operation} {it.name}"
        method, path, body = it.asked(operation, does(it, "wait", contextId=context))
        body = json.dumps(body).encode()
        with socket.create_connection((host, int(port)), timeout=10) as peer:
            peer.sendall(b"%s %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                         % (method.encode(), path.encode(), len(body), body))
            task = find(it, context)
        until(lambda: state(it.call("get", {"id": task})) == "WORKING")
        assert it.call("cancel", {"id": task})["id"] == task


def ends_what_takes_too_long(it):
    """timeout_s of this agent is half a second."""
    hasty = type(it)(it.address, "hasty")
    _, task = kind_of(hasty.call("send", does(it, "silent")))
    assert state(task) == "FAILED" and "0.5 s" in words(it, task), task
    events = hasty.call("stream", does(it, "silent"), stream=True)
    assert told(it, events[-1]) == ("status", "FAILED"), events


def find(it, context):
    """The id of the only task in a context, once it is there; 0.3 has no list over JSON-RPC."""
    lists = Rpc10(it.address, it.agent)
    until(lambda: lists.call("list", {"contextId": context})["totalSize"] == 1)
    return lists.call("list", {"contextId": context})["tasks"][0]["id"]


# --- what the agent gets ---

def hands_messages_on_untouched(it):
    """Byte for byte: numbers no double holds, the order of members, how characters were written."""
    it = scenario(it)
    odd = '{"z":12345678901234567890123,"a":-0.0,"m":[1e400,1.10,1E+2],"u":"\\u00e9\\ud83d\\ude00\\/","":{"deep":{}},"e":"é\\n"}'
    part = '{"text":"\\u00e9t\\u00e9 \\t é"}'
    data = f'{{"data":{odd}}}' if it.version else f'{{"kind":"data","data":{odd}}}'
    head = '"kind":"message",' if it.name == "0.3 JSON-RPC" else ""
    message = f'{{{head}"messageId":"mirror-\\u00e9-7","role":"{it.user}","{it.parts_key}":[{part},{data}],"metadata":{odd},' \
              '"extensions":["https://example.com/x"],"referenceTaskIds":["4711"]}'
    method, path, body = it.asked("send", {"message": "HERE"})
    text = json.dumps(body).replace('"HERE"', message)
    task = it.task(it.read(it.request(method, path, text.encode("utf-8"))))
    line = parts_of(it, task["artifacts"][0])[0]["text"]
    for expected in ('"message_id":"mirror-\\u00e9-7"', f'"parts":[{part},{{"data":{odd}}}]', f'"metadata":{odd}',
                     '"extensions":["https://example.com/x"]', '"reference_task_ids":["4711"]'):
        assert expected in line, (expected, line)
    assert '"text":"été \\t é"' in line[line.index('"input"'):], line


def hands_a_message_on_as_one_line(it):
    """Line breaks between members are no line breaks of the agent's input."""
    it = scenario(it)
    method, path, body = it.asked("send", {**does(it, "mirror", metadata={"a": [1, {"b": 2}]})})
    task = it.task(it.read(it.request(method, path, json.dumps(body, indent=2))))
    seen = json.loads(parts_of(it, task["artifacts"][0])[0]["text"])
    assert seen["message"]["metadata"] == {"a": [1, {"b": 2}]}, seen


def hands_answers_on_untouched(it):
    it = scenario(it)
    _, task = kind_of(it.call("send", does(it, "mirror-answer")))
    content = '{"z":12345678901234567890123,"a":-0.0,"e":1e400,"u":"\\u00e9\\/"}'
    data = f'{{"numbers":{{"action":"accept","content":{content}}}}}'
    part = f'{{"data":{data}}}' if it.version else f'{{"data":{{"data":{data}}}}}' if it.name == "0.3 HTTP+JSON" else f'{{"kind":"data","data":{data}}}'
    method, path, body = it.asked("send", {"message": it.message("HERE", taskId=task["id"]), "configuration": {"blocking": True}})
    text = json.dumps(body).replace(json.dumps(it.part({"text": "HERE"})), part)
    done = it.task(it.read(it.request(method, path, text)))
    assert f'"content":{content}' in parts_of(it, done["artifacts"][0])[0]["text"], done


# --- two at once ---

def at_once(action, n=8):
    """What each of several callers at the same time was told: a state, or an error's name."""
    def told_to_one():
        try:
            return state(action())
        except Refused as error:
            return error.name
    return [one.result() for one in [Meanwhile(told_to_one) for _ in range(n)]]


def takes_one_of_several_answers(it):
    it = scenario(it)
    _, task = kind_of(it.call("send", does(it, "input-required")))
    found = at_once(lambda: it.send("that", taskId=task["id"], configuration={"blocking": True}))
    assert sorted(set(found)) == ["COMPLETED", "UNSUPPORTED_OPERATION"] and found.count("COMPLETED") == 1, found
    task = it.call("get", {"id": task["id"]})
    assert len(task["history"]) == 3, "the others' words are not in it"


def is_cancelled_once(it):
    it = scenario(it)
    task = it.send("x", messageId="wait", configuration=it.later())["id"]
    found = at_once(lambda: it.call("cancel", {"id": task}))
    assert found.count("CANCELED") == 1 and found.count("TASK_NOT_CANCELABLE") == len(found) - 1, found


EACH = [answers_with_a_message, keeps_a_message_that_nobody_waited_for, ends_in_every_way, asks_for_input, a_stream_ends_where_it_is_the_callers_turn,
        asks_for_a_sign_in, a_stream_stays_open_for_a_sign_in, goes_on_after_a_sign_in_elsewhere, tells_artifacts_in_pieces, answers_in_pieces,
        makes_every_kind_of_artifact, wraps_data_that_is_no_object, holds_a_call_while_the_agent_is_silent, keeps_a_silent_stream_open,
        all_streams_tell_the_same, outlives_its_callers, ends_what_takes_too_long, hands_messages_on_untouched, hands_a_message_on_as_one_line, hands_answers_on_untouched,
        takes_one_of_several_answers, is_cancelled_once]
