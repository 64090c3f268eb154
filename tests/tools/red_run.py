"""A test that crashes, throws or leaves early turns the run red: statuses of red_probe.

    red_run.py <red_probe>
"""

import os
import subprocess
import sys

RED = ["Fails", "Throws", "ThrowsUnknown", "Crashes", "Terminates", "ThrowsInThread",
       "ExitsWithZero", "ThrowsInSetUp", "NoSuchSuite"]


def status(probe, suite):
    environment = {k: v for k, v in os.environ.items() if k != "KILN_SKIP_LOG"}
    return subprocess.run([probe, f"--gtest_filter={suite}.*"], capture_output=True, timeout=120,
                          env=environment).returncode


def main():
    probe = sys.argv[1]
    wrong = [f"{s} ended with 0" for s in RED if status(probe, s) in (0, 77)]
    if status(probe, "Passes") != 0:
        wrong.append("Passes did not end with 0")
    if status(probe, "Skips") != 77:
        wrong.append("Skips did not end with 77")
    print("\n".join(wrong) if wrong else f"{len(RED)} ways to go wrong, all seen")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
