#!/bin/sh
# Agent lines in POSIX sh: works a little, perhaps asks, answers. What it does is the task's text. What it hears is
# written down for the test, in the file AB_HEARD.
IFS= read -r task
case $task in
*'"text":"ask"'*)
    echo '{"ask":{"go":{"kind":"form","message":"Which?","schema":{"type":"object","properties":{"n":{"type":"string"}},"required":["n"]}}}}'
    IFS= read -r answer
    n=$(printf '%s' "$answer" | sed -n 's/.*"n":"\([^"]*\)".*/\1/p')
    echo "$AGENTBRIDGE_TASK $n" >> "$AB_HEARD"
    echo "{\"result\":{\"text\":\"answered $n\"}}"
    ;;
*'"text":"chatty"'*)
    n=0
    while [ $n -lt 40 ]; do
        n=$((n + 1))
        echo "{\"progress\":{\"value\":$n,\"total\":40}}"
        echo "{\"log\":{\"text\":\"line $n\"}}"
    done
    echo '{"result":{"text":"said it all"}}'
    ;;
*'"text":"slowly"'*)
    n=0
    while [ $n -lt 100 ]; do
        n=$((n + 1))
        echo "{\"log\":{\"text\":\"line $n\"}}"
        sleep 0.01
    done
    echo '{"result":{"text":"said it all"}}'
    ;;
*) echo '{"result":{"text":"quick"}}' ;;
esac
