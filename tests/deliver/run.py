#!/usr/bin/env python3
"""Webhooks and push notifications from outside: a real bridge, a real receiver that fails, hangs, redirects and goes away,
kills in between, and `agentbridge webhooks`. Prints "N passed, N failed".

  run.py [WORD]     only the tests whose name has it"""
import base64
import hashlib
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "a2a"))
from bindings import ALL, Http10, Refused, Rpc03, Rpc10  # noqa: E402
from receiver import PATIENCE, Receiver  # noqa: E402
from signatures import decoded, verify_es256  # noqa: E402

BINARY = os.environ.get("AGENTBRIDGE", os.path.join(HERE, "..", "..", "build", "agentbridge"))
AGENT = os.path.join(HERE, "..", "golden", "agent.py")
SECRET = "whsec_" + base64.b64encode(b"a secret of thirty-two bytes, yes").decode()
CANARY = "canary-5f1d"


def until(holds, what):
    end = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < end, f"{what} did not come"
        time.sleep(0.02)
    return found


class Bench:
    """A data directory, its configuration and a receiver; the bridge is started and killed by the tests."""

    def __init__(self, folder, receiver, **outbound):
        self.folder = folder
        self.receiver = receiver
        self.config = {
            "data": os.path.join(folder, "data"), "default_agent": "worker",
            "outbound": {"allow": ["127.0.0.0/8"], "retry_first_s": 0.2, "retry_longest_s": 1, **outbound},
            "agents": {"worker": {"kind": "command", "command": [AGENT], "output": "events", "env": ["PATH"]}},
        }
        self.process = None

    def webhooks(self, *webhooks):
        self.config["agents"]["worker"]["webhooks"] = list(webhooks)

    def start(self):
        path = os.path.join(self.folder, "config.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(self.config, file)
        self.log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen([BINARY, "serve", "--config", path, "--listen", "127.0.0.1:0"], stdout=subprocess.PIPE,
                                        stderr=self.log, text=True, env={**os.environ, "HOOK_SECRET": SECRET})
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), self.said()
        self.address = line.split("//")[1].strip()
        return self

    def said(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            return file.read()

    def kill(self):
        self.process.kill()
        self._gone()

    def stop(self):
        self.process.terminate()
        code = self.process.wait(PATIENCE)
        self._gone()
        assert code == 0, f"ended with {code}: {self.said()[-2000:]}"

    def _gone(self):
        self.process.wait(PATIENCE)
        self.process.stdout.close()
        self.log.close()
        self.process = None

    def command(self, *words, code=0):
        done = subprocess.run([BINARY, "webhooks", *words, "--data", self.config["data"]], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stderr

    def rows(self, *words):
        return [json.loads(line) for line in self.command("list", "--json", *words).splitlines()]

    def send(self, text, it=None, **more):
        it = it or Rpc10(self.address)
        wish = {"message": it.message(text, **more.pop("message", {})), **more}
        return it.task(it.call("send", wish))

    def metric(self, name):
        with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))


def statuses(posts):
    return [post.json["status"] for post in posts]


# --- webhooks ---

def signed_and_as_json(bench, receiver):
    events = ["executing", "completed", "failed"]
    bench.webhooks({"url": receiver.url("/all"), "secret": {"env": "HOOK_SECRET"}, "events": events},
                   {"url": receiver.url("/ends")})
    bench.start()
    task = bench.send("echo")
    posts = receiver.until("/all", 2)
    assert statuses(posts) == ["executing", "completed"], statuses(posts)
    assert len({post.headers["webhook-id"] for post in posts}) == 2
    for post in posts:
        post.check_signature(SECRET)
        assert post.headers["Content-Type"] == "application/json"
        assert task["id"] in json.dumps(post.json)
    assert "echo" in json.dumps(posts[1].json) and "result" not in {k for k, v in posts[0].json.items() if v}, posts[0].json
    plain = receiver.until("/ends", 1)
    assert statuses(plain) == ["completed"] and plain[0].headers["webhook-signature"] is None
    asked = bench.send("ask")
    assert statuses(receiver.until("/ends", 2))[1] == "paused"
    Rpc10(bench.address).call("cancel", {"id": asked["id"]})
    assert statuses(receiver.until("/ends", 3))[2] == "stopped"
    until(lambda: bench.rows() == [], "an empty outbox")
    assert SECRET not in bench.said()
    until(lambda: bench.metric('agentbridge_delivery_attempts_total{outcome="sent"}') >= 6, "its metric")
    bench.stop()


