"""The four ways to ask an A2A server: two versions, two bindings. Each says the same things in its own words."""
import http.client
import json
import os
import subprocess
import tempfile
import threading
import time
import urllib.parse

BINARY = os.environ.get("AGENTBRIDGE", os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "agentbridge"))
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


class Bridge:
    """A bridge of its own, with data that goes with it; `address` is HOST:PORT. It must end well."""

    def __init__(self, config):
        self.data = tempfile.TemporaryDirectory()
        self.server = subprocess.Popen([BINARY, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", self.data.name],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.address = self.server.stdout.readline().split("//")[1].strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self.server.terminate()
            assert self.server.wait(20) == 0, "the bridge did not end well"
        finally:
            if self.server.poll() is None:
                self.server.kill()
                self.server.wait()
            self.server.stdout.close()
            self.data.cleanup()


def refused(name, action, words=""):
    """The action is refused with the error of this name, and with these words in its sentence."""
    try:
        found = action()
    except Refused as error:
        assert error.name == name, f"expected {name}, found {error.name}: {error}"
        assert words in error.message, f"expected {words!r} in {error.message!r}"
        return
    raise AssertionError(f"expected {name}, found an answer: {found}")


def until(holds):
    end = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.01)


def state(task):
    """A state by one name, whatever the binding calls it."""
    return task["status"]["state"].removeprefix("TASK_STATE_").replace("-", "_").upper().replace("CANCELLED", "CANCELED")


def check_details(details):
    """What stands behind the first: which parameter was wrong, where it was one."""
    info, *more = details
    assert all(isinstance(value, str) for value in info.get("metadata", {}).values()), info
    assert len(more) == (info["reason"] == "INVALID_PARAMS"), details
    for detail in more:
        assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest" and len(detail.keys()) == 2, detail
        for violation in detail["fieldViolations"]:
            assert violation["field"] and violation["description"], detail


class Meanwhile:
    """A call on a thread of its own."""

    def __init__(self, action):
        self.found = []
        self.thread = threading.Thread(target=lambda: self.found.append(action()), daemon=True)
        self.thread.start()

    def is_open(self):
        return self.thread.is_alive()

    def result(self):
        self.thread.join(20)
        assert self.found, "no answer came"
        return self.found[0]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode("utf-8")

    def events(self):
        blocks = self.text.replace("\r\n", "\n").split("\n\n")
        return [json.loads(line[5:]) for block in blocks for line in block.split("\n") if line.startswith("data:")]


class Stream:
    """A stream that is read as it comes."""

    def __init__(self, it, connection):
        self.it = it
        self.connection = connection
        self.response = connection.getresponse()
        assert self.response.status == 200, (self.response.status, self.response.read())
        assert self.response.headers["Content-Type"] == "text/event-stream", self.response.headers

    def next(self):
        """The next event, or None at the stream's end."""
        data = ""
        for line in iter(self.response.readline, b""):
            line = line.decode("utf-8").rstrip("\r\n")
            if line.startswith("data:"):
                data += line[5:]
            elif not line and data:
                return self.it.open_event(json.loads(data))
        return None

    def sign_of_life(self):
        """Reads on to the next comment."""
        assert any(line.startswith(b":") for line in iter(self.response.readline, b"")), "the stream ended"

    def rest(self):
        return list(iter(self.next, None))

    def close(self):
        self.response.close()
        self.connection.close()


class Binding:
    agent = "worker"
    version = None
    seen = []  # every message that was answered, for checks of their form; each binding has its own

    def __init__(self, address, agent="worker"):
        self.address = address
        self.agent = agent

    def connect(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=20)
        all_headers = {"Content-Type": "application/json", "A2A-Version": self.version, **(headers or {})}
        all_headers = {name: value for name, value in all_headers.items() if value is not None}
        data = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
        connection.request(method, path, body=data, headers=all_headers)
        return connection

    def request(self, method, path, body=None, headers=None):
        connection = self.connect(method, path, body, headers)
        answer = Answer(connection.getresponse())
        connection.close()
        return answer

    def call(self, operation, params, headers=None, stream=False):
        """The operation's result, or all of its events."""
        return self.read(self.request(*self.asked(operation, params), headers), stream)

    def open(self, operation, params, headers=None):
        """The same as a stream that is read as it comes."""
        return Stream(self, self.connect(*self.asked(operation, params), headers))

    def send(self, parts, headers=None, configuration=None, **more):
        """Sends a message; the task or message that it was answered with."""
        wish = {"message": self.message(parts, **more)}
        if configuration is not None:
            wish["configuration"] = configuration
        return self.task(self.call("send", wish, headers))

    def later(self):
        """How a client asks not to be kept waiting."""
        return {"returnImmediately": True} if self.version else {"blocking": False}

    def push(self, operation, task, config=None, **more):
        """The parameters of an operation on a task's push notification configurations; `config` is one, or an id."""
        return {"taskId": task, **({"id": config} if isinstance(config, str) else config or {}), **more}

    def message(self, parts, **more):
        parts = [{"text": parts}] if isinstance(parts, str) else parts
        return {"messageId": "m", "role": self.user, self.parts_key: [self.part(p) for p in parts], **more}


class Rpc(Binding):
    def asked(self, operation, params):
        """Verb, path and body of the request."""
        return "POST", f"/a2a/{self.agent}", {"jsonrpc": "2.0", "id": 7, "method": self.methods[operation], "params": params}

    def open_event(self, message):
        self.seen.append(message)
        assert message["id"] == 7, message
        return message["result"]

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
        check_details(error["data"])

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
    def asked(self, operation, params):
        params = dict(params)
        method, path = self.paths[operation]
        for name in ("id", "taskId"):
            if "{" + name + "}" in path:
                path = path.replace("{" + name + "}", urllib.parse.quote(str(params.pop(name)), safe=""))
        tenant = params.pop("tenant", None)
        path = f"/a2a/{self.agent}{self.prefix(tenant)}{path}"
        if method == "GET" and params:
            path += "?" + urllib.parse.urlencode({k: str(v).lower() if isinstance(v, bool) else v for k, v in params.items()})
        return method, path, params if method == "POST" else None

    def open_event(self, message):
        self.seen.append(message)
        return message

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
        check_details(error["details"])
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
