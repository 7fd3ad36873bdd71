"""The bridge as a process, and a client of its REST API that holds every answer against schemas/openapi.json."""
import http.client
import json
import os
import re
import signal
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
BINARY = os.environ.get("AGENTBRIDGE", os.path.join(HERE, "..", "..", "build", "agentbridge"))
with open(os.path.join(HERE, "..", "..", "schemas", "openapi.json"), encoding="utf-8") as file:
    DOCUMENT = json.load(file)

driven = {}  # (path, method) of the document -> statuses that were answered
checked = 0


class Bridge:
    def __init__(self, data, config=os.path.join(HERE, "bridge.jsonc"), log=subprocess.DEVNULL):
        self.process = subprocess.Popen(
            [BINARY, "serve", "--config", config, "--listen", "127.0.0.1:0", "--data", data], stdout=subprocess.PIPE,
            stderr=log, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://"), f"the bridge did not start: {line!r}"
        self.address = line.split("//")[1].strip()

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def memory_kb(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            return int(next(line for line in file if line.startswith("RssAnon")).split()[1])


def operation_of(method, path):
    for form, operations in DOCUMENT["paths"].items():
        pattern = re.sub(r"\{\w+\}", "[^/]+", form)
        if re.fullmatch(pattern, path) and method.lower() in operations:
            return form, operations[method.lower()]
    return None, None


def fits(schema, value):
    """Why the value does not fit this schema of the document, or None."""
    try:
        import jsonschema
    except ImportError:
        return None
    whole = {"components": DOCUMENT["components"], **schema}
    checker = jsonschema.FormatChecker()
    for error in jsonschema.Draft202012Validator(whole, format_checker=checker).iter_errors(value):
        return f"at {list(error.absolute_path)}: {error.message[:300]}"
    return None


class Answer:
    def __init__(self, status, headers, text):
        self.status = status
        self.headers = headers
        self.text = text

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def detail(self):
        return self.json["detail"]

    def events(self):
        return [event for _, event in self.events_with_ids()]

    def events_with_ids(self):
        found = []
        for block in self.text.split("\n\n"):
            fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line and not line.startswith(":"))
            if "data" in fields:
                found.append((fields.get("id"), json.loads(fields["data"])))
        return found


def check(method, path, answer):
    """The document names this route, this status, and what the answer looks like."""
    global checked
    form, operation = operation_of(method, path)
    if operation is None:
        assert answer.status in (404, 405), (method, path, answer.status)
        return
    driven.setdefault((form, method.lower()), set()).add(answer.status)
    response = operation["responses"].get(str(answer.status))
    assert response is not None, f"{method} {form} answers {answer.status}, which the document does not know: {answer.text}"
    if "content" not in response:
        assert answer.text == "", (method, path, answer.text)
        return
    kind = answer.headers["Content-Type"]
    schema = response["content"][kind]["schema"]
    for value in answer.events() if kind == "text/event-stream" else [answer.json]:
        fault = fits(schema, value)
        assert fault is None, f"{method} {form} {answer.status}: {fault}"
        checked += 1


class Client:
    def __init__(self, address):
        self.address = address

    def open(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"x-api-key": "ignored here", **(headers or {})}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        connection.request(method, path, body, {name: value for name, value in headers.items() if value is not None})
        return connection

    def call(self, method, path, body=None, headers=None):
        connection = self.open(method, path, body, headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read().decode())
        connection.close()
        check(method, path.split("?")[0], answer)
        return answer

    def good(self, method, path, body=None, headers=None):
        answer = self.call(method, path, body, headers)
        assert answer.status == 200, (method, path, answer.status, answer.text)
        return answer.json

    def invoke(self, text, agent="worker", how="", **more):
        """The task; `how` is "", "/async" or "/stream"."""
        return self.good("POST", f"/v1/agents/{agent}/invoke{how}", {"input": {"text": text}, **more})

    def stream(self, text, agent="worker", **more):
        answer = self.call("POST", f"/v1/agents/{agent}/invoke/stream", {"input": {"text": text}, **more})
        assert answer.status == 200, answer.text
        return answer

    def get(self, task_id):
        return self.good("GET", f"/v1/tasks/{task_id}")

    def reply(self, task_id, **answers):
        return self.call("POST", f"/v1/tasks/{task_id}/reply", {"answers": answers})


class Reader:
    """A stream read event by event."""

    def __init__(self, client, method, path, body=None, headers=None):
        self.connection = client.open(method, path, body, headers)
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.read()
        self.id = None

    def next(self):
        """The next event; None at the stream's end."""
        data = None
        while True:
            line = self.response.readline().decode()
            if line == "":
                return None
            if line.startswith("id: "):
                self.id = line[4:].strip()
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif line == "\n" and data is not None:
                return data

    def until(self, kind):
        events = []
        while (event := self.next()) is not None:
            events.append(event)
            if event["type"] == kind:
                return events
        return events

    def close(self):
        self.connection.close()
