#!/usr/bin/env python3
"""The bridge as a client of the official suite's mock servers. The suite calls `client.py URL` with the scenario's name in
MCP_CONFORMANCE_SCENARIO: a bridge with one `mcp` agent at that URL is started, and does what the scenario wants of a
client because an A2A caller asks it to."""
import json
import os
import subprocess
import sys
import tempfile
import urllib.request

SCENARIO = os.environ.get("MCP_CONFORMANCE_SCENARIO", "")
CONTEXT = json.loads(os.environ.get("MCP_CONFORMANCE_CONTEXT") or "{}")


class Bridge:
    def __init__(self, url, directory):
        config = os.path.join(directory, "bridge.jsonc")
        with open(config, "w", encoding="utf-8") as file:
            # The suite says localhost and listens on 127.0.0.1.
            json.dump({"agents": {"tools": {"kind": "mcp", "url": url.replace("//localhost:", "//127.0.0.1:"),
                                            "publish": "skills"}}}, file)
        self.process = subprocess.Popen(
            [os.environ["AGENTBRIDGE"], "serve", "--config", config, "--listen", "127.0.0.1:0",
             "--data", os.path.join(directory, "data")], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)

    def rpc(self, method, params):
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
        request = urllib.request.Request(self.url + "/a2a/tools", data=body,
                                         headers={"Content-Type": "application/json", "A2A-Version": "1.0"})
        with urllib.request.urlopen(request, timeout=30) as response:
            answer = json.load(response)
        if "error" in answer:
            raise SystemExit(f"{method}: {answer['error']}")
        return answer["result"]

    def send(self, part, **more):
        self.count = getattr(self, "count", 0) + 1
        message = {"messageId": f"m{self.count}", "role": "ROLE_USER", "parts": [part], **more}
        return self.rpc("SendMessage", {"message": message})["task"]

    def call(self, tool, arguments=None, answer=None):
        """Calls a tool; questions are answered with `answer`. The task at its end."""
        task = self.send({"data": {"tool": tool, "arguments": arguments or {}}})
        while task["status"]["state"] == "TASK_STATE_INPUT_REQUIRED":
            parts = task["status"]["message"]["parts"]
            questions = next(part["data"]["questions"] for part in parts if "data" in part)
            task = self.send({"data": {key: answer for key in questions}}, taskId=task["id"])
        return task

    def published(self):
        """The skills as the bridge's own MCP face shows them: {name without the agent's: input schema}."""
        version = "2026-07-28"
        meta = {"io.modelcontextprotocol/protocolVersion": version, "io.modelcontextprotocol/clientCapabilities": {}}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": meta}}).encode()
        request = urllib.request.Request(self.url + "/mcp", data=body, headers={
            "Content-Type": "application/json", "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": version, "Mcp-Method": "tools/list"})
        with urllib.request.urlopen(request, timeout=30) as response:
            tools = json.load(response)["result"]["tools"]
        return {tool["name"][len("tools_"):]: tool["inputSchema"] for tool in tools if tool["name"].startswith("tools_")}


def completed(task):
    if task["status"]["state"] != "TASK_STATE_COMPLETED":
        raise SystemExit(f"not completed: {json.dumps(task)}")
    return task


def refused(task):
    """What a message without a tool gets, once the tools are known."""
    if task["status"]["state"] != "TASK_STATE_REJECTED":
        raise SystemExit(f"not rejected: {json.dumps(task)}")


def connect(bridge):
    refused(bridge.send({"text": "hello"}))


def call_all(*tools, answer=None):
    def scenario(bridge):
        for tool in tools:
            completed(bridge.call(tool, answer=answer))
    return scenario


def custom_headers(bridge):
    for call in CONTEXT["toolCalls"]:
        completed(bridge.call(call["name"], call["arguments"]))


def invalid_tool_headers(bridge):
    completed(bridge.call("valid_tool", {"region": "eu"}))
    refused(bridge.call("invalid_empty_header", {"value": "x"}))


def preserve_schema(bridge):
    """One tool's schema, as it comes out of the bridge, is given to the other tool."""
    connect(bridge)
    published = bridge.published()
    focal = "json_schema_2020_12_tool"
    echo = next(name for name in published if name != focal)
    completed(bridge.call(echo, {"schema": published[focal]}))


SCENARIOS = {
    "json-schema-2020-12-preservation": preserve_schema,
    "initialize": connect,
    "request-metadata": connect,
    "json-schema-ref-no-deref": connect,
    "tools_call": lambda bridge: completed(bridge.call("add_numbers", {"a": 5, "b": 3})),
    "elicitation-sep1034-client-defaults":
        call_all("test_client_elicitation_defaults", answer={"action": "accept", "content": {}}),
    "sse-retry": call_all("test_reconnection"),
    "http-standard-headers": call_all("test_headers", "my-hyphenated-tool"),
    "http-custom-headers": custom_headers,
    "http-invalid-tool-headers": invalid_tool_headers,
    "sep-2322-client-request-state":
        call_all("test_mrtr_echo_state", "test_mrtr_no_state", "test_mrtr_unrelated", "test_mrtr_no_result_type",
                 answer={"action": "accept", "content": {"confirmed": True}}),
}


def main():
    with tempfile.TemporaryDirectory() as directory:
        bridge = Bridge(sys.argv[1], directory)
        try:
            SCENARIOS[SCENARIO](bridge)
        finally:
            bridge.stop()


if __name__ == "__main__":
    main()
