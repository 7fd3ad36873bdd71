#!/bin/sh
# Prints a C file that holds the given files as byte arrays, for base/embedded.h. The name of each is its path without
# the first folder: schemas/store/001.sql becomes "store/001.sql".
set -eu
echo '#include "base/embedded.h"'
echo
n=0
for file in "$@"; do
    echo "static const unsigned char file_$n[] = {"
    od -An -v -tx1 "$file" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo '0x00 };'
    n=$((n + 1))
done
echo 'const struct ab_embedded_file ab_embedded_files[] = {'
n=0
for file in "$@"; do
    echo "    { \"${file#*/}\", (const char *)file_$n, sizeof(file_$n) - 1 },"
    n=$((n + 1))
done
echo '    { 0, 0, 0 } };'