def repeats_until_it_is_taken_and_in_order(bench, receiver):
    bench.webhooks({"url": receiver.url("/x"), "secret": {"env": "HOOK_SECRET"}, "events": ["executing", "completed"]})
    receiver.script["/x"] = [500, 503, (429, {"Retry-After": "0"})]
    bench.start()
    bench.send("echo")
    posts = receiver.until("/x", 5)
    assert statuses(posts) == ["executing"] * 4 + ["completed"], statuses(posts)
    assert len({post.headers["webhook-id"] for post in posts[:4]}) == 1, "one message has one id"
    for post in posts:
        post.check_signature(SECRET)
    bench.stop()


def outlives_kills(bench, receiver):
    bench.webhooks({"url": receiver.url("/x"), "events": ["executing", "completed"]})
    receiver.held.add("/x")
    bench.start()
    ids = {bench.send("echo")["id"] for _ in range(3)}
    receiver.until("/x", 3)
    bench.kill()
    receiver.release("/x")
    receiver.script["/x"] = [503] * 3
    bench.start()
    until(lambda: bench.rows() == [], "an empty outbox")
    told = {}
    for post in receiver.at("/x"):
        told.setdefault(post.headers["webhook-id"].split("_")[1], []).append(post.json["status"])
    assert set(told) == ids, told
    for steps in told.values():
        assert steps[-1] == "completed" and sorted(set(steps)) == ["completed", "executing"], steps
        assert steps == sorted(steps, key=["executing", "completed"].index), steps
    bench.stop()


def a_slow_receiver_holds_nobody_up(bench, receiver):
    other = Receiver()
    bench.webhooks({"url": receiver.url("/slow")}, {"url": other.url("/quick")})
    receiver.held.add("/slow")
    bench.start()
    for _ in range(8):
        bench.send("echo")
    other.until("/quick", 8)
    assert len(receiver.at("/slow")) == 4, "four at once to one receiver"
    receiver.release("/slow")
    receiver.until("/slow", 8)
    other.close()
    bench.stop()


def follows_no_redirect(bench, receiver):
    bench.webhooks({"url": receiver.url("/x")})
    receiver.script["/x"] = [(302, {"Location": receiver.url("/other")}), (307, {"Location": receiver.url("/other")})]
    bench.start()
    bench.send("echo")
    receiver.until("/x", 1)
    row = until(lambda: [row for row in bench.rows() if "last_error" in row], "its failure")[0]
    assert "redirects are not followed" in row["last_error"], row
    receiver.until("/x", 3)
    assert receiver.at("/other") == receiver.at("GET /other") == []
    bench.stop()


def gives_up_what_it_must_and_sends_it_again(bench, receiver):
    bench.webhooks({"url": receiver.url("/x?key=" + CANARY)})
    receiver.script["/x?key=" + CANARY] = [410, 410]
    bench.start()
    ids = [bench.send("echo")["id"], bench.send("echo")["id"]]
    dead = until(lambda: (rows := bench.rows("--state", "dead")) and len(rows) == 2 and rows, "two that were given up")
    assert [row["task_id"] for row in dead] == ids and all("wants no more" in row["last_error"] for row in dead), dead
    assert bench.metric("agentbridge_deliveries_dead") in (0, 1, 2)
    shown = bench.command("show", str(dead[0]["id"]))
    assert ids[0] in shown and "410" in shown and "dead" in shown and CANARY not in shown, shown
    assert CANARY not in bench.command("list") and CANARY not in json.dumps(bench.rows()) + bench.said()
    assert "there is no webhook 99" in bench.command("show", "99", code=1)
    assert "number" in bench.command("resend", "x", code=1)
    assert "needs an id" in bench.command("resend", code=2)
    assert "needs one of" in bench.command("frobnicate", code=2)
    assert "1 is sent again" in bench.command("resend", str(dead[0]["id"]))
    until(lambda: len(bench.rows()) == 1, "one of them delivered")
    bench.stop()
    # Nobody serves: the command holds the directory itself, and the next bridge delivers.
    assert [row["state"] for row in bench.rows()] == ["dead"]
    assert "when a bridge serves" in bench.command("resend", "--all")
    assert [row["state"] for row in bench.rows()] == ["due"]
    assert "none was given up" in bench.command("resend", "--all")
    before = len(receiver.posts)
    bench.start()
    until(lambda: bench.rows() == [], "an empty outbox")
    assert len(receiver.posts) == before + 1
    bench.stop()


