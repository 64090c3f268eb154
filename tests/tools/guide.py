"""The guide's chapters: Markdown whose C++ is compiled and run, and whose shown output is compared.

    guide.py extract <chapter.md> <output.cpp>          the chapter as a C++ file (by the build)
    guide.py check <binary> <chapter.md>...             runs the chapters; names what differs
    guide.py update <binary> <chapter.md>...            writes what the programs print into them

The rules that an author needs stand in examples/guide/README.md. KILN_GUIDE_COMPILER is the compiler, with its options,
that `cpp refused` blocks are given to.
"""

import copy
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

BEGIN, END = "\x02", "\x03"  # around what a block prints
CODE_SPAN = re.compile(r"`([^`]+)`")
KINDS = {"bool": "b", "int": "i", "uint": "u", "float": "f", "bfloat": "f"}


@dataclasses.dataclass
class Block:
    """A fenced block: ```<info>, its text, the number of its first line, where its lines stand."""

    info: list
    text: str
    line: int
    begin: int  # of the opening fence, counted from 0
    end: int  # behind the closing fence
    section: int
    output: "Block" = None  # the ```text block behind a ```cpp block

    @property
    def kind(self):
        if "int main(" in self.text:
            return "program"
        return next((word for word in ("function", "error", "refused") if word in self.info), "statements")


@dataclasses.dataclass
class Row:
    """A row of a table with a column "Kiln": code of the cells by the column's name."""

    cells: dict
    line: int
    section: int

    @property
    def kiln(self):
        return self.cells.get("Kiln")


def cells(line):
    parts = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [part.strip().replace("\\|", "|") for part in parts]


def code_of(cell):
    match = CODE_SPAN.fullmatch(cell)
    return match.group(1) if match else None


def table_rows(lines, start, section):
    """The rows of the table whose header is line `start`, and the first line behind it."""
    head, rows, i = cells(lines[start]), [], start + 2
    while i < len(lines) and lines[i].startswith("|"):
        found = {name: code_of(cell) for name, cell in zip(head, cells(lines[i]))}
        if "Kiln" in found and found["Kiln"]:
            rows.append(Row(found, i + 1, section))
        i += 1
    return rows, i


def parse(text):
    """Blocks and rows of a chapter, in order. Each heading of level 2 begins a section."""
    lines, items, section, i = text.split("\n"), [], 0, 0
    while i < len(lines):
        line = lines[i]
        if line.startswith("```"):
            end = lines.index("```", i + 1)
            block = Block(line[3:].split() or [""], "\n".join(lines[i + 1:end]) + "\n", i + 2, i,
                          end + 1, section)
            last = items[-1] if items else None
            if (block.info[0] == "text" and isinstance(last, Block) and last.info[0] == "cpp"
                    and not "".join(lines[last.end:i]).strip()):
                last.output = block
            else:
                items.append(block)
            i = end + 1
        elif line.startswith("|") and i + 1 < len(lines) and re.match(r"\|[-| :]+$", lines[i + 1]):
            rows, i = table_rows(lines, i, section)
            items += rows
        else:
            section += line.startswith("## ")
            i += 1
    return items


def compiled(items):
    """What the C++ file holds: (number, item)."""
    wanted = [x for x in items if isinstance(x, Row) or x.info[0] == "cpp"]
    return list(enumerate(wanted))


def is_refused(item):
    return isinstance(item, Block) and item.kind == "refused"


# ---- extract ----------------------------------------------------------------------------------


def identifier(path):
    return re.sub(r"\W", "_", path.stem).lower()


def block_code(number, block, name):
    """(what stands before the functions, what stands in the section's function)"""
    code = re.sub(r"^#include.*$", "", block.text, flags=re.M)
    here = f'#line {block.line} "{name}"\n'
    if block.kind == "function":
        return f"{here}{code}", ""
    inside = f"  begin({number});\n"
    before = ""
    if block.kind == "program":
        code = code.replace("int main(", f"static void program_{number}(")
        before = f"namespace program_scope_{number} {{\n{here}{code}}}\n"
        inside += f"  program_scope_{number}::program_{number}();\n"
    elif block.kind == "error":
        inside += (f"  try {{\n{here}{code}  nothing_thrown();\n"
                   "  } catch (const kiln::Error& e) {\n    std::cout << e.what() << '\\n';\n  }\n")
    else:
        inside += f"{here}{code}"
    return before, inside + f"  end({number});\n"


