#!/bin/sh
# Runs the fuzzers under libFuzzer, one after the other, each for FUZZ_SECONDS (60):
#   sh tests/fuzz/run.sh [NAME ...]      (all when none is named)
# What they learn is kept in $BUILD/corpus/<name> for the next run. A finding is left in $BUILD/found and fails the run:
# mend what it shows, then move it to tests/fuzz/regression/<name>/ under a name that says what it was.
set -u
BUILD=${BUILD:-build/fuzz}
seconds=${FUZZ_SECONDS:-60}
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:allocator_may_return_null=0}"
mkdir -p "$BUILD/found" "$BUILD/log"

# The last "cov: N" and "ft: N", and how often it ran.
told() {
    sed -n "s/.*$2 *\([0-9][0-9]*\).*/\1/p" "$1" | tail -n 1
}

fuzz() {
    name=$1
    log=$BUILD/log/$name.log
    corpus=$BUILD/corpus/$name
    mkdir -p "$corpus" "tests/fuzz/regression/$name"
    set -- -max_total_time="$seconds" -max_len=4096 -timeout=20 -rss_limit_mb=1024 -print_final_stats=1 \
        -verbosity=1 -use_value_profile=0 -artifact_prefix="$BUILD/found/$name-"
    [ ! -f "tests/fuzz/dict/$name.dict" ] || set -- "$@" -dict="tests/fuzz/dict/$name.dict"
    "$BUILD/tests/fuzz/$name" "$@" "$corpus" "tests/fuzz/seeds/$name" "tests/fuzz/regression/$name" > "$log" 2>&1
    code=$?
    rmdir "tests/fuzz/regression/$name" 2> /dev/null
    echo "$name: $(told "$log" number_of_executed_units:) runs, $(told "$log" ' cov:') edges," \
        "$(told "$log" ' ft:') features, $(find "$corpus" -type f | wc -l) inputs kept"
    [ "$code" -eq 0 ] || grep -A 20 'ERROR: \|does not hold\|runtime error: ' "$log" | cut -c 1-140
    return "$code"
}

[ $# -gt 0 ] || set -- $(find "$BUILD/tests/fuzz" -type f -perm -u+x -exec basename {} \; | sort)
failed=0
for one in "$@"; do
    fuzz "$one" || failed=$((failed + 1))
done
[ "$failed" -eq 0 ] || echo "$failed with findings, in $BUILD/found"
[ "$failed" -eq 0 ]
