"""README.zh-CN.md against README.md: the same code blocks, and no section that is stale.

    readme.py <root>           fails, and names the sections
    readme.py <root> --mark    after a translation: writes the marks of the English sections

Each section of the translation has a mark, <!-- of: ... -->, a hash of the English section that it was made from. What
is written by a program is no part of a section.
"""

import hashlib
import pathlib
import re
import sys

MADE = re.compile(r"<!-- (bench|silicon): begin -->.*?<!-- \1: end -->", re.S)
MARK = re.compile(r"<!-- of: ?(\w*) -->")
FENCE = re.compile(r"^```.*?^```$", re.S | re.M)


def sections(text):
    """(heading, text) of each: what stands before the first heading of level 2 is one too."""
    hidden = FENCE.sub(lambda m: m.group(0).replace("\n#", "\n "), MADE.sub("", text))
    starts = [0] + [m.start() for m in re.finditer(r"^## ", hidden, re.M)]
    parts = [hidden[a:b] for a, b in zip(starts, starts[1:] + [len(hidden)])]
    return [(part.lstrip().split("\n")[0].lstrip("# "), part) for part in parts]


def mark_of(section):
    return hashlib.sha256(" ".join(section.split()).encode()).hexdigest()[:12]


def faults(english, chinese):
    ours, theirs = sections(english), sections(chinese)
    if len(ours) != len(theirs):
        return [f"README.zh-CN.md has {len(theirs)} sections, README.md {len(ours)}"]
    found = []
    for (heading, text), (translated, translation) in zip(ours, theirs):
        marks = MARK.findall(translation)
        if len(marks) != 1:
            found.append(f"README.zh-CN.md: {translated}: one mark is wanted, there are {len(marks)}")
        elif marks[0] != mark_of(text):
            found.append(f"README.zh-CN.md: {translated}: stale, {heading} has changed since")
        if FENCE.findall(text) != FENCE.findall(translation):
            found.append(f"README.zh-CN.md: {translated}: its code blocks are not those of {heading}")
    return found


def marked(english, chinese):
    hashes = iter([mark_of(text) for _, text in sections(english)])
    return MARK.sub(lambda _: f"<!-- of: {next(hashes)} -->", chinese)


def main():
    root = pathlib.Path(sys.argv[1])
    english, path = (root / "README.md").read_text(), root / "README.zh-CN.md"
    if "--mark" in sys.argv:
        path.write_text(marked(english, path.read_text()))
    found = faults(english, path.read_text())
    print("\n".join(found) if found else "the translation is current")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
