#!/usr/bin/env python3
"""Tells what it was given of files."""
import json
import os
import sys

given = json.loads(sys.stdin.readline())["input"]
if "hold" in sys.argv:
    print(json.dumps({"status": "executing", "message": "holding"}), flush=True)
    sys.stdin.readline()
told = {"files": given["files"]}
if "local_files" in given:
    told["local_files"] = given["local_files"]
    for file in told["local_files"]:
        with open(file["path"], encoding="utf-8") as opened:
            file["content"] = opened.read()
    told["modes"] = [oct(os.stat(file["path"]).st_mode & 0o777) for file in told["local_files"]]
    folder = os.path.dirname(told["local_files"][0]["path"])
    told["folder_mode"] = oct(os.stat(folder).st_mode & 0o777)
    os.makedirs(os.path.join(folder, "own", "deep"))
    os.symlink("/", os.path.join(folder, "own", "root"))
    with open(os.path.join(folder, "own", "deep", "notes"), "w", encoding="utf-8") as notes:
        notes.write("mine")
print(json.dumps({"result": {"text": "seen", "data": told}}), flush=True)
