#!/bin/sh
# Release check-list of a git checkout, as agent lines: looks at what a release needs, asks for approval in the middle,
# and writes the release notes when it gets it.
#
# The folder is the argument `path`, or the task's text. Try it by hand (then answer the question on the next line):
#   ./checklist.sh
#   {"input":{"text":"/path/to/checkout"}}
#   {"answer":{"approve":{"action":"accept"}}}
set -u

# Text on standard input as a JSON string.
quote() {
    awk 'BEGIN { ORS = ""; print "\"" }
         { gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); gsub(/\r/, "")
           gsub(/[\001-\010\013\014\016-\037]/, "?"); print (NR > 1 ? "\\n" : "") $0 }
         END { print "\"" }'
}
say() { printf '%s\n' "$1"; }
step() { say "{\"progress\":{\"value\":$1,\"total\":6,\"message\":\"$2\"}}"; }
fail() { say "{\"failed\":$(printf '%s' "$1" | quote)}"; exit 0; }

# The first string member of this name in a JSON line, unescaped: enough for a path.
member() {
    awk -v key="\"$1\":" '{
        at = index($0, key); if (at == 0) exit
        rest = substr($0, at + length(key)); sub(/^[ \t]*"/, "", rest) || (rest = "")
        for (i = 1; i <= length(rest); i++) {
            c = substr(rest, i, 1)
            if (c == "\"") break
            if (c == "\\") { i++; c = substr(rest, i, 1); if (c == "n") c = "\n"; else if (c == "t") c = "\t" }
            printf "%s", c
        } }'
}

IFS= read -r task || exit 1
folder=$(printf '%s\n' "$task" | sed 's/.*"arguments"://' | member path)
[ -n "$folder" ] || folder=$(printf '%s\n' "$task" | sed 's/.*"input"://' | member text)
[ -n "$folder" ] || fail 'Give the path of a git checkout on this machine'
[ -d "$folder" ] || fail "There is no folder \"$folder\""
cd "$folder" || fail "The folder \"$folder\" cannot be entered"
git rev-parse --git-dir > /dev/null 2>&1 || fail "The folder \"$folder\" is no git checkout"

there() { # whether one of these files exists
    for file in "$@"; do [ -e "$file" ] && return 0; done
    return 1
}

good=0
bad=0
report=
check() { # what, passed or not, detail
    if [ "$2" = yes ]; then good=$((good + 1)); mark='[x]'; else bad=$((bad + 1)); mark='[ ]'; fi
    report="$report- $mark $1: $3
"
}

step 1 'looking for uncommitted changes'
changed=$(git status --porcelain | wc -l | tr -d ' ')
check 'clean tree' "$([ "$changed" -eq 0 ] && echo yes || echo no)" "$changed uncommitted changes"

step 2 'looking for the last tag'
tag=$(git describe --tags --abbrev=0 2> /dev/null)
range=${tag:+$tag..}HEAD
commits=$(git rev-list --count "$range" 2> /dev/null || echo 0)
check 'something new' "$([ "$commits" -gt 0 ] && echo yes || echo no)" "$commits commits since ${tag:-the beginning}"

step 3 'looking for README and changelog'
check 'README' "$(there README* readme* && echo yes || echo no)" 'a file that says what this is'
check 'changelog' "$(there CHANGELOG* CHANGES* NEWS* && echo yes || echo no)" 'a file that says what changed'

step 4 'looking for tests'
tests=$(git ls-files | grep -ciE '(^|/)(tests?|spec)(/|_)|_test\.|\.test\.')
check 'tests' "$([ "$tests" -gt 0 ] && echo yes || echo no)" "$tests test files"

step 5 'counting open ends'
todos=$(git grep -IcE 'TODO|FIXME' 2> /dev/null | awk -F: '{ n += $NF } END { print n + 0 }')
check 'open ends' "$([ "$todos" -eq 0 ] && echo yes || echo no)" "$todos lines with TODO or FIXME"

message=$(printf '%s of %s checks passed:\n%s' "$good" "$((good + bad))" "$report" | quote)
say "{\"ask\":{\"approve\":{\"kind\":\"approval\",\"title\":\"Release $commits commits since ${tag:-the beginning}?\",\"message\":$message}}}"

IFS= read -r answer || exit 1
case $(printf '%s' "$answer" | tr -d ' \t') in
*'"cancel":true'*) exit 0 ;;
*'"action":"accept"'*) ;;
*) fail 'The release was not approved' ;;
esac

step 6 'writing the release notes'
notes=$(printf '# Release notes\n\nChanges since %s:\n\n' "${tag:-the beginning}"
    git log --no-merges --format='- %s (%h)' "$range" | head -n 200
    printf '\n## Check-list\n\n%s' "$report")
say "{\"artifact\":{\"id\":\"notes\",\"name\":\"release-notes.md\",\"parts\":[{\"text\":$(printf '%s\n' "$notes" | quote),\"media_type\":\"text/markdown\",\"filename\":\"release-notes.md\"}]}}"
say "{\"result\":{\"text\":\"Approved: $commits commits since ${tag:-the beginning}; $good of $((good + bad)) checks passed.\",\"data\":{\"commits\":$commits,\"passed\":$good,\"failed\":$bad}}}"
