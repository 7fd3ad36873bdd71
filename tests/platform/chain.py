"""Two bridges in a row: A (a platform agent) before B (the REST API, a program). What the program says is seen at A, what
is said at A reaches the program, whatever happens to the way between them or to either of them."""
import http.client
import json
import os
import random
import tempfile
import threading
import time

from fake_platform import Platform
from fault_proxy import FaultProxy
from support import TERMINAL, Bridge, equal

HERE = os.path.dirname(os.path.abspath(__file__))
CANARY = "canary-4f1c9b7e-user-token"


class Chain:
    """`share`: of the connections between the two that get a fault; None: they are connected directly."""

    def __init__(self, share=None, seed=0, restart="error"):
        self.folder = tempfile.mkdtemp(prefix="agentbridge-chain-")
        self.ledger = os.path.join(self.folder, "ledger")
        open(self.ledger, "w", encoding="utf-8").close()
        os.environ["CHAIN_LEDGER"] = self.ledger
        self.b = Bridge({"agents": {"program": {"kind": "command", "command": [os.path.join(HERE, "chain_agent.py")], "output": "events",
                                                "env": ["PATH", "CHAIN_LEDGER"], "restart": restart, "cancel_s": 5}}})
        self.proxy = None if share is None else FaultProxy(self.b.address, seed, share)
        url = "http://" + (self.b.address if self.proxy is None else self.proxy.address)
        self.a = Bridge({"agents": {"far": {"kind": "platform", "url": url, "agent_id": "program", "timeout_s": 120, "idle_s": 20,
                                            "answer_s": 3, "poll_s": 0.1, "poll_longest_s": 1, "retries": 50}}})
        self.client = self.a.client()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.a.end()
        self.b.end()
        if self.proxy:
            self.proxy.close()

    def lines(self):
        with open(self.ledger, encoding="utf-8") as file:
            return file.read().splitlines()

    def await_line(self, line):
        for _ in range(3000):
            if line in self.lines():
                return
            time.sleep(0.01)  # a file of another process tells nobody
        raise AssertionError(f"{line!r} never came: {self.lines()}")


def everything_comes_through():
    with Chain() as chain:
        for round_number in ("first", "second"):  # the second time A knows that a bridge is behind it
            state = chain.client.invoke("far", f"ask {round_number}", wait_s=30)
            equal((state["status"], state["reason"]), ("paused", "input"))
            equal(state["questions"]["who"]["message"], "Who are you?")
            chain.client.call("reply-task", {"task_id": state["task_id"], "text": "Ann"})
            state = chain.client.await_state(state["task_id"], ["completed"])
            equal((state["result"], state["data"]), (f"done ask {round_number} by Ann", {"name": "Ann"}))
            equal(state["artifacts"], [{"id": "a", "name": "notes", "parts": [{"text": "first "}, {"text": "second"}]}])
            events = chain.client.events(state["task_id"])
            equal([(e["value"], e["total"], e["message"]) for e in events if e["kind"] == "progress"],
                  [(1, 3, "one of three"), (2, 3, "two of three")])
            equal([(e["level"], e["text"]) for e in events if e["kind"] == "log"], [("notice", "looking around")])
            equal([e["text"] for e in events if e["kind"] == "chunk"], ["Hel", "lo"])
            equal(len([e for e in events if e["kind"] == "question"]), 1)


def the_callers_watch_it():
    with Chain() as chain:
        messages = chain.client.raw("invoke", {"agent": "far", "text": "plain"})
        progress = [m["params"] for m in messages if m.get("method") == "notifications/progress"]
        assert {"progressToken": "p", "progress": 1, "total": 3, "message": "one of three"} in progress, messages
        logs = [m["params"]["data"] for m in messages if m.get("method") == "notifications/message"]
        assert "looking around" in logs, messages
        equal(messages[-1]["result"]["structuredContent"]["result"], "done plain by nobody")


def the_same_request_is_the_same_task():
    """What A relies on: a key that was seen before is no second task, and with other wishes an error."""
    with Chain() as chain:
        def send(text):
            connection = http.client.HTTPConnection(chain.b.address, timeout=30)
            connection.request("POST", "/v1/agents/program/invoke/async", json.dumps({"input": {"text": text}, "id": "t"}),
                               {"Content-Type": "application/json", "Idempotency-Key": "one"})
            response = connection.getresponse()
            answer = json.loads(response.read())
            connection.close()
            return response.status, answer
        first, again, other = send("plain"), send("plain"), send("else")
        equal((first[0], again[0], other[0]), (200, 200, 409))
        equal(first[1]["agentbridge"]["task_id"], again[1]["agentbridge"]["task_id"])
        chain.await_line("began plain")
        equal(chain.lines(), ["began plain"])


def every_end_comes_through():
    with Chain() as chain:
        state = chain.client.invoke("far", "fail")
        equal((state["status"], state["error"]), ("failed", {"message": "it cannot be done"}))
        state = chain.client.invoke("far", "reject")
        equal((state["status"], state["reason"], state["error"]), ("failed", "rejected", {"message": "not here"}))
        result = chain.client.raw("invoke", {"agent": "far", "text": "protocol"})[-1]
        equal(result["error"], {"code": 4711, "message": "of its own", "data": {"k": 1}})


