#!/usr/bin/env python3
"""Measures what the bridge costs beside what a user would have without it, on one machine in one run:
  run.py [ROW ...]     all rows when none is named
Prints a Markdown table; $BUILD/bench/results.md and results.json hold the same."""
import json
import os
import platform
import shutil
import socket
import statistics
import subprocess
import sys
import time

import a2a
import parts
from parts import BUILD, WORK, Bridge, Load, ProxyPair, call_body, call_headers, call_load, pairs, program

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SECONDS = int(os.environ.get("BENCH_SECONDS", "2"))
MANY = 100000
WIDE = {"agents": {}, "log_level": "warning", "limits": {"running_per_principal": 30000, "streams_per_principal": 30000}}
ROWS = {}


def row(function):
    ROWS[function.__name__] = function
    return function


def result(what, goal, measured, met, conditions, **figures):
    return {"what": what, "goal": goal, "measured": measured, "met": met, "conditions": conditions, "figures": figures}


def finished_task(bridge):
    state = bridge.call("invoke", {"agent": "echo", "text": "hello"})
    assert state["status"] == "completed", state
    return state["task_id"]


def against_nginx(name, tool, arguments_of, goal, what, cpus=None):
    bridge = Bridge(name, config=WIDE, cpus=cpus)
    arguments = arguments_of(bridge)
    body = bridge.raw(tool, arguments)
    assert body.startswith("{") and '"isError":true' not in body, body
    nginx = ProxyPair(body)
    measured = pairs(call_load(name, bridge, tool, arguments, 32),
                     Load("nginx-" + name, nginx.proxy, call_body(tool, arguments), call_headers(tool), 32), ROUNDS, SECONDS)
    nginx.stop()
    bridge.stop()
    rate, cpu = measured["rate"], measured["per_cpu_s"]
    return result(what, f"≥ {goal} × nginx", f"{rate['ratio']:.2f} ×", rate["ratio"] >= goal,
                  f"{rate['first']:,.0f} a second beside {rate['second']:,.0f}; for each second of processor time "
                  f"{cpu['ratio']:.2f} × ({cpu['first']:,.0f} beside {cpu['second']:,.0f}); {len(body)} bytes, 32 connections"
                  + ("; loop and writer thread on all cores, beside the load" if cpus else ", one core"),
                  **measured)


@row
def get_task():
    return against_nginx("get-task", "get-task", lambda bridge: {"task_id": finished_task(bridge)}, 0.7,
                         "`get-task` of a finished task")


@row
def in_process():
    return against_nginx("in-process", "echo", lambda bridge: {}, 0.25,
                         "a published in-process agent, each call a durable task", set(parts.CPUS))


HELLO = {"agents": {"hello": {"kind": "command", "command": ["/bin/echo", "hello"], "output": "text",
                              "tool": {"name": "hello", "input_schema": {"type": "object"}}}}}


@row
def command_agent():
    config = os.path.join(WORK, "hello.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump(HELLO, file)
    bridge = Bridge("command", ["--config", config])
    load = call_load("command", bridge, "hello", {}, 8)
    load.run(1)
    ratios, rates, bare_rates = [], [], []
    for _ in range(ROUNDS):
        rates.append(load.run(SECONDS)["rate"])
        bare_rates.append(float(subprocess.run([program("spawn_loop"), "8", str(SECONDS), "/bin/echo", "hello"], check=True,
                                               stdout=subprocess.PIPE, preexec_fn=parts.pinned(parts.SERVER_CPUS)).stdout))
        ratios.append(rates[-1] / bare_rates[-1])
    bridge.stop()
    ratio = statistics.median(ratios)
    return result("a published `command` agent", "≥ 0.7 × a bare posix_spawn loop", f"{ratio:.2f} ×", ratio >= 0.7,
                  f"{statistics.median(rates):,.0f} a second beside {statistics.median(bare_rates):,.0f}; /bin/echo, 8 at a time, "
                  "programs on the one core of the server or the loop", ratios=ratios, rates=rates, bare_rates=bare_rates)


def bare_commit(seconds=2, group=1):
    folder = os.path.join(WORK, "bare")
    os.makedirs(folder, exist_ok=True)
    return json.loads(subprocess.run([program("commit"), folder, str(seconds), str(group)], check=True,
                                     stdout=subprocess.PIPE).stdout)


class Streams:
    """Open streams, see streams.c."""

    def __init__(self, bridge, count, method, body, seconds):
        name = f"Mcp-Name: {method[1]}\r\n" if method[1] else ""
        request = (f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                   f"Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: {parts.VERSION}\r\n"
                   f"Mcp-Method: {method[0]}\r\n{name}Content-Length: {len(body)}\r\n\r\n{body}")
        self.process = subprocess.Popen([program("streams"), bridge.host, str(bridge.port), str(count), str(seconds)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        preexec_fn=parts.pinned(parts.LOAD_CPUS))
        self.process.stdin.write(request)
        self.process.stdin.close()
        assert self.process.stdout.readline() == "open\n"

    def ages(self):
        told = json.loads(self.process.stdout.readline())
        self.process.wait()
        assert told["lost"] == 0, told
        return told

    def end(self):
        self.process.stdout.close()
        self.process.wait()


def listen_body():
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "subscriptions/listen",
                       "params": {"notifications": {"toolsListChanged": True}, "_meta": parts.META}})


