"""Messages against the published schema of their version, where AGENTBRIDGE_TEST_DATA names a folder that holds it.

The folder holds mcp-schema/<version>.json, mcp-schema/ext-tasks.json and a2a-schema/<version>.json. Without it, or
without python3-jsonschema, nothing is checked, and why_not() says so.
"""
import json
import os

# What a method answers with: names of definitions, the first that is there for the case at hand.
RESULTS = {
    "initialize": "InitializeResult", "server/discover": "DiscoverResult", "tools/list": "ListToolsResult",
    "tools/call": "CallToolResult", "resources/list": "ListResourcesResult", "resources/read": "ReadResourceResult",
    "resources/templates/list": "ListResourceTemplatesResult", "prompts/list": "ListPromptsResult",
    "prompts/get": "GetPromptResult", "completion/complete": "CompleteResult", "tasks/get": "GetTaskResult",
    "tasks/list": "ListTasksResult", "tasks/cancel": "CancelTaskResult", "tasks/update": "UpdateTaskResult",
    "tasks/result": "CallToolResult", "subscriptions/listen": "SubscriptionsListenResult",
    "ping": "EmptyResult", "logging/setLevel": "EmptyResult",
}
A2A_KINDS = {"task": "Task", "message": "Message", "status-update": "TaskStatusUpdateEvent",
             "artifact-update": "TaskArtifactUpdateEvent"}


class Misfit(Exception):
    pass


def why_not():
    """Why nothing can be checked; "" when it can."""
    if not os.environ.get("AGENTBRIDGE_TEST_DATA"):
        return "AGENTBRIDGE_TEST_DATA is not set: messages are not checked against the published schemas"
    try:
        import jsonschema  # noqa: F401
    except ImportError:
        return "python3-jsonschema is not there: messages are not checked against the published schemas"
    return ""


class Schema:
    """One published file."""

    def __init__(self, path):
        import jsonschema
        with open(path, encoding="utf-8") as file:
            schema = json.load(file)
        self.key = "$defs" if "$defs" in schema else "definitions"
        self.defs = schema[self.key]
        # Some of the files keep an address of their own in every definition, from which "#/$defs/..." would not be found.
        for one in self.defs.values():
            one.pop("$schema", None)
        self.validator = jsonschema.validators.validator_for(schema)
        self.by_method = {one["properties"]["method"]["const"]: name for name, one in self.defs.items()
                          if "const" in one.get("properties", {}).get("method", {})}

    def check(self, name, value):
        schema = {self.key: self.defs, "$ref": f"#/{self.key}/{name}"}
        errors = sorted(self.validator(schema).iter_errors(value), key=lambda e: -len(list(e.path)))
        if errors:
            place = "/".join(str(part) for part in errors[0].path)
            raise Misfit(f"does not fit the published {name} at /{place}: {errors[0].message[:500]}")


def load(folder, name):
    base = os.environ.get("AGENTBRIDGE_TEST_DATA")
    path = os.path.join(base, folder, name + ".json") if base else ""
    return Schema(path) if path and os.path.exists(path) and not why_not() else None


class Published:
    """The schemas of one version of one protocol; of versions without published ones everything fits."""

    def __init__(self, protocol, version):
        self.protocol = protocol
        self.schema = load(f"{protocol}-schema", version)
        self.tasks = load("mcp-schema", "ext-tasks") if protocol == "mcp" and version >= "2026-07-28" else None
        self.checked = 0

    def check(self, message, method=None):
        """`method` is that of the request, whose answer (or one of whose notifications) this is."""
        if isinstance(message, list):
            for one in message:
                self.check(one, method)
        elif self.schema is not None:
            self.checked += 1
            (self.check_a2a if self.protocol == "a2a" else self.check_mcp)(message, method)

    def check_mcp(self, message, method):
        if "method" in message:
            if message["method"] == "notifications/tasks":
                self.tasks.check("DetailedTask", message["params"])
            elif message["method"] in self.schema.by_method:
                self.schema.check(self.schema.by_method[message["method"]], message)
            else:
                raise Misfit(f"no published message has the method {message['method']}")
        elif "error" in message:
            # The transports allow an error without an id for a message that could not be read; the older schemas do not.
            name = "JSONRPCErrorResponse" if "JSONRPCErrorResponse" in self.schema.defs else "JSONRPCError"
            self.schema.check(name, {"id": 0, **message})
        else:
            self.check_result(message["result"], method)

    def check_result(self, result, method):
        name = RESULTS.get(method, "Result")
        if result.get("resultType") == "input_required":
            name = "InputRequiredResult"
        elif result.get("resultType") == "task" or "task" in result and method == "tools/call":
            name = "CreateTaskResult"
        schema = self.tasks if self.tasks and (method or "").startswith("tasks/") or name == "CreateTaskResult" and self.tasks \
            else self.schema
        schema.check(name if name in schema.defs else "Result", result)
        if schema is self.tasks and name == "GetTaskResult" and "result" in result:
            self.schema.check("CallToolResult", result["result"])

    def check_a2a(self, message, _method):
        """JSON-RPC only; there results say of what kind they are."""
        if "jsonrpc" in message:
            result = message.get("result")
            self.schema.check(A2A_KINDS[result["kind"]] if result else "JSONRPCErrorResponse", result or message)
        elif "protocolVersion" in message:
            self.schema.check("AgentCard", message)
