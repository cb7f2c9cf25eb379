"""check_test.py CHECK PACK TAR PROGRAM CORPUS: the check that plays the services accepts a good target, and says of a bad one
what is wrong with it."""

import contextlib
import importlib.machinery
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

CHECK, PACK, TAR, PROGRAM, CORPUS = (os.path.abspath(path) for path in sys.argv[1:6])
TARGET = "rw_lock_fuzz_test"


def load_check():
    """The script as a module."""
    sys.dont_write_bytecode = True
    loader = importlib.machinery.SourceFileLoader("oss_fuzz_check", CHECK)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("oss_fuzz_check", loader))
    loader.exec_module(module)
    return module


check = load_check()


class CheckTest(unittest.TestCase):
    def setUp(self):
        self.folder = os.path.realpath(tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"]))
        self.scratch = tempfile.mkdtemp(dir=os.environ["TEST_TMPDIR"])
        with tarfile.open(TAR) as archive:
            archive.extractall(self.folder)

    def path(self, suffix=""):
        return os.path.join(self.folder, TARGET + suffix)

    def messages(self, function, *arguments):
        """What a check says is wrong."""
        checks = check.Checks()
        with contextlib.redirect_stdout(io.StringIO()) as text:
            function(checks, self.folder, TARGET, *arguments)
        said = [line for line in text.getvalue().splitlines() if line.startswith("FAILED: ")]
        self.assertEqual(len(said), checks.failed)
        return said

    def test_a_good_target(self):
        self.assertTrue(check.is_target(self.path()))
        self.assertFalse(check.is_target(self.path("_seed_corpus.zip")))
        self.assertEqual(self.messages(check.check_files), [])
        self.assertEqual(self.messages(check.check_purity, "none"), [])
        self.assertEqual(self.messages(check.check_runs, self.scratch, 1), [])

    def test_a_setting_that_it_was_not_built_for(self):
        self.assertIn("calls of __asan", self.messages(check.check_purity, "address")[0])

    def test_no_seeds(self):
        os.remove(self.path("_seed_corpus.zip"))
        self.assertEqual(self.messages(check.check_files), [f"FAILED: {TARGET}: has seeds"])

    def test_no_dictionary(self):
        with open(self.path(".dict"), "w", encoding="utf-8") as file:
            file.write('# good\nname="\\x41"\nbad\n')
        self.assertEqual(self.messages(check.check_files), [f"FAILED: {TARGET}.dict: is a dictionary:"])

    def test_unknown_options(self):
        with open(self.path(".options"), "w", encoding="utf-8") as file:
            file.write("[nobody]\na = 1\n")
        self.assertIn("sections that are known", self.messages(check.check_files)[0])

    def test_missing_libraries(self):
        shutil.rmtree(os.path.join(self.folder, "lib"))
        self.assertIn("brings its libraries along", self.messages(check.check_files)[0])

    def test_a_target_that_does_not_fuzz(self):
        with open(self.path(), "w", encoding="utf-8") as file:
            file.write("#!/bin/sh\necho WARNING: no interesting inputs\necho Done 4 runs\n")
        said = self.messages(check.check_runs, self.scratch, 1)
        self.assertEqual(said[0], f"FAILED: {TARGET}: starts without a corpus:")
        self.assertEqual(said[-1], f"FAILED: {TARGET}: fuzzes for 1 seconds:")

    def test_packing_again_gives_the_same(self):
        again = os.path.join(self.scratch, "again.tar")
        command = [sys.executable, PACK, again, TARGET, PROGRAM, CORPUS, "--options", self.path(".options")]
        subprocess.run(command, check=True)
        with open(again, "rb") as one, open(TAR, "rb") as other:
            self.assertEqual(one.read(), other.read())

    def test_a_name_that_no_service_takes(self):
        command = [sys.executable, PACK, os.path.join(self.scratch, "t.tar"), "a.b", PROGRAM, CORPUS]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertNotEqual(result.returncode, 0)
        self.assertIn("letters, digits", result.stderr)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
