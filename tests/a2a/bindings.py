"""The four ways to ask an A2A server: two versions, two bindings. Each says the same things in its own words."""
import http.client
import json
import urllib.parse

CODES = {
    "TASK_NOT_FOUND": (-32001, 404), "TASK_NOT_CANCELABLE": (-32002, 400),
    "PUSH_NOTIFICATION_NOT_SUPPORTED": (-32003, 400), "UNSUPPORTED_OPERATION": (-32004, 400),
    "OVER_QUOTA": (-32603, 429), "CONTENT_TYPE_NOT_SUPPORTED": (-32005, 400), "EXTENDED_AGENT_CARD_NOT_CONFIGURED": (-32007, 400),
    "EXTENSION_SUPPORT_REQUIRED": (-32008, 400), "VERSION_NOT_SUPPORTED": (-32009, 400), "PARSE_ERROR": (-32700, 400),
    "INVALID_REQUEST": (-32600, 400), "METHOD_NOT_FOUND": (-32601, 404), "INVALID_PARAMS": (-32602, 400),
}


class Refused(Exception):
    """What a server refused: the name of the error, as its numbers say."""

    def __init__(self, code, message):
        names = [name for name, (number, _) in CODES.items() if number == code]
        super().__init__(f"{code} {message}")
        self.name = names[0] if names else str(code)
        self.message = message


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode("utf-8")

    def events(self):
        blocks = self.text.replace("\r\n", "\n").split("\n\n")
        return [json.loads(line[5:]) for block in blocks for line in block.split("\n") if line.startswith("data:")]


class Binding:
    agent = "worker"
    version = None

    def __init__(self, address, agent="worker"):
        self.address = address
        self.agent = agent
        self.seen = []  # every answer's message, for schema checks

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=20)
        all_headers = {"Content-Type": "application/json", "A2A-Version": self.version, **(headers or {})}
        all_headers = {name: value for name, value in all_headers.items() if value is not None}
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request(method, path, body=data, headers=all_headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def push(self, operation, task, config=None, **more):
        """The parameters of an operation on a task's push notification configurations; `config` is one, or an id."""
        return {"taskId": task, **({"id": config} if isinstance(config, str) else config or {}), **more}

    def message(self, parts, **more):
        parts = [{"text": parts}] if isinstance(parts, str) else parts
        return {"messageId": "m", "role": self.user, self.parts_key: [self.part(p) for p in parts], **more}


class Rpc(Binding):
    def call(self, operation, params, headers=None, stream=False):
        body = {"jsonrpc": "2.0", "id": 7, "method": self.methods[operation], "params": params}
        return self.read(self.request("POST", f"/a2a/{self.agent}", body, headers), stream)

    def read(self, answer, stream=False):
        assert answer.status == 200, (answer.status, answer.text)
        streamed = answer.headers["Content-Type"] == "text/event-stream"
        messages = answer.events() if streamed else [json.loads(answer.text)]
        self.seen += messages
        for message in messages:
            assert message["jsonrpc"] == "2.0", message
            if "error" in message:
                self.check_error(message["error"])
                raise Refused(message["error"]["code"], message["error"]["message"])
            assert message["id"] == 7, message
        results = [message["result"] for message in messages]
        assert streamed == stream, answer.text
        return results if stream else results[0]

    def check_error(self, error):
        pass


class Rpc10(Rpc):
    name, version, user, parts_key = "1.0 JSON-RPC", "1.0", "ROLE_USER", "parts"
    methods = {"send": "SendMessage", "stream": "SendStreamingMessage", "get": "GetTask", "list": "ListTasks", "cancel": "CancelTask",
               "subscribe": "SubscribeToTask", "card": "GetExtendedAgentCard", "push": "CreateTaskPushNotificationConfig",
               "push_get": "GetTaskPushNotificationConfig", "push_list": "ListTaskPushNotificationConfigs",
               "push_delete": "DeleteTaskPushNotificationConfig"}

    def check_error(self, error):
        info = error["data"][0]
        assert info["@type"].endswith("google.rpc.ErrorInfo") and info["domain"] == "a2a-protocol.org", error
        assert CODES[info["reason"]][0] == error["code"], error

    @staticmethod
    def part(part):
        return part

    @staticmethod
    def task(result):
        return result.get("task", result)


class Rpc03(Rpc):
    name, version, user, parts_key = "0.3 JSON-RPC", None, "user", "parts"
    methods = {"send": "message/send", "stream": "message/stream", "get": "tasks/get", "list": None, "cancel": "tasks/cancel",
               "subscribe": "tasks/resubscribe", "card": "agent/getAuthenticatedExtendedCard", "push": "tasks/pushNotificationConfig/set",
               "push_get": "tasks/pushNotificationConfig/get", "push_list": "tasks/pushNotificationConfig/list",
               "push_delete": "tasks/pushNotificationConfig/delete"}

    def push(self, operation, task, config=None, **more):
        if operation == "push":
            return {"taskId": task, "pushNotificationConfig": config, **more}
        return {"id": task, **({"pushNotificationConfigId": config} if config else {}), **more}

    @staticmethod
    def part(part):
        if "text" in part:
            return {"kind": "text", **part}
        return {"kind": "data", **part} if "data" in part else part

    @staticmethod
    def task(result):
        assert result["kind"] in ("task", "message", "status-update", "artifact-update"), result
        return result


class Http(Binding):
    def call(self, operation, params, headers=None, stream=False):
        params = dict(params)
        method, path = self.paths[operation]
        for name in ("id", "taskId"):
            if "{" + name + "}" in path:
                path = path.replace("{" + name + "}", urllib.parse.quote(str(params.pop(name)), safe=""))
        tenant = params.pop("tenant", None)
        path = f"/a2a/{self.agent}{self.prefix(tenant)}{path}"
        if method == "GET" and params:
            path += "?" + urllib.parse.urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in params.items()})
        return self.read(self.request(method, path, params if method == "POST" else None, headers), stream)

    def read(self, answer, stream=False):
        streamed = answer.headers["Content-Type"] == "text/event-stream"
        messages = answer.events() if streamed else [json.loads(answer.text)]
        if answer.status != 200:
            self.refuse(answer, messages[0])
        self.seen += messages
        assert streamed == stream, answer.text
        return messages if stream else messages[0]

    @staticmethod
    def task(result):
        return result.get("task", result)