def gives_up_in_time(bench, receiver):
    bench.config["outbound"]["give_up_s"] = 0.5
    bench.webhooks({"url": receiver.url("/x"), "events": ["executing", "completed"]})
    receiver.script["/x"] = [500] * 50
    bench.start()
    bench.send("echo")
    dead = until(lambda: (rows := bench.rows("--state", "dead")) and len(rows) == 2 and rows, "two that were given up")
    assert all("500" in row["last_error"] and row["attempts"] >= 2 for row in dead), dead
    bench.stop()


def connects_to_no_forbidden_address(bench, receiver):
    """A name is judged by the address it leads to, when it is connected to."""
    host = socket.gethostname()
    if host == "localhost" or not socket.gethostbyname(host).startswith(("127.", "10.", "172.", "192.168.")):
        print(f"skipped: the name of this machine, {host}, leads to no private address")
        return
    bench.config["outbound"]["allow"] = []
    bench.webhooks({"url": f"http://{host}:{receiver.port}/x"})
    bench.start()
    bench.send("echo")
    dead = until(lambda: bench.rows("--state", "dead"), "one that was given up")
    assert "outbound.allow" in dead[0]["last_error"] and "http" in dead[0]["last_error"] and dead[0]["attempts"] == 1, dead
    assert receiver.posts == []
    bench.stop()


