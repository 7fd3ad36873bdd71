"""A TCP proxy that breaks what passes: each connection gets one fault, chosen by the seed, or none.

  drop      closed before anything was forwarded
  reset     the same, with a reset
  delay     forwarded after a while
  refuse    the request is answered 429 or 500 and never forwarded
  lose      forwarded; the answer is thrown away
  truncate  cut after some bytes of the answer
  cut       cut after some time

A connection that is silent for a moment is closed, so that there are many.
"""
import random
import socket
import struct
import threading
import time

SILENT_S = 0.3
FAULTS = ["drop", "reset", "delay", "refuse", "lose", "truncate", "cut"]


class FaultProxy:
    def __init__(self, target, seed, share):
        """`target`: "host:port"; `share`: how many of the connections get a fault, 0 to 1."""
        self.target = target
        self.chance = random.Random(seed)
        self.share = share
        self.lock = threading.Lock()
        self.counts = {}
        self.listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.address = "127.0.0.1:%d" % self.listening.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def close(self):
        self.listening.close()

    def choose(self):
        with self.lock:
            fault = self.chance.choice(FAULTS) if self.chance.random() < self.share else "none"
            self.counts[fault] = self.counts.get(fault, 0) + 1
            return fault, self.chance.random(), self.chance.choice([429, 500, 503])

    def serve(self):
        while True:
            try:
                client, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        fault, amount, status = self.choose()
        try:
            if fault == "reset":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if fault in ("drop", "reset"):
                return
            if fault == "refuse":
                self.refuse(client, status)
                return
            if fault == "delay":
                time.sleep(amount * 0.4)
            host, port = self.target.split(":")
            server = socket.create_connection((host, int(port)), 5)
            for one in (client, server):
                one.settimeout(SILENT_S)
            threading.Thread(target=self.pump, args=(client, server, None), daemon=True).start()
            limit = {"lose": 0, "truncate": int(amount * 3000)}.get(fault)
            if fault == "cut":
                threading.Timer(amount, self.hang_up, (client, server)).start()
            self.pump(server, client, limit)
        except OSError:
            pass
        finally:
            client.close()

    @staticmethod
    def refuse(client, status):
        client.settimeout(5)
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(65536)
            if not data:
                return
            head += data
        body = b'{"detail": "a fault"}'
        client.sendall(b"HTTP/1.1 %d Fault\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                       % (status, len(body)) + body)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):  # a close with unread bytes would be a reset
            pass

    @staticmethod
    def hang_up(*sockets):
        for one in sockets:
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def pump(self, source, sink, limit):
        """Carries bytes one way; with a limit only so many, then the connection is cut."""
        carried = 0
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if limit is not None and carried + len(data) > limit:
                    sink.sendall(data[:limit - carried])
                    break
                sink.sendall(data)
                carried += len(data)
        except OSError:
            pass
        self.hang_up(source, sink)
