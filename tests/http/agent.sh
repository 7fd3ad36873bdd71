#!/bin/sh
# Agents that misbehave, each in its own way; the way is the argument.
IFS= read -r task
case $1 in
good) echo '{"result":{"text":"good"}}' ;;
dies) kill -9 $$ ;;
fails) echo 'the disk was on fire' >&2; exit 3 ;;
floods) while :; do echo '{"chunk":"0123456789012345678901234567890123456789012345678901234567890123456789"}'; done ;;
longline) head -c 3000000 /dev/zero | tr '\0' x ;;
brokenline) echo '{"progress":{"value":1}}'; echo 'Hello, I am not JSON' ;;
hangs) trap '' TERM; while :; do sleep 1; done ;;
silent) exit 0 ;;
waits) echo '{"status":"executing","message":"waiting"}'; read -r line ;;
chatty)
    n=0
    while [ $n -lt 12000 ]; do
        n=$((n + 1))
        echo "{\"log\":{\"text\":\"$n 0123456789012345678901234567890123456789012345678901234567890123456789\"}}"
    done
    echo '{"result":{"text":"enough"}}'
    ;;
esac