def row_code(number, row, name):
    return (f"  begin({number});\n  {{\n    const kiln::Array kept = x;\n    Show show;\n"
            f'#line {row.line} "{name}"\n    show, {row.kiln};\n'
            f"    show.unless_shown(x);\n    x = kept;\n  }}\n  end({number});\n")


def extract(text, name, chapter):
    """The C++ file of a chapter: a function a section, what they print between marks."""
    items = compiled(parse(text))
    includes = sorted({line for _, x in items if isinstance(x, Block)
                       for line in re.findall(r"^#include.*$", x.text, re.M)})
    before, sections = "", {}
    for number, item in items:
        if is_refused(item):
            continue
        if isinstance(item, Row):
            outer, inner = "", row_code(number, item, name)
        else:
            outer, inner = block_code(number, item, name)
        before += outer
        sections[item.section] = sections.get(item.section, "") + inner
    functions = "".join(f"static void section_{s}() {{\n{code}}}\n" for s, code in sections.items())
    calls = "".join(f"  section_{s}();\n" for s in sections)
    return ("\n".join(includes) + '\n#include "guide/guide.h"\n'
            f"namespace kn = kiln;\nnamespace guide::{chapter} {{\n{before}{functions}"
            f"static void run() {{\n{calls}}}\n"
            f'static const bool added = add("{chapter}", run);\n}}\n')


# ---- run --------------------------------------------------------------------------------------


def compiler_says(code):
    """The compiler's first error about a block that must not compile; "" where it compiles."""
    source = f"#include <kiln/kiln.h>\nnamespace kn = kiln;\nvoid block() {{\n{code}}}\n"
    done = subprocess.run([*os.environ["KILN_GUIDE_COMPILER"].split(), "-fsyntax-only", "-x", "c++", "-"],
                          input=source, capture_output=True, text=True)
    errors = re.findall(r"error: (.*)", done.stderr)
    return f"error: {errors[0]}\n" if done.returncode != 0 and errors else ""


def run(binary, path):
    """What each block and row printed, by number; and what went wrong."""
    printed, fault = run_program(binary, identifier(path))
    for number, item in compiled(parse(path.read_text())):
        if is_refused(item):
            printed[number] = compiler_says(item.text)
            if not printed[number]:
                fault += f"{path.name}:{item.line}: this block should not compile\n"
    return printed, fault


def run_program(binary, chapter):
    done = subprocess.run([str(binary), chapter], capture_output=True, text=True)
    parts = re.findall(f"{BEGIN}(\\d+)\n(.*?){END}", done.stdout, re.S)
    printed = {int(number): text for number, text in parts}
    fault = ""
    if done.returncode != 0:
        rest = done.stdout.rsplit(END, 1)[-1].replace(BEGIN, "block ")
        fault = f"stopped with {done.returncode}: {rest}{done.stderr}"
    return printed, fault


def agrees(shown, printed, lines=True):
    """Equal; in what is shown, ... stands for any text, and spaces at the ends of lines for none. Without `lines` the
    numbers of a chapter's lines may differ: they move with the words above, and ./dev guide writes them anew."""
    if not lines:
        shown, printed = (re.sub(r"(\.md):\d+", r"\1:", text) for text in (shown, printed))
    shown, printed = (re.sub(r"[ \t]+$", "", text, flags=re.M) for text in (shown, printed))
    if shown == printed:
        return True
    pattern = ".*?".join(re.escape(part) for part in shown.split("..."))
    return re.fullmatch(pattern, printed, re.S) is not None


