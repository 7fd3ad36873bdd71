"""What answers may hold: each message of 1.0, and of 0.3 over HTTP+JSON (the JSON form of its proto), name by name.

A reader of these versions may refuse a name that it does not know, and ProtoJSON leaves out what is empty or false: so
nothing else may be there, and nothing that says nothing. (For 0.3 over JSON-RPC there is a published schema.)"""
import re

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z")
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
ROLES = {"ROLE_USER", "ROLE_AGENT"}
STATES = {"TASK_STATE_" + name for name in ("SUBMITTED", "WORKING", "COMPLETED", "FAILED", "INPUT_REQUIRED", "REJECTED", "AUTH_REQUIRED")}
TEXT, FLAG, STRUCT, ANY = "a text", "true", "an object", "anything"

# "name": what it is; a name with "!" must be there, and may be empty; [x] is an array of x that is not empty.
V1_0 = {
    "Task": {"id!": TEXT, "contextId": TEXT, "status!": "TaskStatus", "artifacts": ["Artifact"], "history": ["Message"], "metadata": STRUCT},
    "TaskStatus": {"state!": STATES | {"TASK_STATE_CANCELED"}, "message": "Message", "timestamp": TIME},
    "Message": {"messageId!": TEXT, "contextId": TEXT, "taskId": TEXT, "role!": ROLES, "parts!": ["Part"], "metadata": STRUCT,
                "extensions": [TEXT], "referenceTaskIds": [TEXT]},
    "Part": {"text": ANY, "raw": BASE64, "url": ANY, "data": ANY, "metadata": STRUCT, "filename": TEXT, "mediaType": TEXT},
    "Artifact": {"artifactId!": TEXT, "name": TEXT, "description": TEXT, "parts!": ["Part"], "metadata": STRUCT, "extensions": [TEXT]},
    "statusUpdate": {"taskId!": TEXT, "contextId!": TEXT, "status!": "TaskStatus", "metadata": STRUCT},
    "artifactUpdate": {"taskId!": TEXT, "contextId!": TEXT, "artifact!": "Artifact", "append": FLAG, "lastChunk": FLAG, "metadata": STRUCT},
    "Config": {"id": TEXT, "taskId": TEXT, "url!": TEXT, "token": TEXT, "authentication": "Authentication", "tenant": TEXT},
    "Authentication": {"scheme!": TEXT, "credentials": TEXT},
}
V0_3 = {
    "Task": V1_0["Task"], "TaskStatus": {"state!": STATES | {"TASK_STATE_CANCELLED"}, "message": "Message", "timestamp": TIME},
    "Message": {"messageId!": TEXT, "contextId": TEXT, "taskId": TEXT, "role!": ROLES, "content!": ["Part"], "metadata": STRUCT,
                "extensions": [TEXT], "referenceTaskIds": [TEXT]},
    "Part": {"text": ANY, "file": "File", "data": "Data"}, "Data": {"data!": STRUCT},
    "File": {"fileWithUri": ANY, "fileWithBytes": BASE64, "mimeType": TEXT}, "Artifact": V1_0["Artifact"],
    "statusUpdate": {**V1_0["statusUpdate"], "final!": ANY}, "artifactUpdate": V1_0["artifactUpdate"],
    "Config": {"name!": TEXT, "pushNotificationConfig!": "Inner"},
    "Inner": {"id": TEXT, "url!": TEXT, "token": TEXT, "authentication": {"schemes": [TEXT], "credentials": TEXT}},
}
ONE_OF = {"Part": ("text", "raw", "url", "data", "file"), "File": ("fileWithUri", "fileWithBytes")}


def check(value, shape, shapes, place):
    if isinstance(shape, str) and shape in shapes:
        check_members(value, shape, shapes, place)
    elif isinstance(shape, list):
        assert isinstance(value, list) and value, f"{place}: an array that is not empty, found {value!r}"
        for number, item in enumerate(value):
            check(item, shape[0], shapes, f"{place}[{number}]")
    elif isinstance(shape, re.Pattern):
        assert isinstance(value, str) and shape.fullmatch(value), f"{place}: {shape.pattern}, found {value!r}"
    elif isinstance(shape, set):
        assert value in shape, f"{place}: {value!r}"
    elif shape == TEXT:
        assert isinstance(value, str) and value, f"{place}: a text that is not empty, found {value!r}"
    elif shape == FLAG:
        assert value is True, f"{place}: what is false is left out, found {value!r}"
    elif shape == STRUCT:
        assert isinstance(value, dict), f"{place}: an object, found {value!r}"


def check_members(value, name, shapes, place):
    members = shapes[name]
    assert isinstance(value, dict), f"{place}: a {name}, found {value!r}"
    known = {key.rstrip("!"): shape for key, shape in members.items()}
    assert value.keys() <= known.keys(), f"{place}: a {name} has no {sorted(value.keys() - known.keys())}"
    missing = [key for key in members if key.endswith("!") and key[:-1] not in value]
    assert not missing, f"{place}: a {name} needs {missing}: {value}"
    if name in ONE_OF:
        assert sum(key in value for key in ONE_OF[name]) == 1, f"{place}: a {name} is one thing: {value}"
    for key, item in value.items():
        check(item, known[key], shapes, f"{place}.{key}")


def check_result(value, shapes):
    """A result of any method, or an event of a stream."""
    kinds = {"task": "Task", "message": "Message", "statusUpdate": "statusUpdate", "artifactUpdate": "artifactUpdate"}
    if value is None or value == {}:
        return
    if len(value) == 1 and next(iter(value)) in kinds:
        name, inner = next(iter(value.items()))
        check(inner, kinds[name], shapes, name)
    elif "tasks" in value:
        assert value.keys() == {"tasks", "nextPageToken", "pageSize", "totalSize"}, f"a list has four members: {value.keys()}"
        for task in value["tasks"]:
            check({key: item for key, item in task.items() if item != [] or key != "artifacts"}, "Task", shapes, "tasks[]")
    elif "configs" in value:
        assert value.keys() == {"configs", "nextPageToken"}, f"a list of configurations has two members: {value.keys()}"
        for config in value["configs"]:
            check(config, "Config", shapes, "configs[]")
    else:
        check(value, "Config" if "url" in value or "pushNotificationConfig" in value else "Task", shapes, "result")
