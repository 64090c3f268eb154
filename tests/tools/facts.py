"""Facts for a reviewer: files over 500 lines and functions over 60, each with its reason.

    facts.py [root]

Reasons stand in facts_reasons.txt beside this file, one row each: `<path or path:function>  <why>`.
The lengths are aims for review, so nothing here fails a run; a missing reason is said as such.
"""

import pathlib
import re
import sys

FILE_LINES = 500
FUNCTION_LINES = 60
FOLDERS = ["ir", "passes", "codegen", "runtime", "frontend", "tests", "examples"]
NOISE = re.compile(
    r'//[^\n]*|/\*.*?\*/|R"([^(\s]*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\''
    r"|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.S | re.M)
NAME = re.compile(r"([~\w:]+|operator[^\s(]+)\s*\(")
NO_FUNCTION = re.compile(
    r"^\s*(?:(?:inline\s+)?namespace|class|struct|union|enum|extern)\b(?!.*\)\s*(?:const)?\s*$)",
    re.S)


def blank(text):
    """The text without comments, strings and directives, line breaks kept."""
    return NOISE.sub(lambda m: " " + "\n" * m.group(0).count("\n"), text)


def function_name(head):
    """The name if the text before an opening brace heads a function definition, else None."""
    head = re.sub(r"^\s*template\s*<[^{}]*?>\s*(?=\w)", "", head.strip(), flags=re.S)
    if "(" not in head or NO_FUNCTION.match(head) or re.search(r"[=,(]\s*$", head):
        return None
    match = NAME.search(re.sub(r"\[\[.*?\]\]", "", head))
    return match.group(1) if match else None


def long_functions(text, limit=FUNCTION_LINES):
    """(name, first line, length) of each outermost function longer than the limit."""
    found, stack, line, start = [], [], 1, 0
    code = blank(text)
    for i, c in enumerate(code):
        if c == "\n":
            line += 1
        elif c == "{":
            inside = any(name for name, _ in stack)
            head = code[start:i]
            first = line - head.strip().count("\n")
            stack.append((None if inside else function_name(head), first))
            start = i + 1
        elif c == "}" and stack:
            name, first = stack.pop()
            if name and line - first + 1 > limit:
                found.append((name, first, line - first + 1))
            start = i + 1
        elif c == ";":
            start = i + 1
    return found


def read_reasons(path):
    reasons = {}
    for row in path.read_text().splitlines() if path.exists() else []:
        if row.strip() and not row.startswith("#"):
            place, _, why = row.strip().partition("  ")
            reasons[place] = why.strip()
    return reasons


def facts(root, reasons):
    rows = []
    for folder in FOLDERS:
        for file in sorted((root / folder).rglob("*")):
            if file.suffix not in {".h", ".cpp", ".py"} or "golden" in file.parts:
                continue
            path = str(file.relative_to(root))
            text = file.read_text(errors="replace")
            length = text.count("\n")
            if length > FILE_LINES:
                rows.append((path, f"{length} lines"))
            for name, line, size in long_functions(text) if file.suffix != ".py" else []:
                rows.append((f"{path}:{name}", f"{size} lines, from line {line}"))
    return [f"{place}: {what}: {reasons.get(place, 'no reason given')}" for place, what in rows]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    rows = facts(root, read_reasons(pathlib.Path(__file__).parent / "facts_reasons.txt"))
    print(f"files over {FILE_LINES} lines, functions over {FUNCTION_LINES}: {len(rows)}")
    for row in rows:
        print("  ", row)
    return 0


if __name__ == "__main__":
    sys.exit(main())
