#!/bin/sh
# All the project's own checks of its sources, in one go.
set -eu
cd "$(dirname "$0")"
for check in layers banned headers; do
    if [ -f "$check.py" ]; then python3 "$check.py"; else sh "$check.sh"; fi
done
