"""Reads the public headers: their comments and declarations, in order, as a user needs them.

Knows the style of frontend/include/kiln and no more: one declaration after another, a comment
before what it is about or behind it on the same line, private members last. Bodies, private
members, what lies in namespace frontend, explicit specialisations, and definitions of members out
of their class are left out.
"""

import dataclasses
import re

OPENING, CLOSING = "([{", ")]}"
CLASS = re.compile(r"^(?:template\s*<[^;{}]*>\s*(?:requires[^;{]*)?)?(?:class|struct|union)\b")
LEFT_OUT = re.compile(r"^template\s*<\s*>|^friend (?:struct|class)\b|^(?:struct|class)\s+\w+\s*;"
                      r"|^static_assert\b|\bdisable_sized_range\b")
OUT_OF_CLASS = re.compile(r"\b[A-Z]\w*(?:<\w+>)?::(?:~?\w+|operator[^\s(]*)\s*\($")
CALL = re.compile(r"(operator\s*(?:\(\)|\[\]|[^\s\w(]+|\w+)|~?\w+)\s*\(")


@dataclasses.dataclass
class Part:
    """kind: "comment" (its text), "code" (a declaration, bodies left out), "class" (with parts), "gap"."""

    kind: str
    text: str = ""
    line: int = 0
    parts: list = dataclasses.field(default_factory=list)
    trailing: str = ""  # the comment behind a declaration

    @property
    def name(self):
        """Of a function, a class or a constant."""
        flat = re.sub(r"\s+", " ", without_template(self.text))
        if self.kind == "class":
            return re.search(r"(?:class|struct|union)\s+(?:\[\[\w+\]\]\s*)?(\w+)", flat).group(1)
        call = CALL.search(flat)
        if call and self.is_function:
            return re.sub(r"\s", "", call.group(1)) if "operator" in call.group(1) else call.group(1)
        named = re.search(r"(\w+)\s*(?:=|\{|;|:)", flat)
        return named.group(1) if named else flat

    @property
    def is_function(self):
        flat = without_template(self.text)
        call = CALL.search(flat)
        return (self.kind == "code" and call is not None and "=" not in flat[:call.start()]
                and not re.match(r"\s*(?:using|concept|inline constexpr|enum|namespace)\b", flat))


def without_template(text):
    """The declaration behind `template <...> requires ...` and attributes."""
    text = re.sub(r"\[\[.*?\]\]\s*", "", text.strip())
    while text.startswith("template"):
        depth, i = 0, text.index("<")
        for i in range(text.index("<"), len(text)):
            depth += (text[i] == "<") - (text[i] == ">" and text[i - 1] != "-")
            if depth == 0:
                break
        text = text[i + 1:].strip()
    if text.startswith("requires"):
        rest = text[len("requires"):].strip()
        if rest.startswith("("):
            text = rest[matching(rest, 0) + 1:].strip()
        else:  # requires Concept<T...>
            text = re.sub(r"^\w+<[^>]*>\s*", "", rest)
    return text


def matching(text, start):
    """Where the bracket at `start` is closed."""
    depth = 0
    for i in range(start, len(text)):
        depth += (text[i] in OPENING) - (text[i] in CLOSING)
        if depth == 0:
            return i
    raise ValueError(f"no end of: {text[start:start + 60]}")


def split_comment(line):
    """(code, comment) of a line; comments do not begin inside strings."""
    inside = False
    for i, c in enumerate(line):
        inside ^= c == '"' and line[i - 1] != "\\"
        if not inside and line.startswith("//", i):
            return line[:i].rstrip(), line[i + 2:].strip()
    return line.rstrip(), ""


def brackets(line, which):
    """How many of the brackets there are, outside of literals."""
    bare = re.sub(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'', "", line)
    return sum(c in which for c in bare)


def dedented(lines):
    indent = len(lines[0]) - len(lines[0].lstrip())
    return "\n".join(line[indent:] for line in lines)


def without_body(code):
    """A function's declaration: no initialisers of members, no body."""
    depth = 0
    for i, c in enumerate(code):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and (c == "{" or (c == ":" and code[i - 1] == " " and code[i + 1] == " ")):
            return code[:i].rstrip() + ";"
    return code


