"""The functions that the public headers declare, read from their text, and how to call each.

    public_functions.py <include folder> <file>   writes tests/public_names.h's function

A new function is found by itself. One that takes a type for which there is no argument below is an
error that says so.
"""

import dataclasses
import pathlib
import re
import sys

import headers

# A value of each parameter type, for a call that compiles. `x` and `y` are Arrays.
ARGUMENTS = {
    "const Array&": "x",
    "Operand": "x",
    "frontend::FirstArray": "x",
    "const More&...": "x",
    "const Arrays&": "{x, y}",
    "const Shape&": "{2, 3}",
    "const Axes&": "0",
    "Extent": "3",
    "double": "0.5",
    "int": "1",
    "std::int64_t": "1",
    "DType": "kiln::float32",
    "MaybeDType": "kiln::float32",
    "const Device&": "device",
    "MaybeDevice": "device",
    "Device::Kind": "kiln::Device::cuda",
    "const T*": "data",
    "const Layout&": "{{2}, {1}}",
    "std::shared_ptr<const void>": "nullptr",
    "const std::string&": '"a"',
    "std::string_view": '"sm_80"',
    "const std::vector<Margin>&": "{1}",
    "Bound": "1",
    "F&&": "[] { return kiln::Array(); }",
    "Explanation": "x",
}
# Template arguments that cannot be deduced.
EXPLICIT = {"dtype_of": "<float>"}


@dataclasses.dataclass
class Parameter:
    type: str
    name: str
    default: str


@dataclasses.dataclass
class Function:
    header: str
    line: int
    name: str
    result: str
    nodiscard: bool
    parameters: list

    @property
    def place(self):
        return f"{self.header}:{self.line}: {self.name}"

    def needed(self):
        return [p for p in self.parameters if not p.default]

    def call(self, scalars=False, qualified=""):
        """A call with what has no default; `scalars`: Operands are C++ scalars."""
        values = []
        for p in self.needed():
            if p.type not in ARGUMENTS:
                raise ValueError(f"{self.place}: no argument of type {p.type!r} is known; "
                                 "add one to ARGUMENTS in public_functions.py")
            values.append("2.0f" if scalars and p.type == "Operand" else ARGUMENTS[p.type])
        return f"{qualified}{self.name}{EXPLICIT.get(self.name, '')}({', '.join(values)})"

    def takes_scalars(self):
        return any(p.type == "Operand" for p in self.needed())


def split_list(text):
    """Splits at commas outside brackets."""
    parts, depth, current = [], 0, ""
    for c in text:
        depth += c in "([{<"
        depth -= c in ")]}>"
        if c == "," and depth == 0:
            parts.append(current)
            current = ""
        else:
            current += c
    return [p.strip() for p in [*parts, current] if p.strip()]


def parameter(text):
    declared, _, default = text.partition("=")
    match = re.fullmatch(r"(.*?[\s&*.>])(\w+)", declared.strip(), re.S)
    if match and match.group(1).strip() not in ("const",):
        return Parameter(" ".join(match.group(1).split()), match.group(2), default.strip())
    return Parameter(" ".join(declared.split()), "", default.strip())


HEAD = re.compile(
    r"(?:(?:friend|static|constexpr|explicit|inline)\s+)*"
    r"(?P<result>(?:const\s+)?[\w:]+(?:<[^()]*?>)?(?:\s*[&*])?)\s+"
    r"(?P<name>operator\s*(?:\(\)|\[\]|[^\s\w(]+|bool)|\w+)\s*\((?P<parameters>.*)\)", re.S)


def function(header, part):
    """None for constructors and destructors, and for what is deleted."""
    match = HEAD.match(headers.without_template(part.text))
    if not match or re.search(r"=\s*delete\s*;$", part.text):
        return None
    words = ("constexpr", "explicit", "friend", "static", "inline")
    if match["result"] in words and match["name"] != "operatorbool":
        return None
    return Function(header, part.line, "".join(match["name"].split()),
                    " ".join(match["result"].split()), "[[nodiscard]]" in part.text,
                    [parameter(p) for p in split_list(match["parameters"])])


def parts_of(folder):
    for file in sorted((pathlib.Path(folder) / "kiln").glob("*.h")):
        yield file.name, headers.parse(file.read_text())[1]


def read(folder):
    """Free functions of every public header, operators aside."""
    found = [function(header, part) for header, parts in parts_of(folder)
             for part in headers.functions(parts)]
    return [f for f in found if f]


def read_members(folder):
    """Public members and friends of the classes."""
    found = []
    for header, parts in parts_of(folder):
        for holder in (p for p in parts if p.kind == "class"):
            found += [function(header, part) for part in holder.parts if part.is_function]
    return [f for f in found if f]


def names_of(parts, scope=""):
    """As a caller says them, of members with the class: "sum", "operator+", "Array::operator bool"."""
    found = set()
    for part in parts:
        if part.kind == "class":
            found |= names_of(part.parts, f"{scope}{part.name}::")
        elif (part.is_function and not part.name.startswith("~")
              and not re.search(r"=\s*(?:delete|default)\s*;$", part.text)):
            # A friend is a function of the namespace, wherever it is declared.
            holder = "" if headers.without_template(part.text).startswith("friend ") else scope
            found.add(holder + re.sub(r"^operator(?=[a-z])", "operator ", part.name))
    return found


def main(folder, file):
    names = sorted(set().union(*(names_of(parts) for _, parts in parts_of(folder))))
    listed = "".join(f'      "{name}",\n' for name in names)
    pathlib.Path(file).write_text(
        '#include "tests/public_names.h"\n\n'
        "std::set<std::string> kiln_tests::public_names() {\n"
        f"  return {{\n{listed}  }};\n}}\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