def block_faults(block, printed, name):
    shown = block.output.text if block.output else ""
    if agrees(shown, printed, lines=False):
        return []
    line = block.output.line if block.output else block.line
    return [f"{name}:{line}: the program prints\n{printed}where the chapter shows\n{shown}"]


# ---- NumPy ------------------------------------------------------------------------------------


def numpy_or_none():
    try:
        import numpy
        return numpy
    except ImportError:
        if "KILN_SKIP_LOG" in os.environ:
            with open(os.environ["KILN_SKIP_LOG"], "a") as log:
                log.write("guide (NumPy's column of the phrase book): NumPy is not installed\n")
        return None


def numpy_value(code, names):
    """The value of an expression; of a statement, x after it."""
    names = {key: value if callable(value) or key == "np" else copy.deepcopy(value)
             for key, value in names.items() if not key.startswith("__")}
    try:
        return eval(code, names)
    except SyntaxError:
        exec(code, names)
        return names["x"]


def row_faults(np, row, printed, names, name):
    """A row whose NumPy phrase has another shape, kind or value than what Kiln's phrase gave."""
    phrase = next((code for head, code in row.cells.items() if head.startswith("NumPy")), None)
    if printed.strip() == "?" or not phrase or np is None:
        return []
    dtype, shape, values = printed.rstrip("\n").split(";")
    shape = tuple(int(n) for n in shape.split())
    given = np.array([float(v) for v in values.split()]).reshape(shape)
    wanted = np.asarray(numpy_value(phrase, names))
    kind = KINDS[dtype.rstrip("0123456789")]
    if wanted.shape != shape or wanted.dtype.kind != kind or not np.allclose(
            wanted.astype(float), given, rtol=1e-5, atol=1e-6, equal_nan=True):
        return [f"{name}:{row.line}: NumPy: {phrase} = {wanted!r}\n"
                f"  Kiln: {row.kiln} = {dtype} {given!r}"]
    return []


def check(binary, path):
    text = path.read_text()
    items, np = parse(text), numpy_or_none()
    printed, fault = run(binary, path)
    found = [f"{path.name}: {fault}"] if fault else []
    numbers = {id(item): number for number, item in compiled(items)}
    names = {"np": np}
    for item in items:
        if isinstance(item, Block) and item.info[0] == "python":
            if np is not None:
                exec(item.text, names)
        elif id(item) in numbers and item_prints(item):
            output = printed.get(numbers[id(item)])
            if output is None:
                found += [] if fault else [f"{path.name}:{item.line}: did not run; build the guide"]
            elif isinstance(item, Row):
                found += row_faults(np, item, output, names, path.name)
            else:
                found += block_faults(item, output, path.name)
    return found


def item_prints(item):
    return isinstance(item, Row) or item.kind != "function"


def updated(text, printed):
    """The chapter with what was printed; blocks that agree stay as they are written."""
    lines = text.split("\n")
    for number, item in reversed(compiled(parse(text))):
        output = printed.get(number)
        if isinstance(item, Row) or output is None:
            continue
        if agrees(item.output.text if item.output else "", output):
            continue
        new = ["```text", *output.rstrip("\n").split("\n"), "```"] if output else []
        begin, end = (item.output.begin, item.output.end) if item.output else (item.end, item.end)
        lines[begin:end] = new if item.output else ["", *new]
    return "\n".join(lines)


def main():
    verb, *rest = sys.argv[1:]
    paths = [pathlib.Path(word).resolve() for word in rest]
    if verb == "extract":
        chapter, output = paths
        output.write_text(extract(chapter.read_text(), chapter.name, identifier(chapter)))
        return 0
    binary, *chapters = paths
    if verb == "update":
        for path in chapters:
            printed, fault = run(binary, path)
            if fault:
                sys.exit(f"{path.name}: {fault}")
            new = updated(path.read_text(), printed)
            if new != path.read_text():
                path.write_text(new)
                print(f"written: {path}")
        return 0
    found = [fault for path in chapters for fault in check(binary, path)]
    print("\n".join(found) if found else "the chapters show what their programs print")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
