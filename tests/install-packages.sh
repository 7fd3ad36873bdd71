#!/bin/sh
# Installs the Debian packages that are missing: `run` for building and running, besides them `check` for the tests,
# `fuzz` for the fuzzers, `bench` for the benchmarks.
set -eu
case "${1:-}" in
run | check | fuzz | bench) ;;
*)
    echo "usage: $0 run | check | fuzz | bench" >&2
    exit 2
    ;;
esac

packages='build-essential pkg-config libwebsockets-dev libwebsockets-evlib-uv libcurl4-openssl-dev libssl-dev
          libuv1-dev libsqlite3-dev libpcre2-dev libhttp-parser-dev python3 perl-base git ca-certificates'
case "$1" in
check) packages="$packages clang clang-format-14 libcmocka-dev json-schema-test-suite python3-jsonschema nodejs npm curl" ;;
fuzz) packages="$packages clang libclang-rt-14-dev" ;;
bench) packages="$packages wrk" ;;
esac

# What npm brings itself (NodeSource's nodejs, a hand-made install) is as good as the package.
present() {
    case "$1" in
    nodejs) command -v node > /dev/null 2>&1 && return 0 ;;
    npm) command -v npm > /dev/null 2>&1 && return 0 ;;
    esac
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2> /dev/null)" = installed ]
}

missing=
if command -v dpkg-query > /dev/null 2>&1; then
    for package in $packages; do
        present "$package" || missing="$missing $package"
    done
else
    echo "This is no Debian: see to it that the like of these is there:" $packages >&2
    exit 0
fi
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo > /dev/null 2>&1; then
    as_root=sudo
else
    echo "These packages are missing, and only root can install them:" >&2
    echo "  apt-get install$missing" >&2
    exit 1
fi
echo "installing:$missing" >&2
install() {
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $missing
}
# The lists of a fresh machine are empty, those of an old one out of date.
install > /dev/null 2>&1 && exit 0
$as_root apt-get update -q >&2
install >&2