class Http10(Http):
    name, version, user, parts_key = "1.0 HTTP+JSON", "1.0", "ROLE_USER", "parts"
    paths = {"send": ("POST", "/message:send"), "stream": ("POST", "/message:stream"), "get": ("GET", "/tasks/{id}"), "list": ("GET", "/tasks"),
             "cancel": ("POST", "/tasks/{id}:cancel"), "subscribe": ("POST", "/tasks/{id}:subscribe"), "card": ("GET", "/extendedAgentCard"),
             "push": ("POST", "/tasks/{taskId}/pushNotificationConfigs"), "push_list": ("GET", "/tasks/{taskId}/pushNotificationConfigs"),
             "push_get": ("GET", "/tasks/{taskId}/pushNotificationConfigs/{id}"),
             "push_delete": ("DELETE", "/tasks/{taskId}/pushNotificationConfigs/{id}")}
    part = staticmethod(lambda part: part)

    @staticmethod
    def prefix(tenant):
        return f"/{tenant}" if tenant else ""

    @staticmethod
    def refuse(answer, body):
        error = body["error"]
        info = error["details"][0]
        number, status = CODES[info["reason"]]
        assert answer.status == error["code"] == status, (answer.status, body)
        assert info["@type"].endswith("google.rpc.ErrorInfo") and info["domain"] == "a2a-protocol.org", body
        raise Refused(number, error["message"])


class Http03(Http):
    name, version, user, parts_key = "0.3 HTTP+JSON", None, "ROLE_USER", "content"
    paths = {**Http10.paths, "card": ("GET", "/card")}

    def push(self, operation, task, config=None, **more):
        if operation == "push":
            return {"taskId": task, "pushNotificationConfig": config, **more}
        return {"taskId": task, **({"id": config} if config else {}), **more}

    @staticmethod
    def part(part):
        return {"data": {"data": part["data"]}} if "data" in part else part

    @staticmethod
    def prefix(tenant):
        return f"/{tenant}/v1" if tenant else "/v1"

    @staticmethod
    def refuse(answer, body):
        assert 400 <= answer.status < 500, (answer.status, body)
        raise Refused(body["code"], body["message"])


ALL = [Rpc10, Rpc03, Http10, Http03]
