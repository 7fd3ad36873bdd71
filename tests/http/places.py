"""limits.streams_per_principal: one count over all faces, and a place is free again when its stream is closed."""
import json
import os
import time

from resumption import Stream
from wire import Bridge, call, invoke, modern_body, modern_headers, request_bytes, session

HERE = os.path.dirname(os.path.abspath(__file__))


def alone_so_many_streams_and_no_more(folder):
    config = os.path.join(folder, "places.jsonc")
    with open(config, "w", encoding="utf-8") as file:
        json.dump({"limits": {"streams_per_principal": 4}, "agents": {"waits": {
            "kind": "command", "command": [os.path.join(HERE, "agent.sh"), "waits"], "output": "events",
            "env": ["PATH"]}}}, file)
    bridge = Bridge(os.path.join(folder, "places"), config=config)
    try:
        task = invoke(bridge, "waits", wait_s=0)["structuredContent"]["task_id"]
        sid = session(bridge)
        a2a = {"A2A-Version": "1.0", "Accept": "text/event-stream"}
        subscribe = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "SubscribeToTask", "params": {"id": task}})
        kinds = {
            "GET /mcp": request_bytes(bridge, headers={"Mcp-Session-Id": sid, "Accept": "text/event-stream"}, method="GET"),
            "listen": request_bytes(bridge, modern_body("subscriptions/listen", {"notifications": {}}),
                                    modern_headers("subscriptions/listen")),
            "A2A": request_bytes(bridge, subscribe, a2a, path="/a2a/waits"),
            "A2A of a tenant": request_bytes(bridge, '{"message":{"messageId":"1","role":"ROLE_USER","parts":[{"text":"x"}]}}',
                                             a2a, path="/a2a/waits/acme/message:stream"),
            "REST": request_bytes(bridge, headers={"Accept": "text/event-stream"}, method="GET", path=f"/v1/tasks/{task}/events"),
        }
        names = list(kinds)
        for spare in names:  # each kind is the one for which there is no place
            streams = [Stream(bridge, kinds[name]) for name in names if name != spare]
            assert [stream.status for stream in streams] == [200] * 4, (spare, [stream.status for stream in streams])
            refused = Stream(bridge, kinds[spare])
            said = refused.text
            expected = 200 if spare in ("listen", "A2A") else 429  # errors of JSON-RPC
            assert refused.status == expected and "4 streams of yours are open" in said, (spare, refused.status, said)
            assert call(bridge, "get-task", {"task_id": task, "wait_s": 0})["structuredContent"]["status"] == "executing"
            for stream in streams + [refused]:
                stream.cut()
            closed(bridge)
    finally:
        bridge.stop()


def closed(bridge):
    """Waits until the bridge has seen that the streams are gone."""
    end = time.monotonic() + 20
    while len(sockets(bridge)) > 1:
        assert time.monotonic() < end, "it did not see them go"
        time.sleep(0.02)


def sockets(bridge):
    """Its listening socket, and its connections."""
    with open(f"/proc/{bridge.pid}/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file][1:]
    port = "%04X" % bridge.address[1]
    return [row for row in rows if row[1].endswith(":" + port) and row[3] in ("01", "0A", "08")]