@row
def notification():
    bridge = Bridge("notification", config=WIDE)
    before = bare_commit()
    streams = Streams(bridge, 1000, ("tools/call", "ticker"), call_body("ticker", {}, {"progressToken": 1}), 12)
    ages = streams.ages()
    bridge.stop()
    after = bare_commit()
    commit = {key: (before[key] + after[key]) / 2000 for key in ("p50_us", "p99_us")}
    p50, p99 = ages["p50_us"] / 1000, ages["p99_us"] / 1000
    return result("event at the agent → notification, 1,000 open streams", "p99 < 5 ms + one commit",
                  f"p99 {p99:.1f} ms", p99 < 5 + commit["p99_us"],
                  f"p50 {p50:.1f} ms; a bare commit before and after: p50 {commit['p50_us']:.1f}, p99 {commit['p99_us']:.1f} ms; "
                  f"{ages['count']:,} progress events, 500 a second, each committed first", ages=ages, commit=[before, after])


@row
def memory():
    bridge = Bridge("memory", ["--config", write_config("memory.json", {**HELLO, "limits": WIDE["limits"]})])
    bridge.call("list-agents", {})
    idle = bridge.memory_kb("RssAnon")
    total_idle = bridge.memory_kb("VmRSS")
    streams = Streams(bridge, 10000, ("subscriptions/listen", None), listen_body(), 0)
    time.sleep(1)
    each = (bridge.memory_kb("RssAnon") - idle) / 10000
    total = bridge.memory_kb("VmRSS")
    cpu_before, start = bridge.cpu_s(), time.monotonic()
    time.sleep(50)  # signs of life go out every 45 s
    busy = 100 * (bridge.cpu_s() - cpu_before) / (time.monotonic() - start)
    streams.end()
    bridge.stop()
    return [
        result("private memory (RssAnon), idle", "< 5 MB", f"{idle / 1024:.1f} MB", idle < 5 * 1024,
               f"total RSS {total_idle / 1024:.1f} MB, most of it shared libraries", rss_anon_kb=idle, rss_kb=total_idle),
        result("private memory of each of 10,000 open streams", "< 12 kB", f"{each:.1f} kB", each < 12,
               f"`subscriptions/listen`; total RSS with them {total / 1024:.1f} MB", each_kb=each, rss_kb=total),
        result("processor use, 10,000 open streams, nothing to say", "< 1 %", f"{busy:.2f} %", busy < 1,
               "of one core, over 50 s, signs of life included", percent=busy),
    ]


def write_config(name, config):
    path = os.path.join(WORK, name)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    return path


def started(arguments):
    """Spawns it and waits for its first line; (process, seconds, line)."""
    begin = time.monotonic()
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    line = process.stdout.readline().decode()
    return process, begin, line


def time_to_load():
    process, begin, _ = started([program("libraries")])
    took = time.monotonic() - begin
    process.wait()
    process.stdout.close()
    return took


def time_to_answer(data):
    process, begin, line = started([parts.BRIDGE, "serve", "--listen", "127.0.0.1:0", "--data", data, "--log-level", "error",
                                    "--config", os.path.join(WORK, "start.json")])
    with socket.create_connection(("127.0.0.1", int(line.rsplit(":", 1)[1]))) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        assert connection.recv(4096).startswith(b"HTTP/1.1 200")
    took = time.monotonic() - begin
    process.terminate()
    process.wait()
    process.stdout.close()
    return took


@row
def start():
    write_config("start.json", HELLO)
    data = os.path.join(WORK, "start")
    os.makedirs(data, exist_ok=True)
    time_to_answer(data)
    told = [(time_to_answer(data) * 1000, time_to_load() * 1000) for _ in range(15)]
    answer, load = (statistics.median(pair[i] for pair in told) for i in (0, 1))
    ratio = statistics.median(a / b for a, b in told)
    return result("exec → first answer", "< 20 ms, ≤ 1.5 × loading the same libraries", f"{answer:.1f} ms, {ratio:.2f} ×",
                  answer < 20 and ratio <= 1.5,
                  f"a program that only loads them: {load:.1f} ms; medians of 15 starts on a data folder that is there", told=told)