def a_stop_reaches_the_program():
    with Chain() as chain:
        for text in ("hang", "ask hang"):
            state = chain.client.invoke("far", text, wait_s=0)
            chain.await_line("hangs hang" if text == "hang" else "began ask hang")
            equal(chain.client.call("stop-task", {"task_id": state["task_id"]})["status"], "stopped")
            chain.await_line("cancelled " + text)


def a_stop_at_the_far_end_is_seen():
    with Chain() as chain:
        state = chain.client.invoke("far", "hang", wait_s=0)
        chain.await_line("hangs hang")
        there = chain.b.client().call("list-tasks", {})["tasks"][0]["task_id"]
        chain.b.client().call("stop-task", {"task_id": there})
        equal(chain.client.await_state(state["task_id"], ["stopped"])["status"], "stopped")


def an_answer_at_the_far_end_is_seen():
    with Chain() as chain:
        state = chain.client.invoke("far", "ask", wait_s=30)
        there = chain.b.client().call("list-tasks", {})["tasks"][0]["task_id"]
        chain.b.client().call("reply-task", {"task_id": there, "text": "Bob"})
        equal(chain.client.await_state(state["task_id"], ["completed"])["result"], "done ask by Bob")


def a_restart_of_the_near_end():
    with Chain() as chain:
        state = chain.client.invoke("far", "ask", wait_s=30)
        for kill in (chain.a.kill, chain.a.end):
            kill()
            chain.a.start()
            equal(chain.client.state(state["task_id"])["status"], "paused")
        chain.client.call("reply-task", {"task_id": state["task_id"], "text": "Ann"})
        chain.a.kill()  # the answer was acknowledged
        chain.a.start()
        state = chain.client.await_state(state["task_id"], ["completed"])
        equal(state["result"], "done ask by Ann")
        events = chain.client.events(state["task_id"])
        equal([e["text"] for e in events if e["kind"] == "chunk"], ["Hel", "lo"])
        equal([e["value"] for e in events if e["kind"] == "progress"], [1, 2])
        equal(chain.lines(), ["began ask"])


def a_restart_of_the_far_end():
    with Chain() as chain:
        state = chain.client.invoke("far", "hang", wait_s=0)
        chain.await_line("hangs hang")
        chain.b.kill()
        chain.b.start()
        state = chain.client.await_state(state["task_id"], ["error"])
        equal(state["reason"], "interrupted")
    with Chain(restart="retry") as chain:
        state = chain.client.invoke("far", "ask", wait_s=30)
        chain.b.kill()
        chain.b.start()
        problems = []
        steer_through_kills(chain.client, state["task_id"], "ask", problems)  # the program asks anew in its second run
        assert not problems, problems


# --- faults ---

def steer(chain, client, task_id, text, problems):
    """Brings one task to its end: answers what it asks, stops it if it is to be stopped."""
    try:
        if "hang" in text:
            chain.await_line("hangs " + text)
            equal(client.call("stop-task", {"task_id": task_id})["status"], "stopped")
            return
        state = client.await_state(task_id, ["completed", "paused", "failed"])
        if state["status"] == "paused":
            client.call("reply-task", {"task_id": task_id, "text": "Ann"})
            state = client.await_state(task_id, ["completed"])
        by = "Ann" if "ask" in text else "nobody"
        if "fail" in text:
            equal((state["status"], state["error"]["message"]), ("failed", "it cannot be done"))
        else:
            equal((state["status"], state["result"]), ("completed", f"done {text} by {by}"))
    except Exception as error:
        problems.append(f"{text}: {type(error).__name__} {error}")


