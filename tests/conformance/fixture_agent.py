#!/usr/bin/env python3
"""The conformance suite's fixture tools as agent lines; the tool's name is the argument."""
import base64
import json
import struct
import sys
import time
import zlib

task = json.loads(sys.stdin.readline())
arguments = task.get("arguments") or {}


def say(event):
    print(json.dumps(event), flush=True)


def result(text):
    say({"result": {"text": text}})


def ask(questions):
    """Asks, and gives the answers by key; ends quietly when the task is cancelled."""
    say({"ask": questions})
    line = json.loads(sys.stdin.readline() or '{"cancel":true}')
    if "cancel" in line:
        sys.exit(0)
    return line["answer"]


def form(message, properties, required=None):
    return {"kind": "form", "message": message,
            "schema": {"type": "object", "properties": properties, "required": required or list(properties)}}


def content(answer):
    return answer.get("content") or {}


def png():
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\xff\0\0"))
            + chunk(b"IEND", b""))


def wav():
    data = b"\0\0" * 8
    return (b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
            struct.pack("<IHHIIHH", 16, 1, 1, 8000, 16000, 2, 16) + b"data" + struct.pack("<I", len(data)) + data)


IMAGE = {"raw": base64.b64encode(png()).decode(), "media_type": "image/png"}
AUDIO = {"raw": base64.b64encode(wav()).decode(), "media_type": "audio/wav"}
RESOURCE = {"text": "This is an embedded resource content.", "media_type": "text/plain",
            "metadata": {"uri": "test://embedded-resource"}}
SAMPLING = {"kind": "request", "method": "sampling/createMessage",
            "params": {"messages": [{"role": "user", "content": {"type": "text", "text": "What is the capital of France?"}}],
                       "maxTokens": 100}}
ROOTS = {"kind": "request", "method": "roots/list", "params": {}}
NAME = form("What is your name?", {"name": {"type": "string"}})


def test_tool_with_progress():
    for value in (0, 50, 100):
        say({"progress": {"value": value, "total": 100, "message": f"{value} of 100"}})
        time.sleep(0.05)
    result("done")


def test_tool_with_logging():
    for text in ("Tool execution started", "Tool processing data", "Tool execution completed"):
        say({"log": {"level": "info", "text": text}})
        time.sleep(0.05)
    result("logged")


def test_sampling():
    ask_for = dict(SAMPLING)
    ask_for["params"] = {"messages": [{"role": "user", "content": {"type": "text", "text": arguments.get("prompt", "?")}}],
                         "maxTokens": 100}
    answer = ask({"sample": ask_for})["sample"]
    result("LLM response: " + json.dumps(answer.get("result", answer)))


def test_elicitation():
    answer = ask({"user": form(arguments.get("message", "?"), {
        "username": {"type": "string", "description": "User's response"},
        "email": {"type": "string", "description": "User's email address"}})})["user"]
    result("User response: " + json.dumps(answer))


def test_elicitation_sep1034_defaults():
    answer = ask({"user": form("Please review", {
        "name": {"type": "string", "default": "John Doe"},
        "age": {"type": "integer", "default": 30},
        "score": {"type": "number", "default": 95.5},
        "status": {"type": "string", "enum": ["active", "inactive", "pending"], "default": "active"},
        "verified": {"type": "boolean", "default": True}}, [])})["user"]
    result("Elicitation completed: " + json.dumps(answer))


def test_elicitation_sep1330_enums():
    values = [("value1", "First Option"), ("value2", "Second Option"), ("value3", "Third Option")]
    titled = [{"const": value, "title": title} for value, title in values]
    options = ["option1", "option2", "option3"]
    answer = ask({"user": form("Please choose", {
        "untitledSingle": {"type": "string", "enum": options},
        "titledSingle": {"type": "string", "oneOf": titled},
        "legacyEnum": {"type": "string", "enum": ["opt1", "opt2", "opt3"],
                       "enumNames": ["Option One", "Option Two", "Option Three"]},
        "untitledMulti": {"type": "array", "items": {"type": "string", "enum": options}},
        "titledMulti": {"type": "array", "items": {"anyOf": titled}}}, [])})["user"]
    result("Elicitation completed: " + json.dumps(answer))


