"""Agent cards: what they hold in each form, how caches may keep them, and that they are signed with a published key."""
import base64
import json
import os
import re
import tempfile
from email.utils import parsedate_to_datetime

from bindings import Binding, Bridge
from signatures import decoded, verify_es256

PATH = "/a2a/picky/.well-known/agent-card.json"
NEEDED = {"name", "description", "version", "supportedInterfaces", "capabilities", "defaultInputModes", "defaultOutputModes", "skills"}
OPTIONAL = {"provider", "documentationUrl", "iconUrl", "securitySchemes", "securityRequirements", "signatures"}
OLD = {"protocolVersion", "url", "preferredTransport", "additionalInterfaces", "supportsAuthenticatedExtendedCard", "security"}


def card(it, path=PATH, **headers):
    answer = it.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status == 200, (path, answer.status, answer.text)
    return json.loads(answer.text)


def check_card(found, old):
    """Names and what must be there; nothing empty, because readers of signatures disagree on that."""
    assert NEEDED <= found.keys() <= NEEDED | OPTIONAL | (OLD if old else set()), found.keys()
    assert ("preferredTransport" in found) == old, found.keys()
    for one in found["supportedInterfaces"]:
        assert one.keys() == {"url", "protocolBinding", "protocolVersion"} and one["url"].startswith("http"), one
    assert [(one["protocolBinding"], one["protocolVersion"]) for one in found["supportedInterfaces"]] == \
        [(binding, version) for version in ("1.0", "0.3") for binding in ("JSONRPC", "HTTP+JSON")], found["supportedInterfaces"]
    assert found["capabilities"].keys() <= {"streaming", "pushNotifications", "extendedAgentCard", "extensions"}, found["capabilities"]
    for skill in found["skills"]:
        assert {"id", "name", "description", "tags"} <= skill.keys() and all(skill[name] for name in ("id", "name", "description", "tags")), skill
    assert not re.search(r'(""|\[\]|\{\}|null)[,}\]]', json.dumps(found)), found
    if old:
        assert (found["protocolVersion"], found["preferredTransport"]) == ("0.3.0", "JSONRPC"), found
        assert {(one["url"], one["transport"]) for one in found["additionalInterfaces"]} == \
            {(found["url"], "JSONRPC"), (found["url"], "HTTP+JSON")}, found


def gives_each_reader_its_form(address):
    """By header or query; who names none, or one that nobody knows, gets what is configured."""
    it = Binding(address)
    for path in (PATH, "/a2a/worker/.well-known/agent-card.json", "/.well-known/agent-card.json", "/.well-known/agent.json", "/a2a/.well-known/agent-card.json"):
        for version, old in ((None, True), ("", True), ("0.3", True), ("0.3.0", True), ("9", True), ("1.0", False), ("1.0.1", False)):
            check_card(card(it, path, A2A_Version=version), old)
            if version is not None:
                check_card(card(it, f"{path}?A2A-Version={version}"), old)


def gives_readers_of_a_strict_bridge_theirs(_address):
    with tempfile.TemporaryDirectory() as folder:
        config = os.path.join(folder, "bridge.json")
        with open(config, "w", encoding="utf-8") as file:
            json.dump({"a2a": {"card": "strict", "sign": False}, "public_url": "https://agents.example.com/",
                       "agents": {"worker": {"kind": "command", "command": ["/bin/cat"]}}}, file)
        with Bridge(config) as bridge:
            it = Binding(bridge.address)
            for version, old in ((None, False), ("1.0", False), ("0.3", True), ("9", False)):
                found = card(it, "/.well-known/agent-card.json", A2A_Version=version)
                check_card(found, old)
                assert "signatures" not in found and found["supportedInterfaces"][0]["url"] == "https://agents.example.com/a2a/worker", found
            assert json.loads(it.request("GET", "/.well-known/jwks.json").text) == {"keys": []}


