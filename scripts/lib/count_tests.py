# SPDX-License-Identifier: Apache-2.0
"""Adds up the test cases of every suite that scripts/test ran.

usage: count_tests.py RESULTS_DIR [SUITE_THAT_FAILED...]

RESULTS_DIR holds SUITE.xml (ctest --output-junit) and `seconds` ("SUITE SECONDS" lines). The unit of counting is the
test case: each program prints one summary line, doctest's own or the same line of tests/support/harness.py. A doctest
case that had nothing to test on this machine prints "SKIP: reason" and counts as skipped, not as passed.
"""

import pathlib
import re
import sys
import xml.etree.ElementTree as xml

SUMMARY = re.compile(r"^\[(doctest|python)\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|\s*(\d+) skipped", re.M)
SKIP = re.compile(r"^SKIP: ", re.M)


def count_program(case):
    """(passed, failed, skipped) of one ctest entry."""
    output = case.findtext("system-out") or ""
    passed = failed = skipped = 0
    for kind, *numbers in SUMMARY.findall(output):
        program = [int(number) for number in numbers]
        if kind == "doctest":
            skips = min(len(SKIP.findall(output)), program[0])
            program[0] -= skips
            program[2] += skips
        passed, failed, skipped = passed + program[0], failed + program[1], skipped + program[2]
    if case.get("status") != "run" and failed == 0:
        failed = 1  # crashed, timed out, or never started: no summary tells
    elif case.get("status") == "run" and passed + failed + skipped == 0:
        passed = 1  # a program that is one test, such as a compile check
    return passed, failed, skipped


def main():
    results = pathlib.Path(sys.argv[1])
    broken = sys.argv[2:]
    total = [0, 0, 0]
    print()
    for line in (results / "seconds").read_text(encoding="utf-8").splitlines():
        suite, seconds = line.split()
        counted = [0, 0, 0]
        programs = failed_programs = 0
        report = results / f"{suite}.xml"
        if report.exists() and report.stat().st_size > 0:
            for case in xml.parse(report).getroot().iter("testcase"):
                programs += 1
                failed_programs += case.get("status") != "run"
                counted = [a + b for a, b in zip(counted, count_program(case))]
        if suite in broken:
            counted[1] += 1
        total = [a + b for a, b in zip(total, counted)]
        percent = 100 * (programs - failed_programs) // programs if programs else 100
        verdict = f"{percent}% tests passed, {failed_programs} tests failed out of {programs}" if programs else "no tests"
        if suite in broken:
            verdict = "FAILED before or while it ran: see above"
        elif suite == "clang":
            verdict = "compiles"
        print(f"{suite:6} {int(seconds) / 60:5.1f} min   {verdict}")
    print("{} passed, {} failed, {} skipped".format(*total))
    return 1 if total[1] else 0


if __name__ == "__main__":
    sys.exit(main())
