#!/bin/sh
# Agent lines in POSIX sh: works a little, perhaps asks, answers. What it does is the task's text.
IFS= read -r task
case $task in
*'"text":"ask"'*)
    echo '{"ask":{"go":{"kind":"approval","title":"Go on?"}}}'
    IFS= read -r answer
    echo '{"result":{"text":"answered"}}'
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
*) echo '{"result":{"text":"quick"}}' ;;
esac
