# SPDX-License-Identifier: Apache-2.0
"""Runs the unittest cases of a program and ends with the summary line that scripts/test counts."""

import os
import sys
import time
import unittest


class Result(unittest.TextTestResult):
    """Counts cases, so that a failure in setUpClass or a skipped class is as visible as in a case."""

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.passed = 0
        self.began = None

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def stopTest(self, test):
        super().stopTest(test)
        self.stream.writeln(f"  {time.monotonic() - self.began:.1f} s")

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        print(f"SKIP: {test}: {reason}", file=sys.stderr, flush=True)


def main():
    """Call as the last thing of a test program. Names on the command line choose cases: Class or Class.test_name."""
    # Everything is on loopback; a proxy of the environment must not come between.
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "*"
    module = sys.modules["__main__"]
    loader = unittest.defaultTestLoader
    tests = loader.loadTestsFromNames(sys.argv[1:], module) if sys.argv[1:] else loader.loadTestsFromModule(module)
    result = unittest.TextTestRunner(verbosity=2, resultclass=Result).run(tests)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    total = result.passed + failed + skipped
    print(f"[python] test cases: {total} | {result.passed} passed | {failed} failed | {skipped} skipped", flush=True)
    sys.exit(1 if failed or total == 0 else 0)


def wait_until(condition, what, deadline_s=60.0, poll_s=0.1):
    """Returns the first true value of condition(); AssertionError naming `what` after the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        time.sleep(poll_s)
