#!/usr/bin/env python3
"""Gives back, as data, the first line that it was given."""
import json
import sys

print(json.dumps({"result": {"text": "see the data", "data": json.loads(sys.stdin.readline())}}), flush=True)
