"""source_coverage.py PROGRAM FOLDER...: which lines and branches of the code under test the inputs in the folders reach, each
executed once and the states of the locks named (--survey).

Prints JSON: {PATH: {"lines": [[LINE, EXECUTIONS]...], "branches": [[LINE, COLUMN, END LINE, END COLUMN, DIRECTION, EXECUTIONS]...]}}.
The figures and the report of a campaign (tools/campaign_report.py) are made of it.

By Clang's source-based coverage: the fuzz target is NAME_covered of cc_fuzz_test. Needs the package llvm-19.
"""

import collections
import json
import os
import subprocess
import sys
import tempfile

# What Bazel lets paths of the workspace begin with.
_PREFIX = "/proc/self/cwd/"
# What runs and watches the code under test. As folders of the workspace; in another workspace Jacquard is in external/.
_NOT_UNDER_TEST = ("external/", "fuzzers/", "jacquard/", "sim/", "stress/", "third_party/")


class File:
    """What of one file is reached: {line: executions}, {(line, column, end line, end column, direction): executions}."""

    def __init__(self):
        self.lines = collections.Counter()
        self.branches = collections.Counter()

    @staticmethod
    def reached(counts):
        """How many of them, and of how many."""
        return sum(1 for count in counts.values() if count), len(counts)

    def missing(self):
        """The lines that are not reached, as "3, 7-9"."""
        ranges = []
        for line in sorted(line for line, count in self.lines.items() if not count):
            if ranges and ranges[-1][1] == line - 1:
                ranges[-1][1] = line
            else:
                ranges.append([line, line])
        return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in ranges)


def _output_of(command, **environment):
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            errors="replace", env=dict(os.environ, **environment), check=False)
    if result.returncode != 0:
        raise SystemExit(f"source_coverage: {' '.join(command)}: status {result.returncode}\n{result.stderr.strip()[-2000:]}")
    return result.stdout


def measure(program, inputs, workspace="", pages=""):
    """Executes the `inputs`, folders, and returns {path: File} for the code under test, paths from the workspace's root.

    Writes the sources with their counts to the folder `pages`, if both it and the `workspace` are named.
    """
    with tempfile.TemporaryDirectory() as scratch:
        raw, data = os.path.join(scratch, "raw"), os.path.join(scratch, "data")
        _output_of([program, "--survey"] + inputs, LLVM_PROFILE_FILE=raw)
        _output_of(["/usr/bin/llvm-profdata-19", "merge", "-o", data, raw])
        cov = "/usr/bin/llvm-cov-19"
        exported = json.loads(_output_of([cov, "export", "-format=text", "-instr-profile=" + data, program]))
        lcov = _output_of([cov, "export", "-format=lcov", "-instr-profile=" + data, program])
        entries = exported["data"][0]["files"]

        def name_of(path):
            path = path.removeprefix(_PREFIX)
            return "" if path.startswith("/") or path.startswith(_NOT_UNDER_TEST) else path

        files = {}
        for entry in entries:
            if name := name_of(entry["filename"]):
                branches = files.setdefault(name, File()).branches
                # Each instance of a template has its own: what one does is done.
                for line, column, end_line, end_column, taken, not_taken, *_ in entry["branches"]:
                    branches[line, column, end_line, end_column, True] += taken
                    branches[line, column, end_line, end_column, False] += not_taken
        file = None
        for line in lcov.splitlines():
            kind, _, value = line.partition(":")
            if kind == "SF":
                file = files.get(name_of(value))
            elif kind == "DA" and file is not None:
                number, count = value.split(",")[:2]
                file.lines[int(number)] += int(count)
        if workspace and pages and files:
            _output_of([cov, "show", "-format=html", "-output-dir=" + pages, f"-path-equivalence={_PREFIX},{workspace}/",
                        "-instr-profile=" + data, program] + [os.path.join(workspace, name) for name in sorted(files)])
    return dict(sorted(files.items()))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: source_coverage.py PROGRAM FOLDER...")
    json.dump({name: {"lines": sorted(file.lines.items()), "branches": sorted([*place, count] for place, count in file.branches.items())}
               for name, file in measure(sys.argv[1], sys.argv[2:]).items()}, sys.stdout)