def faults_on_the_way():
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print(f"faults_on_the_way: SEED={seed}")
    problems = []
    with Chain(share=0.6, seed=seed) as chain:
        texts = [f"{kind} {number}" for number in range(6) for kind in ("plain", "ask", "fail", "hang")]
        tasks = {text: chain.client.invoke("far", text, wait_s=0)["task_id"] for text in texts}
        threads = [threading.Thread(target=steer, args=(chain, chain.a.client(), tasks[text], text, problems)) for text in texts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems, f"SEED={seed}: {problems} {chain.a.log()[-3000:]}"
        for text in texts:
            if "hang" in text:
                chain.await_line("cancelled " + text)
        began = [line for line in chain.lines() if line.startswith("began ")]
        equal((seed, sorted(began)), (seed, sorted("began " + text for text in texts)))
        faults = sum(chain.proxy.counts.values()) - chain.proxy.counts.get("none", 0)
        print(f"  {faults} faults: {chain.proxy.counts}")
        assert faults >= 10, chain.proxy.counts


def kills_of_either():
    """A kill at any moment: what was acknowledged at A comes to its end, and the program is run again only where B was
    told to do so."""
    seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
    print(f"kills_of_either: SEED={seed}")
    chance = random.Random(seed)
    problems = []
    with Chain(share=0.2, seed=seed, restart="retry") as chain:
        tasks = {}
        for number in range(8):
            for kind in ("plain", "ask"):
                text = f"{kind} {number}"
                tasks[text] = chain.client.invoke("far", text, wait_s=0)["task_id"]
            time.sleep(chance.uniform(0, 0.15))  # the moment of death is what is being tested
            victim = chance.choice([chain.a, chain.b])
            victim.kill()
            victim.start()
        threads = [threading.Thread(target=steer_through_kills, args=(chain.a.client(), task_id, text, problems)) for text, task_id in tasks.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not problems, f"SEED={seed}: {problems}"


def steer_through_kills(client, task_id, text, problems):
    """Answers whatever is asked until the task has ended: a program that is run again asks again."""
    try:
        state = client.state(task_id)
        for _ in range(3000):
            if state["status"] in TERMINAL:
                break
            if state["status"] == "paused":
                client.raw("reply-task", {"task_id": task_id, "text": "Ann"})
                time.sleep(0.02)  # an answer to a question that has just gone is refused: nothing to wait for
            state = client.call("get-task", {"task_id": task_id, "wait_s": 2, "events_after": state["last_event"]})
        equal((state["status"], state.get("result")), ("completed", f"done {text} by {'Ann' if 'ask' in text else 'nobody'}"))
    except Exception as error:
        problems.append(f"{text}: {type(error).__name__} {error}")


# --- the user's token ---

def rest(bridge, method, path, body=None):
    connection = http.client.HTTPConnection(bridge.address, timeout=30)
    connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    text = response.read().decode()
    connection.close()
    return response.status, text


def everything_of(bridge, task_ids):
    """All that can be seen of a bridge: answers, events, metrics, its log, its files."""
    seen = [rest(bridge, "GET", path)[1] for path in ("/v1/tasks", "/metrics")]
    for task_id in task_ids:
        for path in ("", "/thread", "/thread/full", "/events"):
            seen.append(rest(bridge, "GET", f"/v1/tasks/{task_id}{path}")[1])
    seen.append(json.dumps(bridge.client().raw("list-tasks", {})))
    for task in bridge.client().call("list-tasks", {})["tasks"]:
        seen.append(json.dumps(bridge.client().raw("get-task", {"task_id": task["task_id"], "wait_s": 0, "events_after": 0})))
    bridge.end()
    seen.append(bridge.log())
    for folder, _, names in os.walk(bridge.data):
        for name in names:
            with open(os.path.join(folder, name), "rb") as file:
                seen.append(file.read().decode("latin-1"))
    return seen


def echoes(task, platform):
    token = task.record["user_oidc_token"] or "-"
    yield ("task", {"status": "executing", "internal_status": f"with {token}"})
    yield ("event", "think", f"using {token}")
    yield ("event", "brand_new", {"user_oidc_token": token, "nested": [f"x {token} y"]})
    for piece in (token[:5], token[5:9], token[9:]):
        yield ("event", "chunk", piece)
    yield ("finish", {"status": "completed", "result": f"it was {token}"})


def the_users_token():
    """It reaches the platform in the field that it was given in, through one bridge and through two, and is nowhere else."""
    for bridges in (1, 2):
        for mode in ("", "/async", "/stream"):
            platform = Platform({"echo": echoes})
            common = {"kind": "platform", "poll_s": 0.05}
            far = Bridge({"agents": {"echo": {**common, "url": platform.url, "agent_id": "echo"}}})
            near = far if bridges == 1 else Bridge({"agents": {"echo": {**common, "url": "http://" + far.address, "agent_id": "echo"}}})
            try:
                body = {"input": {"text": "hi"}, "id": "conversation", "user_oidc_token": CANARY, "user_tokens": {"node": {"Authorization": "Bearer " + CANARY + "-2"}}}
                status, text = rest(near, "POST", "/v1/agents/echo/invoke" + mode, body)
                equal(status, 200)
                assert CANARY not in text, text
                task_id = "conversation"
                for _ in range(300):
                    answer = json.loads(rest(near, "GET", f"/v1/tasks/{task_id}")[1])
                    if answer["status"] in TERMINAL:
                        break
                    time.sleep(0.05)
                equal((answer["status"], answer["result"]), ("completed", "it was [redacted]"))
                sent = platform.seen("POST", "/invoke")[0][3]
                equal((sent["user_oidc_token"], sent["user_tokens"]), (body["user_oidc_token"], body["user_tokens"]))
                for bridge in {near, far}:
                    for seen in everything_of(bridge, ["conversation"] if bridge is near else []):
                        assert CANARY not in seen, f"{bridges} {mode}: {seen[max(0, seen.index(CANARY) - 300):][:500]}"
            finally:
                for bridge in {near, far}:
                    bridge.end()
                platform.close()


CASES = [everything_comes_through, the_callers_watch_it, the_same_request_is_the_same_task, every_end_comes_through, a_stop_reaches_the_program, a_stop_at_the_far_end_is_seen,
         an_answer_at_the_far_end_is_seen, a_restart_of_the_near_end, a_restart_of_the_far_end, faults_on_the_way, kills_of_either,
         the_users_token]