def lets_caches_keep_it(address):
    it = Binding(address)
    first = it.request("GET", PATH, headers={"A2A-Version": "1.0"})
    kept = ("ETag", "Cache-Control", "Last-Modified", "Vary")
    tag, modified = first.headers["ETag"], first.headers["Last-Modified"]
    assert re.fullmatch(r'"[^"]+"', tag) and re.search(r"max-age=[1-9]", first.headers["Cache-Control"]), first.headers
    assert first.headers["Vary"] == "A2A-Version" and first.headers["Content-Type"] == "application/json", first.headers
    assert parsedate_to_datetime(modified).utcoffset().total_seconds() == 0, modified
    assert first.text == it.request("GET", PATH, headers={"A2A-Version": "1.0"}).text, "the same card is the same text, its signature too"
    assert tag != it.request("GET", PATH).headers["ETag"], "each form has its own tag"
    for headers, status in (({"If-None-Match": tag}, 304), ({"If-None-Match": "W/" + tag}, 304), ({"If-None-Match": f'"x", {tag}'}, 304), ({"If-None-Match": "*"}, 304),
                            ({"If-None-Match": '"x"'}, 200), ({"If-None-Match": '"x"', "If-Modified-Since": modified}, 200), ({"If-Modified-Since": modified}, 304),
                            ({"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200), ({"If-Modified-Since": "yesterday"}, 200)):
        for verb in ("GET", "HEAD"):
            answer = it.request(verb, PATH, headers={"A2A-Version": "1.0", **headers})
            assert answer.status == status, (verb, headers, answer.status)
            assert (answer.text == "") == (status == 304 or verb == "HEAD"), (verb, headers, answer.text)
            assert [answer.headers[name] for name in kept] == [first.headers[name] for name in kept], (verb, headers, answer.headers)
    assert it.request("GET", PATH, headers={"If-None-Match": tag}).status == 200, "the tag of one form is not that of the other"
    assert it.request("DELETE", PATH).headers["Allow"] == "GET, HEAD"


def without_empty(value):
    """As readers of 1.0 make the payload: without what is empty, without the signatures."""
    if isinstance(value, dict):
        kept = {key: without_empty(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ("", [], {}, None)}
    return [without_empty(item) for item in value] if isinstance(value, list) else value


def is_signed(address):
    it = Binding(address)
    for version in ("1.0", None):
        found = card(it, A2A_Version=version)
        (signature,) = found.pop("signatures")
        head = json.loads(decoded(signature["protected"]))
        assert signature.keys() == {"protected", "signature"} and (head["alg"], head["typ"]) == ("ES256", "JOSE"), (signature, head)
        assert head["jku"] == f"http://{address}/.well-known/jwks.json", head
        answer = it.request("GET", "/.well-known/jwks.json")
        (key,) = [key for key in json.loads(answer.text)["keys"] if key["kid"] == head["kid"]]
        assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig") and "d" not in key, key
        assert "max-age" in answer.headers["Cache-Control"], answer.headers
        for name in OLD:
            found.pop(name, None)
        payload = json.dumps(without_empty(found), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        signed = (signature["protected"] + "." + base64.urlsafe_b64encode(payload).decode().rstrip("=")).encode()
        verify_es256(key, signed, decoded(signature["signature"]))
        try:
            verify_es256(key, signed + b"x", decoded(signature["signature"]))
        except AssertionError:
            continue
        raise AssertionError("another card has the same signature")


def shows_what_is_configured(address):
    it = Binding(address)
    picky = card(it, A2A_Version="1.0")
    assert (picky["name"], picky["version"], picky["skills"][0]["id"], picky["provider"]["organization"]) == ("Picky", "2.1.0", "say", "Example")
    assert picky["capabilities"]["extensions"] == [{"uri": "https://example.com/must", "required": True}, {"uri": "https://example.com/may", "params": {"a": 1}}], picky
    assert picky["defaultInputModes"] == ["text/plain"] and picky["documentationUrl"], picky
    worker = card(it, "/.well-known/agent-card.json")
    assert (worker["name"], worker["url"], worker["defaultInputModes"]) == ("worker", f"http://{address}/a2a/worker", ["*/*"]), worker


ONCE = [gives_each_reader_its_form, gives_readers_of_a_strict_bridge_theirs, lets_caches_keep_it, is_signed, shows_what_is_configured]