@row
def create():
    bridge = Bridge("create", config=WIDE, cpus=set(parts.CPUS))
    load = call_load("create", bridge, "invoke", {"agent": "echo", "text": "hello", "wait_s": 0}, 256)
    load.run(1)
    told = []
    for _ in range(ROUNDS):
        told.append((load.run(SECONDS)["rate"], bare_commit(SECONDS, 64)["tasks_per_s"]))
    bridge.stop()
    rate, bare = (statistics.median(pair[i] for pair in told) for i in (0, 1))
    ratio = statistics.median(a / b for a, b in told)
    return result("tasks created durably a second", "≥ 5,000", f"{rate:,.0f}", rate >= 5000,
                  f"by `invoke` over HTTP, 256 connections, each task also run to its end and stored; {ratio:.2f} × a bare SQLite "
                  f"that commits 64 such rows at a time ({bare:,.0f} a second); fsync on", told=told)


def filled(name, count):
    """A data folder with so many finished tasks."""
    os.makedirs(os.path.join(WORK, name), exist_ok=True)
    subprocess.run([program("fill"), os.path.join(WORK, name), str(count)], check=True)


@row
def growth():
    """The same requests to a store with nothing in it and to one with many finished tasks."""
    filled("full", MANY)
    full, empty = Bridge("full", config=WIDE), Bridge("empty", config=WIDE)
    loads = {}
    for name, tool in (("get-task", "get-task"), ("create", "echo")):
        arguments = [{"task_id": finished_task(bridge)} if tool == "get-task" else {} for bridge in (full, empty)]
        loads[name] = [call_load(f"{name}-{i}", bridge, tool, arguments[i], 32) for i, bridge in enumerate((full, empty))]
    told = {name: pairs(*pair, ROUNDS, SECONDS) for name, pair in loads.items()}
    full.stop()
    empty.stop()
    worst = min(told[name]["rate"]["ratio"] for name in told)
    return result(f"cost with {MANY:,} finished tasks in the store", "the same as with none",
                  ", ".join(f"{name} {told[name]['rate']['ratio']:.2f} ×" for name in told), worst >= 0.9,
                  "requests a second beside a store with none; for each second of processor time "
                  + ", ".join(f"{told[name]['per_cpu_s']['ratio']:.2f} ×" for name in told), **told)


LISTS = {
    "A2A `ListTasks`": lambda bridge: Load("list-a2a", bridge, json.dumps(
        {"jsonrpc": "2.0", "id": 1, "method": "ListTasks", "params": {"pageSize": 20}}),
        {"Content-Type": "application/json", "A2A-Version": "1.0"}, 8, "/a2a/echo"),
    "REST `GET /v1/tasks`": lambda bridge: Load("list-rest", bridge, "", {}, 8, "/v1/tasks?per_page=20", "GET"),
    "MCP `list-tasks` of those that failed": lambda bridge: call_load("list-mcp", bridge, "list-tasks", {"status": ["failed"]}, 8),
}


@row
def lists():
    """The first page and the total of one owner's finished tasks: of many beside those of few."""
    bridges = []
    for count in (MANY, 100):
        filled(f"lists-{count}", count)
        bridges.append(Bridge(f"lists-{count}", config=WIDE))
    told = {what: pairs(*(load(bridge) for bridge in bridges), ROUNDS, SECONDS) for what, load in LISTS.items()}
    for bridge in bridges:
        bridge.stop()
    worst = min(one["per_cpu_s"]["ratio"] for one in told.values())
    return result(f"a list's first page, {MANY:,} finished tasks of its owner", "the same as with 100",
                  ", ".join(f"{one['per_cpu_s']['ratio']:.2f} ×" for one in told.values()), worst >= 0.9,
                  "; ".join(f"{what}: {one['per_cpu_s']['first']:,.0f} pages for each second of processor time beside "
                            f"{one['per_cpu_s']['second']:,.0f}" for what, one in told.items()) + "; 20 tasks a page, 8 connections",
                  **told)


def platform_pair():
    """A bridge with an agent of its program, and one before it whose agent that is: [near, far]."""
    far = Bridge("hop-far", config=WIDE)
    config = os.path.join(WORK, "hop.json")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"agents": {"hop": {"kind": "platform", "url": f"http://{far.host}:{far.port}", "agent_id": "echo",
                                      "tool": {"name": "hop", "input_schema": {"type": "object"}}}}, "log_level": "warning"}, file)
    return Bridge("hop-near", ["--config", config]), far


