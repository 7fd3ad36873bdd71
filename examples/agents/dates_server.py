#!/usr/bin/env python3
"""An MCP server with three tools about dates, in one file and without a library: one JSON-RPC message a line on stdin and
stdout (MCP 2025-11-25, stdio). The bridge makes an agent of it: see ../mcp.jsonc."""
import datetime
import json
import sys

DATE = {"type": "string", "format": "date", "description": "YYYY-MM-DD"}


def days_between(start, end):
    return {"days": (datetime.date.fromisoformat(end) - datetime.date.fromisoformat(start)).days}


def add_days(date, days):
    return {"date": (datetime.date.fromisoformat(date) + datetime.timedelta(days=days)).isoformat()}


def weekday(date):
    return {"weekday": datetime.date.fromisoformat(date).strftime("%A")}


def tool(function, description, properties, result):
    return {"function": function, "definition": {
        "name": function.__name__, "description": description,
        "inputSchema": {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False},
        "outputSchema": {"type": "object", "properties": result, "required": list(result)},
        "annotations": {"readOnlyHint": True, "openWorldHint": False}}}


TOOLS = {one["definition"]["name"]: one for one in (
    tool(days_between, "How many days lie between two dates.", {"start": DATE, "end": DATE}, {"days": {"type": "integer"}}),
    tool(add_days, "The date so many days later (or earlier).", {"date": DATE, "days": {"type": "integer"}}, {"date": DATE}),
    tool(weekday, "The day of the week of a date.", {"date": DATE}, {"weekday": {"type": "string"}}),
)}


def call(params):
    try:
        data = TOOLS[params["name"]]["function"](**params.get("arguments", {}))
    except (KeyError, TypeError, ValueError, OverflowError) as fault:
        return {"content": [{"type": "text", "text": f"{type(fault).__name__}: {fault}"}], "isError": True}
    return {"content": [{"type": "text", "text": json.dumps(data)}], "structuredContent": data}


def answer(method, params):
    if method == "initialize":
        return {"protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
                "serverInfo": {"name": "dates", "title": "Dates", "version": "1"}}
    if method == "tools/list":
        return {"tools": [one["definition"] for one in TOOLS.values()]}
    return call(params) if method == "tools/call" else {}


def main():
    known = {"initialize", "ping", "tools/list", "tools/call"}
    for line in sys.stdin:
        message = json.loads(line)
        if "id" not in message or "method" not in message:
            continue
        reply = {"jsonrpc": "2.0", "id": message["id"]}
        if message["method"] in known:
            reply["result"] = answer(message["method"], message.get("params", {}))
        else:
            reply["error"] = {"code": -32601, "message": f"There is no method {message['method']}"}
        print(json.dumps(reply), flush=True)


if __name__ == "__main__":
    main()