class Reader:
    def __init__(self, text):
        self.lines = text.split("\n")
        self.i = 0

    def declaration(self):
        """(code, comment behind it, first line) of the declaration at the current line."""
        first, code, comments, depth = self.i, [], [], 0
        indent = len(self.lines[first]) - len(self.lines[first].lstrip())
        while self.i < len(self.lines):
            line, comment = split_comment(self.lines[self.i])
            self.i += 1
            if line.strip().startswith("#"):
                continue
            code.append(line[indent:])
            if comment:
                comments.append(comment)
            depth += brackets(line, OPENING) - brackets(line, CLOSING)
            if depth == 0 and line.rstrip().endswith((";", "}")):
                break
        return "\n".join(code), " ".join(comments), first

    def class_end(self):
        """The line that closes the class which begins at the current line; None if it has no body."""
        depth, opened = 0, False
        for i in range(self.i, len(self.lines)):
            line, _ = split_comment(self.lines[i])
            if not opened and ";" in line and "{" not in line:
                return None
            depth += brackets(line, "{") - brackets(line, "}")
            opened |= "{" in line
            if opened and depth == 0:
                return i
        raise ValueError(f"no end of the class at line {self.i + 1}")


def parse_class(reader, end):
    first = reader.i
    head = []
    while True:
        line, _ = split_comment(reader.lines[reader.i])
        reader.i += 1
        head.append(line)
        if "{" in line:
            break
    text = "\n".join(head).split("{")[0].rstrip()
    part = Part("class", text, first + 1)
    if reader.i <= end:  # else the whole class is that line
        public = re.match(r"(?:struct|union)", without_template(text)) is not None
        part.parts = parse_body(reader, end, public)
        reader.i = end + 1
    return part


def skip_namespace(reader):
    depth = 0
    while reader.i < len(reader.lines):
        line, _ = split_comment(reader.lines[reader.i])
        depth += brackets(line, "{") - brackets(line, "}")
        reader.i += 1
        if depth == 0:
            return


def parse_body(reader, end, public=True):
    """Parts of the lines before `end`."""
    parts = []
    while reader.i < end:
        line = reader.lines[reader.i]
        bare = line.strip()
        access = re.match(r"(public|private|protected):$", bare)
        if access:
            public = access.group(1) == "public"
            reader.i += 1
        elif not bare:
            parts.append(Part("gap"))
            reader.i += 1
        elif bare.startswith("//"):
            start, text = reader.i, []
            while reader.i < end and reader.lines[reader.i].strip().startswith("//"):
                text.append(reader.lines[reader.i].strip()[2:].removeprefix(" "))
                reader.i += 1
            if public:
                parts.append(Part("comment", "\n".join(text), start + 1))
        elif re.match(r"namespace .*\bfrontend\b.*\{", bare):
            skip_namespace(reader)
        elif bare.startswith("#") or re.match(r"(?:inline )?namespace\b|\}", bare):
            reader.i += 1
        else:
            parts += [part for part in parse_declaration(reader) if public]
    return parts


def parse_declaration(reader):
    head = "\n".join(reader.lines[reader.i:reader.i + 6]).strip()
    if CLASS.match(head) and not LEFT_OUT.match(head):
        end = reader.class_end()
        if end is not None:
            return [parse_class(reader, end)]
    code, comment, first = reader.declaration()
    bare = code.strip()
    if bare.startswith("enum"):  # what its values mean stands behind them
        return [Part("code", dedented(reader.lines[first:reader.i]), first + 1)]
    is_body = bare.endswith("}") and not re.search(r"\bconcept\b|\benum\b", bare)
    text = without_body(bare) if is_body else bare
    call = re.match(r"[^(]*\(", re.sub(r"\s+", " ", without_template(text)))
    if LEFT_OUT.search(bare) or (call and OUT_OF_CLASS.search(call.group(0))):
        return [Part("gap")]
    return [Part("code", text, first + 1, trailing=comment)]


def parse(text):
    """(the comment at the head of the header, its parts)"""
    reader = Reader(text)
    head = []
    while reader.lines[reader.i].startswith("//"):
        head.append(reader.lines[reader.i][2:].removeprefix(" "))
        reader.i += 1
    return "\n".join(head), parse_body(reader, len(reader.lines))


def functions(parts):
    """Free functions that can be called: no operators, no deleted ones."""
    return [p for p in parts if p.is_function and not p.name.startswith("operator")
            and not re.search(r"=\s*delete\s*;$", p.text)]
