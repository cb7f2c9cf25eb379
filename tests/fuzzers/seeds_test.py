"""Seeds really reach what they say they show: seeds_test.py PROGRAM TEXT...

A text says so in comments, each of which is looked for in what happens when it is replayed, part after part in this order:

    # reaches: thread 1: unmap mm=0 at=2 pages=1 sleeps, then thread 0: vma0.refcount 2 references, excluding readers
    # reaches: thread 0: lookup mm=0 at=2 none

A part is the beginning of what a thread did in a step, as the timeline has it, of an operation with its result, or of one
with how it waits. A text with a schedule must have such comments: other code in front of the place that it is about moves the
place away, and then it shows something else. (The seeds of vma_lock and lockdep have tests of their own.)
"""

import json
import re
import subprocess
import sys

PART = re.compile(r"thread (\d+): (.*)")


def happenings(program, text):
    """[(thread, what it did)] of an input's execution."""
    replay = subprocess.run([program, "--replay", text, "--json"], stdout=subprocess.PIPE, check=True)
    operations = {}
    result = []
    for event in json.loads(replay.stdout)["events"]:
        thread = event["thread"]
        if event["type"] == "step":
            result.append((thread, event["words"]))
            continue
        if event["type"] == "operation begin":
            operations[thread] = event["text"]
            continue
        result.append((thread, operations.get(thread, "") + " " + event.get("text", "")))
    return result


def missing(line, happened):
    """The first part of a comment that did not happen where it should; None if all did."""
    place = 0
    for part in re.split(r", then (?=thread \d)", line):
        match = PART.fullmatch(part)
        if match is None:
            return f'"{part}" is not "thread NUMBER: WHAT"'
        wanted = (int(match[1]), match[2])
        while place < len(happened) and not (happened[place][0] == wanted[0] and happened[place][1].startswith(wanted[1])):
            place += 1
        if place == len(happened):
            return part
        place += 1
    return None


def problems(program, path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    reaches = re.findall(r"^# reaches: (.*)$", text, re.MULTILINE)
    if not reaches and re.search(r"^(schedule|memory):", text, re.MULTILINE):
        yield "has a schedule, and does not say what it reaches"
    happened = happenings(program, path)
    for line in reaches:
        lost = missing(line, happened)
        if lost is not None:
            yield f"does not reach: {lost}"


def main(program, texts):
    count = 0
    for path in texts:
        for problem in problems(program, path):
            print(f"{path}: {problem}")
            count += 1
    if not texts:
        print("no seeds")
    return 1 if count or not texts else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
