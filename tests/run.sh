#!/bin/sh
# Runs the test suites and prints one closing line, "N passed, N failed".
#   sh tests/run.sh all | unit | lint | app | examples | http | a2a | interop | chains | conformance ...
# Each suite's output goes to $BUILD/log/<suite>.log; of a suite that failed, its end is shown.
set -u
BUILD=${BUILD:-build}
MAKE=${MAKE:-make}
export AGENTBRIDGE="$PWD/$BUILD/agentbridge"
# Of the sanitizers: freed memory is kept for long enough to find its use, not for so long that it hides what grows; a
# finding ends the program, so that the test fails.
export ASAN_OPTIONS="${ASAN_OPTIONS:-quarantine_size_mb=4:malloc_context_size=10}"
export LSAN_OPTIONS="suppressions=$PWD/tests/unit/lsan.supp:print_suppressions=0"
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1:second_deadlock_stack=1}"
export AGENTBRIDGE_TEST_DATA="${AGENTBRIDGE_TEST_DATA:-}"
log=$BUILD/log
mkdir -p "$log"

# cmocka programs, two at a time; each prints its own count.
unit() {
    find "$BUILD/tests" -type f -name 'test_*' -perm -u+x | sort > "$log/programs"
    rm -f "$log"/unit-*.log
    # shellcheck disable=SC2016
    BUILD=$BUILD log=$log xargs -P 2 -I{} sh -c '
        name=$(basename "{}")
        timeout 240 "{}" > "$log/unit-$name.log" 2>&1
        echo "exit $?" >> "$log/unit-$name.log"' < "$log/programs"
    passed=0
    failed=0
    while read -r program; do
        file=$log/unit-$(basename "$program").log
        n=$(grep -c '^\[       OK \]' "$file")
        bad=$(grep -c '^\[  FAILED  \] [a-z_0-9]*$' "$file")
        if [ "$(tail -n 1 "$file")" != "exit 0" ]; then
            [ "$bad" -gt 0 ] || bad=1
            echo "--- $(basename "$program")"
            grep -v '^\[ RUN\|^\[       OK' "$file" | tail -n 30
        fi
        passed=$((passed + n))
        failed=$((failed + bad))
    done < "$log/programs"
    echo "$passed passed, $failed failed"
}

lint() {
    if $MAKE --no-print-directory lint; then echo '1 passed, 0 failed'; else echo '0 passed, 1 failed'; fi
}
# Each fuzzer over its seeds and over what it once found, without libFuzzer.
fuzz() {
    passed=0
    failed=0
    for program in "$BUILD"/tests/fuzz/*; do
        name=$(basename "$program")
        if timeout 240 "$program" "tests/fuzz/seeds/$name" "tests/fuzz/regression/$name" > "$log/fuzz-$name.log" 2>&1; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1))
            echo "--- $name"
            tail -n 30 "$log/fuzz-$name.log"
        fi
    done
    echo "$passed passed, $failed failed"
}
json() { python3 tests/json/run.py; }
app() { python3 tests/app/run.py; }
examples() { python3 tests/examples/run.py; }
a2a() { python3 tests/a2a/run.py; }
golden() { python3 tests/golden/run.py; }
http() { python3 tests/http/run.py; }
rest() { python3 tests/rest/run.py; }
deliver() { python3 tests/deliver/run.py; }
never_lost() { python3 tests/never_lost/run.py; }
platform() { python3 tests/platform/run.py; }
interop() { sh tests/interop/run.sh; }
chains() { sh tests/chains/run.sh; }
conformance() { sh tests/conformance/run.sh; }
mcp_client() { sh tests/mcp_client/run.sh; }

suites=$*
[ "$suites" = all ] && suites='lint unit json fuzz app examples golden a2a http rest deliver never_lost platform interop chains conformance mcp_client'
total_passed=0
total_failed=0
for suite in $suites; do
    start=$(date +%s)
    "$suite" > "$log/$suite.log" 2>&1
    line=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$log/$suite.log" | tail -n 1)
    if [ -z "$line" ]; then
        line='0 passed, 1 failed'
        echo "$suite gave no count" >> "$log/$suite.log"
    fi
    p=${line%% passed*}
    f=${line#*, }
    f=${f%% failed*}
    [ "$f" -eq 0 ] || { echo "=== $suite"; tail -n 120 "$log/$suite.log"; }
    echo "$suite: $p ok, $f not ($(($(date +%s) - start)) s)"
    total_passed=$((total_passed + p))
    total_failed=$((total_failed + f))
done
echo "$total_passed passed, $total_failed failed"
[ "$total_failed" -eq 0 ] && [ "$total_passed" -gt 0 ]
