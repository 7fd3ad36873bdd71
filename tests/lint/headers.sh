#!/bin/sh
# Each header compiles alone: those of include/ in C17 and C++17, those of bridge/ in C17.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${CXX:=c++}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0

# try HEADER NAME COMMAND...: compiles a file that includes nothing but NAME.
try() {
    header=$1 name=$2 suffix=$3
    shift 3
    printf '#include "%s"\n#include "%s"\n' "$name" "$name" > "$scratch/alone.$suffix"
    if ! "$@" -D_GNU_SOURCE -Wall -Wextra -Wpedantic -Werror -fsyntax-only -Ibridge -Iinclude "$scratch/alone.$suffix" \
        2> "$scratch/errors"; then
        echo "$header: does not compile alone ($suffix):"
        head -n 12 "$scratch/errors"
        failed=1
    fi
}

for header in $(find include -name '*.h' | sort); do
    try "$header" "${header#include/}" c $CC -std=c17
    try "$header" "${header#include/}" cc $CXX -std=c++17
done
for header in $(find bridge -name '*.h' | sort); do
    try "$header" "${header#bridge/}" c $CC -std=c17
done
exit "$failed"
