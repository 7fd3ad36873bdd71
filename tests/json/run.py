#!/usr/bin/env python3
"""The JSON reader beside Python's: tens of thousands of texts, short ones in full, longer ones made up and damaged.
Both must take the same ones, and read the same value in them. Python's reader is made as strict as ours first: no NaN,
no key twice, no half of a surrogate pair, nesting at most 64."""
import itertools
import json
import os
import random
import subprocess
import sys

VERDICT = os.path.join(os.path.dirname(os.environ["AGENTBRIDGE"]), "tests", "json", "verdict")
DEPTH = 64
ALPHABET = ['{', '}', '[', ']', ':', ',', '"', '\\', '0', '1', '-', '+', '.', 'e', 'u', 'true', 'null', ' ', '\n', '\x01',
            'é', '\ufeff']
FRAMES = ["%s", "[%s]", '"%s"', '{"a":%s}', '{%s:1,"b":2}']


class Refused(ValueError):
    pass


def refuse(name):
    raise Refused(name)


def members(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise Refused("a key stands twice")
    return dict(pairs)


def check(value, depth=0):
    """Refuses what Python takes and we do not; gives the value with each number as a double."""
    if isinstance(value, str):
        value.encode("utf-8")  # fails on half of a surrogate pair
        return value
    if isinstance(value, (list, dict)):
        if depth >= DEPTH:
            raise Refused("too deep")
        if isinstance(value, list):
            return [check(item, depth + 1) for item in value]
        return {check(key): check(item, depth + 1) for key, item in value.items()}
    if isinstance(value, bool) or value is None:
        return value
    try:
        number = float(value)
    except OverflowError:
        return None
    return None if number in (float("inf"), float("-inf")) else number


def expected(data):
    """(taken, value)"""
    try:
        return True, check(json.loads(data.decode("utf-8"), parse_constant=refuse, object_pairs_hook=members))
    except (ValueError, RecursionError):
        return False, None


def short_texts():
    for length in range(4):
        for letters in itertools.product(ALPHABET, repeat=length):
            for frame in FRAMES if length < 3 else FRAMES[:3]:
                yield (frame % "".join(letters)).encode()


def made_up(source, depth=0):
    kind = source.randrange(9 if depth < 5 else 6)
    if kind == 0:
        return source.choice(["true", "false", "null"])
    if kind in (1, 2):
        return source.choice(["0", "-0", "1.50", "-12e3", "1E-400", "1e999", "9007199254740993", "0.1", "123456789e-9"])
    if kind < 6:
        return '"' + "".join(source.choice(["a", "b", "ä", "€", "😀", "\\n", '\\"', "\\\\", "\\/", "\\u0000", "\\u00e9",
                                            "\\ud83d\\ude00", "\\udc00", "\\ud800", "\x7f"])
                             for _ in range(source.randrange(4))) + '"'
    blank = source.choice(["", " ", "\r\n\t"])
    items = [made_up(source, depth + 1) for _ in range(source.randrange(4))]
    if kind < 8:
        return "[" + blank + (blank + "," + blank).join(items) + blank + "]"
    return "{" + ("," + blank).join(f'"k{source.randrange(6)}"{blank}:{item}' for item in items) + "}"


def damaged(source, data):
    for _ in range(source.randrange(3)):
        at = source.randrange(len(data) + 1)
        how = source.randrange(3)
        if how == 0:
            data = data[:at] + data[at + 1:]
        elif how == 1:
            data = data[:at] + bytes([source.choice(b'{}[]:,"\\0 -e\x00\x80\xff\xed')]) + data[at:]
        else:
            data = data[:at] + data[at:at + 3] * 2 + data[at + 3:]
    return data


def deep_texts():
    for depth in range(DEPTH - 2, DEPTH + 3):
        yield b"[" * depth + b"]" * depth
        yield b'{"a":' * depth + b"1" + b"}" * depth
        yield b'[{"a":' * (depth // 2) + b"[]" + b"}]" * (depth // 2)


def main():
    source = random.Random(1)
    texts = list(short_texts()) + list(deep_texts())
    texts += [damaged(source, made_up(source).encode()) for _ in range(30000)]
    answers = subprocess.run([VERDICT], input="".join(text.hex() + "\n" for text in texts), text=True, check=True,
                             stdout=subprocess.PIPE).stdout.split("\n")[:-1]
    wrong = 0
    n_taken = 0
    if len(answers) != len(texts):
        print(f"{len(answers)} answers to {len(texts)} texts")
        wrong += 1
    for text, answer in zip(texts, answers):
        taken, value = expected(text)
        n_taken += taken
        if taken != (answer != "-"):
            print(f"{text!r}: Python {'takes' if taken else 'refuses'} it")
            wrong += 1
        elif taken and check(json.loads(bytes.fromhex(answer))) != value:
            print(f"{text!r}: is read as {bytes.fromhex(answer)!r}")
            wrong += 1
    print(f"{n_taken} of {len(texts)} texts are JSON")
    # A table without either kind would prove nothing.
    wrong += not 1000 < n_taken < len(texts) - 1000
    print("0 passed, 1 failed" if wrong else "1 passed, 0 failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
