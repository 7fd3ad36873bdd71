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
steps) # a step, told as progress and log, for each file that the test makes
    folder=$(printf '%s' "$task" | sed 's/.*"folder:\([^"]*\)".*/\1/')
    for n in 1 2 3; do
        until [ -e "$folder/$n" ]; do sleep 0.02; done
        echo "{\"progress\":{\"value\":$n,\"total\":3}}"
        echo "{\"log\":{\"text\":\"step $n\"}}"
    done
    until [ -e "$folder/end" ]; do sleep 0.02; done
    echo '{"result":{"text":"all steps"}}'
    ;;
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