def slow_compute():
    seconds = float(arguments.get("seconds", 0))
    say({"status": "executing", "message": f"computing for {seconds} s"})
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(0.1, max(0.0, end - time.monotonic())))
    result(f"{arguments.get('label', 'result')} after {seconds} s")


def confirm_delete():
    answer = ask({"confirm": form(f"Delete {arguments.get('filename')}?", {"confirm": {"type": "boolean"}})})["confirm"]
    done = answer.get("action") == "accept" and content(answer).get("confirm")
    result(f"{'Deleted' if done else 'Kept'} {arguments.get('filename')}")


def multi_input():
    answers = ask({"name": form("Your name?", {"name": {"type": "string"}}),
                   "confirm": form("Sure?", {"confirm": {"type": "boolean"}})})
    result(json.dumps(answers))


def test_tool_with_task():
    answer = ask({"user_name": NAME})["user_name"]
    say({"status": "executing", "message": "greeting"})
    time.sleep(0.3)
    result(f"Hello, {content(answer).get('name')}!")


def elicitation_once():
    answer = ask({"user_name": NAME})["user_name"]
    result(f"Hello, {content(answer).get('name')}!")


def multi_round():
    first = ask({"step1": form("Step 1: your name?", {"name": {"type": "string"}})})["step1"]
    second = ask({"step2": form("Step 2: your color?", {"color": {"type": "string"}})})["step2"]
    result(f"{content(first).get('name')} likes {content(second).get('color')}")


def request_state():
    ask({"confirm": form("Please confirm", {"ok": {"type": "boolean"}})})
    result("state-ok")


def multiple_inputs():
    result(json.dumps(ask({"user_name": NAME, "greeting": SAMPLING, "client_roots": ROOTS})))


TOOLS = {
    "test_simple_text": lambda: result("This is a simple text response for testing."),
    "test_image_content": lambda: say({"result": {"parts": [IMAGE]}}),
    "test_audio_content": lambda: say({"result": {"parts": [AUDIO]}}),
    "test_embedded_resource": lambda: say({"result": {"parts": [RESOURCE]}}),
    "test_multiple_content_types": lambda: say(
        {"result": {"parts": [{"text": "Multiple content types test:"}, IMAGE, RESOURCE]}}),
    "test_tool_with_logging": test_tool_with_logging,
    "test_error_handling": lambda: say({"failed": "This tool intentionally returns an error for testing"}),
    "test_tool_with_progress": test_tool_with_progress,
    "test_sampling": test_sampling,
    "test_elicitation": test_elicitation,
    "test_elicitation_sep1034_defaults": test_elicitation_sep1034_defaults,
    "test_elicitation_sep1330_enums": test_elicitation_sep1330_enums,
    "json_schema_2020_12_tool": lambda: result("JSON Schema 2020-12 tool called with: " + json.dumps(arguments)),
    "test_missing_capability": lambda: result("sampling is there"),
    "greet": lambda: result(f"Hello, {arguments.get('name')}!"),
    "slow_compute": slow_compute,
    "failing_job": lambda: say({"failed": "the job failed on purpose"}),
    "protocol_error_job": lambda: say({"error": {"code": -32603, "message": "the job broke the protocol on purpose"}}),
    "confirm_delete": confirm_delete,
    "multi_input": multi_input,
    "test_tool_with_task": test_tool_with_task,
    "test_custom_header": lambda: result("region " + str(arguments.get("region"))),
    "test_input_required_result_elicitation": elicitation_once,
    "test_input_required_result_sampling": lambda: result(json.dumps(ask({"sample": SAMPLING}))),
    "test_input_required_result_list_roots": lambda: result(json.dumps(ask({"roots": ROOTS}))),
    "test_input_required_result_request_state": request_state,
    "test_input_required_result_multiple_inputs": multiple_inputs,
    "test_input_required_result_multi_round": multi_round,
    "test_input_required_result_tampered_state": request_state,
    "test_input_required_result_capabilities": lambda: result(json.dumps(ask({"user_name": NAME, "greeting": SAMPLING}))),
}

TOOLS[sys.argv[1]]()
