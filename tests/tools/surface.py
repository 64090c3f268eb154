"""`./dev surface`: which functions of the Python array API standard stand in Kiln, from its headers.

    surface.py <root>            fails where a page or the table is stale
    surface.py <root> --write    writes examples/guide/surface.md and the table of the phrase book

examples/guide/surface.tsv says what is known of each function: class, peers, what to do instead.
"""

import dataclasses
import pathlib
import re
import sys

import headers

STANDARD, FUNCTIONS = "2025.12", 170
BEYOND = ("Beyond the standard", "Random")  # sections of the table that the standard does not have
ARRAY_HEADERS = ("creation.h", "elementwise.h", "reductions.h", "rows.h", "views.h", "linalg.h",
                 "sorting.h")
BEGIN, END = "<!-- surface: begin -->", "<!-- surface: end -->"
PEERS = ("ArrayFire", "MLX", "CuPy")


@dataclasses.dataclass
class Function:
    section: str
    name: str
    kind: str
    peers: tuple
    numpy: str
    instead: str
    note: str
    header: str = ""  # where it is declared, if it is

    @property
    def standard(self):
        return self.section not in BEYOND


def read_table(text):
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    rows = [line.split("\t") for line in lines[1:]]
    return [Function(r[0], r[1], r[2], tuple(r[3:6]), r[6], r[7], r[8]) for r in rows]


def declared(folder):
    """{function: header} of the public headers."""
    found = {}
    for path in sorted((folder / "kiln").glob("*.h")):
        for part in headers.functions(headers.parse(path.read_text())[1]):
            found.setdefault(part.name, path.name)
    return found


def join(table, found):
    """The table with the headers filled in; what the headers have and it has not comes last."""
    for function in table:
        where = [found.get(word, "") for word in function.name.split(", ")]
        function.header = where[0] if all(where) else ""
    known = {word for function in table for word in function.name.split(", ")}
    own = [name for name, header in found.items() if header in ARRAY_HEADERS and name not in known]
    return table + [Function("Kiln's own", name, "", ("", "", ""), "", "", "", found[name])
                    for name in sorted(own)]


def cell(text):
    return text.replace("|", "\\|")


def instead(function):
    """What to do where Kiln has no such function."""
    phrase = f"`{function.instead}`" if function.instead else ""
    return cell("; ".join(x for x in (phrase, function.note) if x))


def surface_page(functions):
    standard = [f for f in functions if f.standard and f.section != "Kiln's own"]
    there = sum(bool(f.header) for f in standard)
    out = [
        "# The surface", "",
        "Written by `./dev surface` from the public headers and `surface.tsv`; a test says when it is stale.", "",
        f"Kiln has **{there} of the {len(standard)} functions** of the Python array API standard {STANDARD}.",
        "Names are the standard's; a linear-algebra function that the standard has twice stands once.", "",
        "Class: E elementwise, G generator, V view, I index map, R reduction, S scan or scatter, M product, K sort,",
        "D shape depends on data, L library call, H host. Peers (ArrayFire 3.10, MLX 0.32, CuPy 14): Y yes, P in part or by",
        "composition, – no, ? not looked up. On the host: `x.to_vector<T>()`, the C++ standard library, `kn::Array` back.", "",
        "| section | there | of |", "|---|---|---|"]
    sections = list(dict.fromkeys(f.section for f in functions))
    for section in sections:
        rows = [f for f in functions if f.section == section]
        out.append(f"| {section} | {sum(bool(f.header) for f in rows)} | {len(rows)} |")
    for section in sections:
        out += ["", f"## {section}", "", f"| function | class | {' | '.join(PEERS)} | Kiln | instead |",
                "|---|---|---|---|---|---|---|"]
        for f in functions:
            if f.section == section:
                kiln = f"`kiln/{f.header}`" if f.header else "–"
                other = "" if f.header else instead(f)
                out.append(f"| {f.name} | {f.kind} | {' | '.join(f.peers)} | {kiln} | {other} |")
    return "\n".join(out) + "\n"


def missing_table(functions):
    """The part of the phrase book between the marks: phrases that are run, then what has none."""
    gone = [f for f in functions if not f.header]
    out = ["| function | NumPy, CuPy | Kiln | |", "|---|---|---|---|"]
    out += [f"| {f.name} | `{cell(f.numpy)}` | `{cell(f.instead)}` | {cell(f.note)} |" for f in gone if f.instead]
    out += ["", "And without a phrase of their own; on the host means `x.to_vector<T>()` or `x.host<T>()`, a C++ library, and",
            "`kn::Array` back:", "", "| function | instead |", "|---|---|"]
    by_note = {}
    for f in gone:
        if not f.instead:
            by_note.setdefault(f.note, []).append(f.name)
    out += [f"| {', '.join(names)} | {cell(note)} |" for note, names in by_note.items()]
    return "\n".join(out)


def replaced(text, new):
    before, rest = text.split(BEGIN, 1)
    return before + BEGIN + "\n\n" + new + "\n\n" + END + rest.split(END, 1)[1]


def table_faults(functions):
    found = []
    standard = [f for f in functions if f.standard and f.section != "Kiln's own"]
    if len(standard) != FUNCTIONS:
        found.append(f"surface.tsv has {len(standard)} functions of the standard, which has {FUNCTIONS}")
    for f in functions:
        if not f.header and not (f.instead or f.note):
            found.append(f"surface.tsv: {f.name} is not in the headers, and nothing says what to do instead")
    return found


def written(root):
    """{path: what it should hold}, and the faults of the table."""
    guide = root / "examples" / "guide"
    functions = join(read_table((guide / "surface.tsv").read_text()), declared(root / "frontend" / "include"))
    book = guide / "phrase-book.md"
    return {guide / "surface.md": surface_page(functions),
            book: replaced(book.read_text(), missing_table(functions))}, table_faults(functions)


def main():
    root = pathlib.Path(sys.argv[1]).resolve()
    files, found = written(root)
    for path, text in files.items():
        if path.exists() and path.read_text() == text:
            continue
        if "--write" in sys.argv:
            path.write_text(text)
            print(f"written: {path.relative_to(root)}")
        else:
            found.append(f"{path.relative_to(root)} is stale: run ./dev surface")
    print("\n".join(found) if found else "the surface is what the headers have")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