@row
def platform_hop():
    """What a call takes longer that goes to an agent behind another bridge, beside the call to that bridge itself."""
    near, far = platform_pair()
    commit_us = bare_commit(SECONDS)["p50_us"]
    added = {}
    told = {}
    for connections in (1, 32):
        told[connections] = pairs(call_load(f"hop-{connections}", near, "hop", {}, connections),
                                  call_load(f"direct-{connections}", far, "echo", {}, connections), ROUNDS, SECONDS)
        rate = told[connections]["rate"]
        added[connections] = connections * (1e6 / rate["first"] - 1e6 / rate["second"])
    near.stop()
    far.stop()
    goal_us = 150 + commit_us
    return result("time added by a `platform` hop, 1 connection", "< 150 µs + one durable commit", f"{added[1]:.0f} µs", added[1] < goal_us,
                  f"a bare commit: {commit_us:.0f} µs; with 32 connections {added[32]:.0f} µs; calls a second beside the direct ones: "
                  + ", ".join(f"{told[n]['rate']['ratio']:.2f} × with {n} ({told[n]['rate']['first']:,.0f} beside {told[n]['rate']['second']:,.0f})"
                              for n in (1, 32)) + "; both bridges on one core, each call a durable task in both", added=added, told=told)


@row
def a2a_send():
    alone = a2a.beside_the_sdk(WIDE, 1, ROUNDS, SECONDS)["rate"]
    many = a2a.beside_the_sdk(WIDE, 32, ROUNDS, SECONDS)["rate"]
    commit = bare_commit()["p50_us"] / 1000
    ours, theirs = 1000 / alone["first"], 1000 / alone["second"]
    what = "A2A `SendMessage` to an agent that is done at once, "
    beside = "each a durable task, beside {:,.0f} of @a2a-js/sdk's own server, in memory; one core"
    return [
        result(what + "1 connection", "≤ the SDK's time + two commits", f"{ours:.2f} ms", ours <= theirs + 2 * commit,
               f"the SDK's {theirs:.2f} ms, a bare commit {commit:.2f} ms at the median; {alone['first']:,.0f} a second, "
               + beside.format(alone["second"]), rate=alone, commit_ms=commit),
        result(what + "32 connections", "≥ 1 × the SDK's server", f"{many['ratio']:.2f} ×", many["ratio"] >= 1,
               f"{many['first']:,.0f} a second, " + beside.format(many["second"]), rate=many),
    ]


@row
def a2a_push():
    before = bare_commit()
    ages = a2a.push_ages(WIDE, 500)
    p50, p99 = ages[len(ages) // 2], ages[len(ages) * 99 // 100]
    return result("a task's change → A2A push notification delivered", "p99 < 5 ms + two commits", f"p99 {p99:.1f} ms",
                  p99 < 5 + 2 * before["p99_us"] / 1000,
                  f"p50 {p50:.1f} ms; a bare commit: p50 {before['p50_us'] / 1000:.1f}, p99 {before['p99_us'] / 1000:.1f} ms; "
                  f"{len(ages):,} changes of 500 tasks, one task after the other", ages_ms=[p50, p99], commit=before)


@row
def size():
    stripped = os.path.join(WORK, "stripped")
    subprocess.run(["strip", "-o", stripped, parts.BRIDGE], check=True)
    n_bytes = os.path.getsize(stripped)
    return result("the program, stripped", "< 1 MB", f"{n_bytes / 1e6:.2f} MB", n_bytes < 1e6, f"{n_bytes:,} bytes", bytes=n_bytes)


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
    return f"{len(parts.CPUS)} × {models[0] if models else platform.machine()}, Linux {platform.release()}"


def render(told, load):
    lines = ["| what | goal | measured | | conditions |", "|---|---|---|---|---|"]
    for one in told:
        lines.append(f"| {one['what']} | {one['goal']} | {one['measured']} | {'reached' if one['met'] else 'missed'} | {one['conditions']} |")
    lines += ["", f"{time.strftime('%Y-%m-%d')}, {machine()}; load average {load[0]:.1f} before and {load[1]:.1f} after; medians of "
              f"{ROUNDS} rounds of {SECONDS} s, in turn with what they are compared with."]
    return "\n".join(lines) + "\n"


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    os.makedirs(WORK)
    before = os.getloadavg()[0]
    told = []
    for name in sys.argv[1:] or ROWS:
        begin = time.monotonic()
        one = ROWS[name]()
        told += one if isinstance(one, list) else [one]
        print(f"{name}: {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    load = (before, os.getloadavg()[0])
    text = render(told, load)
    with open(os.path.join(BUILD, "bench", "results.md"), "w", encoding="utf-8") as file:
        file.write(text)
    with open(os.path.join(BUILD, "bench", "results.json"), "w", encoding="utf-8") as file:
        json.dump({"machine": machine(), "load": load, "rows": told}, file, indent=1)
    shutil.rmtree(WORK, ignore_errors=True)
    print(text)


if __name__ == "__main__":
    main()