def refuses_configurations(bench, receiver):
    for webhook, words in (({"url": "http://10.0.0.1/x"}, "outbound.allow"), ({"url": "ftp://x/"}, "url"),
                           ({"url": receiver.url("/x"), "secret": {"env": "NO_SUCH"}}, "NO_SUCH is not set"),
                           ({"url": receiver.url("/x"), "events": ["done"]}, "events")):
        bench.webhooks(webhook)
        path = os.path.join(bench.folder, "wrong.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(bench.config, file)
        done = subprocess.run([BINARY, "check", "--config", path], capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 1 and words in done.stdout + done.stderr, (webhook, done)


def invoke(bench, body, route="invoke"):
    """The status and body that the REST API answers an invocation with."""
    request = urllib.request.Request(f"http://{bench.address}/v1/agents/worker/{route}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def one_invocation_brings_its_own(bench, receiver):
    """Beside those of the agent, with a secret that is kept sealed."""
    secret = "whsec_" + base64.b64encode(CANARY.encode() * 3).decode()
    bench.webhooks({"url": receiver.url("/agent")})
    receiver.script["/own"] = [503]
    bench.start()
    status, task = invoke(bench, {"input": {"text": "echo"}, "webhooks": [
        {"url": receiver.url("/own"), "secret": secret, "events": ["executing", "completed"]}]})
    assert status == 200 and secret not in json.dumps(task), (status, task)
    posts = receiver.until("/own", 3)
    assert statuses(posts) == ["executing", "executing", "completed"], statuses(posts)
    for post in posts:
        post.check_signature(secret)
    assert posts[-1].json["id"] == task["id"] and posts[-1].json["result"] == task["result"], (posts[-1].json, task)
    assert statuses(receiver.until("/agent", 1)) == ["completed"]
    invoke(bench, {"input": {"text": "echo"}})
    receiver.until("/agent", 2)
    assert len(receiver.at("/own")) == 3, "the next one brought none"
    for name in os.listdir(bench.config["data"]):
        if name.startswith("agentbridge.db"):
            with open(os.path.join(bench.config["data"], name), "rb") as file:
                assert secret.encode() not in file.read(), f"{name} holds the secret"
    for webhooks, where in (("x", []), ([{"url": "http://10.0.0.1/"}], [0, "url"]), ([{"url": receiver.url("/own")}, {}], [1, "url"]),
                            ([{"url": receiver.url("/own"), "secret": {"env": "HOME"}}], [0, "secret"]),
                            ([{"url": receiver.url("/own"), "events": ["done"]}], [0, "events"])):
        for route in ("invoke", "invoke/async", "invoke/stream"):
            status, answer = invoke(bench, {"input": {"text": "echo"}, "webhooks": webhooks}, route)
            assert status == 422 and answer["detail"][0]["loc"][:len(where) + 2] == ["body", "webhooks", *where], (webhooks, answer)
    assert SECRET not in bench.said() and secret not in bench.said()
    bench.stop()


# --- push notifications of A2A ---

def push_config(it, url, **more):
    secret = {"token": CANARY + "-token"}
    if more.pop("authenticated", False):
        secret["authentication"] = {"credentials": CANARY + "-credentials", **({"scheme": "Bearer"} if it.version else {"schemes": ["Bearer"]})}
    return {"url": url, **secret, **more}


def in_send(it, config):
    name = "taskPushNotificationConfig" if it.version else "pushNotificationConfig" if hasattr(it, "methods") else "pushNotification"
    return {name: config, "returnImmediately": False, "blocking": True}


def state(value):
    return value["status"]["state"].removeprefix("TASK_STATE_").replace("-", "_").upper()


def told_1_0(posts):
    told = []
    for post in posts:
        assert post.headers["Content-Type"] == "application/a2a+json", post.headers
        (name, value), = post.json.items()
        told.append(name + (" " + state(value) if "status" in value else " " + value["artifact"]["artifactId"]))
    return told


def told_0_3(posts):
    told = []
    for post in posts:
        assert post.headers["Content-Type"] == "application/json" and post.json["kind"] == "task", post.json
        told.append(state(post.json))
    return told


def check_secrets(bench, posts, authorization):
    for post in posts:
        assert post.headers["X-A2A-Notification-Token"] == CANARY + "-token", post.headers
        assert post.headers["Authorization"] == authorization, post.headers
    assert CANARY not in bench.said()
    for name in os.listdir(bench.config["data"]):
        if name.startswith("agentbridge.db"):
            with open(os.path.join(bench.config["data"], name), "rb") as file:
                assert CANARY.encode() not in file.read(), f"{name} holds a secret"


def pushes_from_a_message(bench, receiver):
    bench.start()
    for kind in ALL:
        it = kind(bench.address)
        path = "/" + it.name.replace(" ", "-").replace("+", "-")
        task = bench.send("files", it, configuration=in_send(it, push_config(it, receiver.url(path), authenticated=True)))
        posts = receiver.until(path, 5)
        if it.version:
            assert told_1_0(posts) == ["statusUpdate WORKING"] + ["artifactUpdate f"] * 3 + ["task COMPLETED"], told_1_0(posts)
            last = posts[-1].json["task"]
            assert [post.json["artifactUpdate"].get("append", False) for post in posts[1:4]] == [False, True, True]
        else:
            assert told_0_3(posts) == ["WORKING"] * 4 + ["COMPLETED"], told_0_3(posts)
            last = posts[-1].json
        assert last["id"] == task["id"] and len(last["artifacts"]) == 2, last
        check_secrets(bench, posts, f"Bearer {CANARY}-credentials")
    bench.stop()


def pushes_to_whoever_registered_in_its_version(bench, receiver):
    """Two configurations of one task, one in each version; one comes with the answer, one is removed."""
    bench.start()
    new, old = Rpc10(bench.address), Rpc03(bench.address)
    asked = bench.send("ask")
    new.call("push", new.push("push", asked["id"], push_config(new, receiver.url("/new"))))
    old.call("push", old.push("push", asked["id"], push_config(old, receiver.url("/old"))))
    gone = new.call("push", new.push("push", asked["id"], push_config(new, receiver.url("/gone"))))
    new.call("push_delete", new.push("push_delete", asked["id"], gone["id"]))
    assert len(new.call("push_list", {"taskId": asked["id"]})["configs"]) == 2
    done = bench.send("yes", message={"taskId": asked["id"]}, configuration=in_send(new, push_config(new, receiver.url("/late"))))
    assert state(done) == "COMPLETED", done
    assert told_1_0(receiver.until("/new", 2)) == ["statusUpdate WORKING", "task COMPLETED"]
    assert told_0_3(receiver.until("/old", 2)) == ["WORKING", "COMPLETED"]
    assert told_1_0(receiver.until("/late", 2)) == ["statusUpdate WORKING", "task COMPLETED"]
    check_secrets(bench, receiver.at("/new"), None)
    assert receiver.at("/gone") == []
    assert len(old.call("push_list", {"id": asked["id"]})) == 3, "they stay with the task"
    bench.stop()


def pushes_questions(bench, receiver):
    bench.start()
    it = Http10(bench.address)
    task = bench.send("ask", it, configuration=in_send(it, push_config(it, receiver.url("/x"))))
    posts = receiver.until("/x", 2)
    assert told_1_0(posts) == ["statusUpdate WORKING", "statusUpdate INPUT_REQUIRED"], told_1_0(posts)
    asked = posts[1].json["statusUpdate"]["status"]["message"]["parts"]
    assert "questions" in json.dumps(asked), asked
    it.call("cancel", {"id": task["id"]})
    assert told_1_0(receiver.until("/x", 3))[2] == "task CANCELED"
    bench.stop()


def registrations_outlive_kills(bench, receiver):
    bench.start()
    it = Rpc10(bench.address)
    task = bench.send("echo", it)
    it.call("push", it.push("push", task["id"], push_config(it, receiver.url("/ended"), id="mine")))
    receiver.held.add("/x")
    bench.send("files", it, configuration=in_send(it, push_config(it, receiver.url("/x"), authenticated=True)))
    receiver.until("/x", 1)
    bench.kill()
    receiver.release("/x")
    bench.start()
    it = Rpc10(bench.address)
    assert it.call("push_get", it.push("push_get", task["id"], "mine"))["url"] == receiver.url("/ended")
    posts = receiver.until("/x", 6)
    assert told_1_0(posts[1:]) == ["statusUpdate WORKING"] + ["artifactUpdate f"] * 3 + ["task COMPLETED"], told_1_0(posts)
    check_secrets(bench, posts, f"Bearer {CANARY}-credentials")
    assert receiver.at("/ended") == [], "nothing happens to a task that has ended"
    bench.stop()


def a_deleted_registration_is_told_nothing_more(bench, receiver):
    bench.start()
    it = Rpc10(bench.address)
    receiver.script["/x"] = [500] * 100
    asked = bench.send("ask", it, configuration=in_send(it, push_config(it, receiver.url("/x"), id="mine")))
    receiver.until("/x", 1)
    assert len(bench.rows()) == 2, bench.rows()
    it.call("push_delete", it.push("push_delete", asked["id"], "mine"))
    assert bench.rows() == []
    bench.send("yes", it, message={"taskId": asked["id"]})
    assert bench.rows() == []
    bench.stop()


def a_jwt_says_who_posted(bench, receiver):
    bench.config["a2a"] = {"sign_push": True}
    bench.config["public_url"] = "https://bridge.example"
    bench.start()
    it = Rpc10(bench.address)
    bench.send("echo", it, configuration=in_send(it, {"url": receiver.url("/x")}))
    bench.send("echo", it, configuration=in_send(it, push_config(it, receiver.url("/own"), authenticated=True)))
    keys = json.loads(it.request("GET", "/.well-known/jwks.json").text)["keys"]
    seen = set()
    for post in receiver.until("/x", 2):
        scheme, _, token = post.headers["Authorization"].partition(" ")
        header, claims, signature = token.split(".")
        head, said = json.loads(decoded(header)), json.loads(decoded(claims))
        assert (scheme, head["alg"], head["typ"]) == ("Bearer", "ES256", "JWT"), head
        key, = [key for key in keys if key["kid"] == head["kid"]]
        verify_es256(key, f"{header}.{claims}".encode(), decoded(signature))
        assert (said["iss"], said["aud"]) == ("https://bridge.example", receiver.url("/x")), said
        assert said["iat"] <= post.at + 5 and said["exp"] == said["iat"] + 300 and said["taskId"], said
        assert said["request_body_sha256"] == hashlib.sha256(post.body).hexdigest(), said
        seen.add(said["jti"])
    assert len(seen) == 2
    for post in receiver.until("/own", 2):
        assert post.headers["Authorization"] == f"Bearer {CANARY}-credentials"
    bench.stop()


def refuses_forbidden_targets(bench, receiver):
    bench.config["outbound"]["allow"] = []
    bench.start()
    for kind in ALL:
        it = kind(bench.address)
        try:
            bench.send("echo", it, configuration=in_send(it, push_config(it, receiver.url("/x"))))
            raise AssertionError("it was taken")
        except Refused as refused:
            assert refused.name == "INVALID_PARAMS" and "outbound.allow" in refused.message, refused
    assert receiver.posts == [] and CANARY not in bench.said()
    bench.stop()


TESTS = [signed_and_as_json, repeats_until_it_is_taken_and_in_order, outlives_kills, a_slow_receiver_holds_nobody_up, follows_no_redirect,
         gives_up_what_it_must_and_sends_it_again, gives_up_in_time, one_invocation_brings_its_own, connects_to_no_forbidden_address, refuses_configurations,
         pushes_from_a_message, pushes_to_whoever_registered_in_its_version, pushes_questions, registrations_outlive_kills,
         a_deleted_registration_is_told_nothing_more, a_jwt_says_who_posted, refuses_forbidden_targets]


def run(test):
    receiver = Receiver()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder, receiver)
        try:
            test(bench, receiver)
            return True
        except Exception:  # whatever breaks is this test's failure
            print(f"FAILED {test.__name__}: {traceback.format_exc()}")
            if os.path.exists(os.path.join(folder, "log")):
                print(bench.said()[-3000:])
            return False
        finally:
            if bench.process is not None:
                bench.kill()
            receiver.close()


def main():
    results = [run(test) for test in TESTS if len(sys.argv) < 2 or sys.argv[1] in test.__name__]
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) and results else 1


if __name__ == "__main__":
    sys.exit(main())
