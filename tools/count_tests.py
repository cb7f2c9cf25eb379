"""Counts the test cases that a `bazel test` ran.

  count_tests.py LOG TESTLOGS

LOG is what Bazel printed, TESTLOGS the folder bazel-testlogs. Prints `PASSED FAILED`.

Bazel's closing list says which targets ran and how they ended; the cases inside a target are counted from its test.xml
files. A target that failed counts as at least one failed case, whatever its files say; one that could not be built, or
did not run, as exactly one. Disabled and skipped cases, and targets that Bazel left out as incompatible, do not count.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

_STATUS = re.compile(
    r"^@*(?P<package>//\S*):(?P<name>\S+)\s+(?:\(cached\) )?"
    r"(?P<status>PASSED|FLAKY|FAILED TO BUILD|FAILED|TIMEOUT|INCOMPLETE|REMOTE FAILURE|BLAZE HALTED|NO STATUS|SKIPPED)"
)


def statuses(log):
  """Yields (target's folder below bazel-testlogs, status) for each line of Bazel's closing list."""
  for line in log.splitlines():
    match = _STATUS.match(line)
    if match:
      yield match["package"][2:] + "/" + match["name"], match["status"]


def cases(folder):
  """Returns (passed, failed): the cases in the test.xml files below `folder`, which may be in folders of shards."""
  passed = failed = 0
  for path in folder.rglob("test.xml"):
    try:
      root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
      continue
    for case in root.iter("testcase"):
      if case.find("failure") is not None or case.find("error") is not None:
        failed += 1
      elif case.get("status") == "notrun" or case.get("result") in ("skipped", "suppressed"):
        pass
      elif case.find("skipped") is None:
        passed += 1
  return passed, failed


def count(log, testlogs):
  """Returns (passed, failed) for the whole run."""
  passed = failed = 0
  for target, status in dict(statuses(log)).items():
    if status == "SKIPPED":
      continue
    if status in ("FAILED TO BUILD", "NO STATUS", "INCOMPLETE", "BLAZE HALTED"):
      failed += 1  # its test.xml, if any, is of an earlier run
      continue
    folder = testlogs / target
    good, bad = cases(folder)
    if status in ("PASSED", "FLAKY"):
      # A flaky target's last attempt passed. Without any file the target is one case.
      passed += good if good or bad or folder.exists() else 1
    else:
      passed += good
      failed += max(bad, 1)
  return passed, failed


def main(arguments):
  if len(arguments) != 3:
    sys.exit(__doc__)
  log = pathlib.Path(arguments[1]).read_text(encoding="utf-8", errors="replace")
  print(*count(log, pathlib.Path(arguments[2])))


if __name__ == "__main__":
  main(sys.argv)
