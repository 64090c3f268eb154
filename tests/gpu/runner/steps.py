"""Steps under limits: each has its seconds, a command has its own for all of them, and whatever was
written when time was up stays."""

import json
import pathlib
import signal
import subprocess
import time

MOST_BYTES = 8 << 20


class Cut(Exception):
    """A step's time is up."""


class Command:
    """One of the bundle's three commands: its steps, and the files it leaves."""

    def __init__(self, number, title, seconds, out):
        self.number, self.title, self.out = number, title, pathlib.Path(out)
        self.begun = time.monotonic()
        self.end = self.begun + seconds
        self.steps = []
        self.log = self.path("log.txt").open("w")

    def path(self, name):
        return self.out / f"{self.number}-{name}"

    def left(self):
        return self.end - time.monotonic()

    def step(self, name, seconds, work):
        """work(limit) gives (result, details): result is ok, failed, skipped or cut."""
        limit = min(seconds, self.left())
        begun = time.monotonic()
        if limit < 1:
            result, details = "cut", {"why": "no time was left for it"}
        else:
            try:
                result, details = work(limit)
            except Cut as cut:
                result, details = "cut", {"why": str(cut)}
            except Exception as error:  # one step's trouble never ends the run
                result, details = "failed", {"why": f"{type(error).__name__}: {error}"}
        taken = round(time.monotonic() - begun, 1)
        self.steps.append({"name": name, "result": result, "seconds": taken, **details})
        print(f"   {result:8} {name} ({taken} s) {details.get('why', '')[:200]}", flush=True)
        self.write()

    def run(self, words, limit, env, output=None, cwd=None):
        """Runs a program; gives (status, text). Its output goes to the log, or to the file `output`."""
        self.log.write("$ " + " ".join(str(w) for w in words) + "\n")
        self.log.flush()
        begun = time.monotonic()
        target = open(output, "w") if output else subprocess.PIPE
        child = subprocess.Popen([str(w) for w in words], env=env, cwd=cwd, stdout=target,
                                 stderr=subprocess.PIPE, text=True, errors="replace", start_new_session=True)
        try:
            out, err = child.communicate(timeout=max(limit, 1))
        except subprocess.TimeoutExpired:
            stop(child)
            out, err = child.communicate()
            err = (err or "") + f"\nstopped after {limit:.0f} s\n"
        finally:
            if output:
                target.close()
        cut = time.monotonic() - begun >= limit
        for text in (out if not output else "", err):
            self.log.write((text or "")[-200000:])
        self.log.write(f"status {child.returncode}\n")
        self.log.flush()
        return ("cut" if cut else child.returncode), (out or ""), (err or "")

    def write(self):
        done = {"command": self.title, "seconds": round(time.monotonic() - self.begun, 1), "steps": self.steps}
        self.path("steps.json").write_text(json.dumps(done, indent=1) + "\n")

    def finish(self):
        self.write()
        self.log.close()
        for path in sorted(self.out.glob(f"{self.number}-*")):
            if path.stat().st_size > MOST_BYTES:
                shorten(path)


def stop(child):
    """Ends the program and whatever it started."""
    import os
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
        except ProcessLookupError:
            return
        try:
            child.wait(5)
            return
        except subprocess.TimeoutExpired:
            continue


def shorten(path):
    """Keeps the first and the last part of a file that is too large to be sent."""
    data = path.read_bytes()
    half = MOST_BYTES // 2 - 100
    path.write_bytes(data[:half] + b"\n... cut ...\n" + data[-half:])
