"""Runs suites of a GoogleTest binary, which lists them itself: a process each, several at a time, a
limit each; one JUnit file of all."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import tempfile
import time
import xml.etree.ElementTree as ET

MOST_TEXT = 20000


def listed(binary, env):
    """[(suite, file of its first test)], values and types of one gathered."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "list.json")
        subprocess.run([str(binary), "--gtest_list_tests", f"--gtest_output=json:{path}"], env=env,
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=120)
        tests = json.loads(pathlib.Path(path).read_text())
    suites = {}
    for suite in tests["testsuites"]:
        name = re.sub(r"/[0-9]+$", "", suite["name"])
        suites.setdefault(name, suite["testsuite"][0]["file"])
    return list(suites.items())


def chosen(suites, on_devices, on_gpu):
    """Those that run on a real driver: as ctest's entries with the label gpu."""
    pattern = re.compile(rf"(^|/)tests/({on_devices}|{on_gpu})" if on_gpu else rf"(^|/)tests/({on_devices})")
    slow = re.compile(r"(^|/)(Heavy|Nightly)")
    return [name for name, file in suites if pattern.search(file) and not slow.search(name)]


def run_one(binary, suite, env, limit):
    begun = time.monotonic()
    words = [str(binary), f"--gtest_filter={suite}.*:{suite}/*", "--gtest_brief=1"]
    try:
        ran = subprocess.run(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             timeout=limit, text=True, errors="replace")
        result = {0: "ok", 77: "skipped"}.get(ran.returncode, "failed")
        text = ran.stdout
        if ran.returncode < 0:
            text += f"\nended by signal {-ran.returncode}"
    except subprocess.TimeoutExpired as expired:
        result = "cut"
        text = (expired.stdout or b"").decode(errors="replace") + f"\nstopped after {limit:.0f} s"
    return {"suite": suite, "result": result, "seconds": round(time.monotonic() - begun, 1),
            "text": text[-MOST_TEXT:] if result != "ok" else ""}


def run_all(binary, suites, env, at_a_time, each, until):
    """`until`: a time of time.monotonic() beyond which none begins."""
    def one(suite):
        left = until - time.monotonic()
        if left < 1:
            return {"suite": suite, "result": "cut", "seconds": 0.0, "text": "no time was left for it"}
        return run_one(binary, suite, env, min(each, left))

    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        return list(pool.map(one, suites))


def write_junit(results, path):
    root = ET.Element("testsuite", name="kiln on a GPU", tests=str(len(results)),
                      failures=str(sum(r["result"] in ("failed", "cut") for r in results)),
                      skipped=str(sum(r["result"] == "skipped" for r in results)))
    for r in results:
        case = ET.SubElement(root, "testcase", classname="gpu", name=r["suite"], time=str(r["seconds"]))
        kind = {"failed": "failure", "cut": "failure", "skipped": "skipped"}.get(r["result"])
        if kind:
            body = ET.SubElement(case, kind, message=r["result"])
            body.text = re.sub(r"[^\t\n\r\x20-\ud7ff]", "?", r["text"])
    ET.ElementTree(root).write(path, encoding="unicode", xml_declaration=True)
