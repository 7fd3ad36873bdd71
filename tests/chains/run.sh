#!/bin/sh
# Chains of protocols through bridges: real clients and servers of the official SDKs at both ends; prints
# "N passed, N failed". The SDKs are those of tests/interop/.
exec sh "$(dirname "$0")/../interop/run.sh" "$(dirname "$0")"
