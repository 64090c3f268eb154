"""kiln_replay on damaged reproducers: it computes, or says what is wrong, and ends.

    replay_fuzz.py <kiln_replay> <reproducer> <files>
"""

import pathlib
import random
import resource
import subprocess
import sys
import tempfile

SECONDS = 60
MEMORY = 8 << 30
NUMBERS = ["0", "-1", "2", "255", "4294967296", "9223372036854775807", "-9223372036854775808", "99999999999999999999"]


def damaged(text, chance):
    """The text with one to three places changed."""
    for _ in range(chance.randint(1, 3)):
        at, length = chance.randrange(len(text) + 1), chance.randint(1, 12)
        lines = text.splitlines(keepends=True)
        text = chance.choice([
            lambda: text[:at] + chr(chance.randrange(256)) + text[at + 1:],
            lambda: text[:at] + text[at + length:],
            lambda: text[:at],
            lambda: text[:at] + text[at:at + length] + text[at:],
            lambda: "".join(chance.sample(lines, len(lines))),
            lambda: text + chance.choice(lines or [""]),
            lambda: " ".join(chance.choice(NUMBERS) if word.isdigit() and chance.random() < 0.2 else word
                             for word in text.split(" ")),
        ])()
    return text


def fault(program, path):
    """How the program ended if that was wrong."""
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        ended = subprocess.run([program, path], capture_output=True, text=True, errors="replace",
                               timeout=SECONDS, preexec_fn=limit)
    except subprocess.TimeoutExpired:
        return f"did not end within {SECONDS} seconds"
    if ended.returncode == 1 and not ended.stdout + ended.stderr:
        return "ended with 1 and said nothing"
    return "" if ended.returncode in (0, 1) else f"ended with {ended.returncode}: {ended.stderr[-500:]}"


def main():
    program, case, count = sys.argv[1], pathlib.Path(sys.argv[2]).read_text(), int(sys.argv[3])
    found = 0
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "case.txt"
        for seed in range(count):
            text = damaged(case, random.Random(seed))
            path.write_text(text, encoding="latin-1", newline="")
            if wrong := fault(program, str(path)):
                found += 1
                print(f"seed {seed}: {wrong}\n{text}\n")
    print(f"{found} of {count} damaged reproducers ended wrongly")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
