#!/usr/bin/env python3
"""Who may include whom: reads every #include under bridge/ and include/, and fails on what the house does not allow.

base < wire < task < auth < {mcp, a2a, rest} < {agents, deliver} < {store, io} < app; rooms in braces know nothing of
each other, and store and io know only base, wire and the ports. Third-party headers have one home each."""
import os
import re
import sys
import tempfile

FACES = {"mcp", "a2a", "rest"}
LOW = {"base", "wire"}
MAY = {
    "base": set(),
    "wire": {"base"},
    "task": LOW,
    "auth": LOW | {"task"},
    "mcp": LOW | {"task", "auth"},
    "a2a": LOW | {"task", "auth"},
    "rest": LOW | {"task", "auth"},
    "agents": LOW | {"task", "auth"} | FACES,
    "deliver": LOW | {"task", "auth"} | FACES,
    "store": LOW,
    "io": LOW,
    "app": LOW | {"task", "auth"} | FACES | {"agents", "deliver", "store", "io"},
}
HOMES = [
    (re.compile(r"^sqlite3"), {"store"}),
    (re.compile(r"^(libwebsockets|lws|curl/|uv)"), {"io"}),
    (re.compile(r"^openssl/"), {"auth", "io"}),
    (re.compile(r"^(pcre2|http_parser)"), {"wire"}),
    (re.compile(r"^cjose/"), {"auth"}),
]
# The C library and the system; anything else between angle brackets has no home and is refused.
SYSTEM = re.compile(
    r"^(sys/|netinet/|arpa/|linux/)?"
    r"(assert|auxv|ctype|dirent|dlfcn|errno|eventfd|fcntl|fenv|file|float|getopt|if|in|inet|inttypes|ioctl|libgen|limits|"
    r"locale|malloc|math|mman|mount|netdb|net/if|poll|prctl|pthread|pwd|random|resource|sched|select|setjmp|signal|"
    r"socket|stat|statvfs|stdarg|stdatomic|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string|strings|syscall|"
    r"syslog|tcp|termios|time|times|types|uio|un|unistd|utsname|vfs|wait|xattr|epoll)\.h$"
)
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)?', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)


def fault_of(room, quoted, angled):
    """Why this room may not include this, or None."""
    if quoted:
        first = quoted.split("/")[0]
        if ".." in quoted or "/" not in quoted:
            return f'"{quoted}": includes are written "room/file.h"'
        if first == "agentbridge":
            return None
        if room == "include":
            return f'"{quoted}": a public header includes only agentbridge/ and the C library'
        if first == room or first in MAY[room]:
            return None
        return f'"{quoted}": {room} does not know {first}'
    if angled:
        for pattern, homes in HOMES:
            if pattern.match(angled):
                return None if room in homes else f"<{angled}>: its home is {' and '.join(sorted(homes))}"
        return None if SYSTEM.match(angled) else f"<{angled}>: has no home here (see {os.path.basename(__file__)})"
    return "an #include that is neither \"...\" nor <...>"


def check_file(path, room):
    with open(path, encoding="utf-8") as file:
        text = COMMENT.sub(lambda found: "\n" * found.group().count("\n"), file.read())
    faults = []
    for found in INCLUDE.finditer(text):
        fault = fault_of(room, found.group(1), found.group(2))
        if fault:
            faults.append(f"{path}:{text.count(chr(10), 0, found.start(0)) + 1}: {fault}")
    return faults


def check_tree(root):
    faults = []
    bridge = os.path.join(root, "bridge")
    for top, room_of in ((bridge, None), (os.path.join(root, "include"), "include")):
        for folder, _, names in sorted(os.walk(top)):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if not name.endswith((".c", ".h")):
                    continue
                parts = os.path.relpath(path, top).split(os.sep)
                room = room_of or (parts[0] if len(parts) == 2 else None)
                if room is None or (room != "include" and room not in MAY):
                    faults.append(f"{path}: not in a room of the house ({', '.join(MAY)})")
                else:
                    faults.extend(check_file(path, room))
    return faults


SAMPLES = [  # room, line, whether it is allowed
    ("base", "#include <stdio.h>", True),
    ("base", "#include <sys/stat.h>", True),
    ("base", '#include "agentbridge/types.h"', True),
    ("base", '#include "wire/json.h"', False),
    ("wire", '#include "base/buf.h"', True),
    ("task", '#include "mcp/mcp.h"', False),
    ("mcp", '#include "a2a/card.h"', False),
    ("mcp", '#include "task/engine.h"', True),
    ("mcp", "#include <libwebsockets.h>", False),
    ("store", "#include <sqlite3.h>", True),
    ("store", '#include "task/engine.h"', False),
    ("store", '#include "io/loop_uv.h"', False),
    ("io", '#include "store/sqlite.h"', False),
    ("io", "#include <curl/curl.h>", True),
    ("io", "#include <uv.h>", True),
    ("agents", "#include <uv.h>", False),
    ("agents", '#include "app/config.h"', False),
    ("auth", "#  include <openssl/evp.h>", True),
    ("app", "#include <openssl/evp.h>", False),
    ("app", '#include "store/sqlite.h"', True),
    ("wire", "#include <cjson/cJSON.h>", False),
    ("base", '#include "buf.h"', False),
    ("base", '#include "base/../wire/json.h"', False),
    ("app", "#include SOMETHING", False),
    ("base", '/* #include "wire/json.h" */', True),
    ("attic", "#include <stdio.h>", False),
]


def self_test():
    bad = 0
    for room, line, allowed in SAMPLES:
        with tempfile.TemporaryDirectory() as root:
            folder = os.path.join(root, "bridge", room)
            os.makedirs(folder)
            with open(os.path.join(folder, "sample.c"), "w", encoding="utf-8") as file:
                file.write(line + "\n")
            if (not check_tree(root)) != allowed:
                print(f"layers.py: its own sample fails: {room}: {line} must be {'fine' if allowed else 'refused'}")
                bad += 1
    return bad == 0


def main():
    root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
    os.chdir(root)
    if not self_test():
        return 1
    faults = check_tree(".")
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
