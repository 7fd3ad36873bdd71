#!/bin/sh
# Fixture tools that the suite gives 600 ms: on a busy machine Python's start alone takes that long. The tool's name is
# the argument.
IFS= read -r task
case $1 in
test_streaming_elicitation)
    echo '{"ask":{"user_name":{"kind":"form","message":"What is your name?","schema":{"type":"object","properties":{"name":{"type":"string"}},"required":["name"]}}}}'
    IFS= read -r answer
    echo '{"result":{"text":"asked"}}'
    ;;
test_logging_tool)
    for text in 'Tool execution started' 'Tool processing data' 'Tool execution completed'; do
        echo "{\"log\":{\"level\":\"info\",\"text\":\"$text\"}}"
    done
    echo '{"result":{"text":"logged"}}'
    ;;
esac
