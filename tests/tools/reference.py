"""The reference: one HTML page a public header, each declaration with its comment, and an index.

    reference.py <include folder> <output folder> <version>

A comment that stands right before declarations heads them; one followed by an empty line is about
all that comes next.
"""

import html
import pathlib
import re
import shutil
import sys

import headers

STYLE = """body { font: 16px/1.5 sans-serif; max-width: 56em; margin: 2em auto; padding: 0 1em; }
pre { background: #f4f4f2; padding: .6em .8em; overflow-x: auto; font-size: 14px; }
h3 { margin: 1.6em 0 .3em; font-size: 1em; } .class { border-left: 3px solid #ccc; padding-left: 1em; }
p { margin: .5em 0; } .index { columns: 4; } a { text-decoration: none; }
"""


def page(title, body):
    return (f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f"<style>\n{STYLE}</style>\n{body}</html>\n")


def prose(comment):
    """Paragraphs of a comment; indented lines are code."""
    out = []
    for chunk in re.split(r"\n\s*\n", comment):
        lines = chunk.split("\n")
        if all(line.startswith("  ") for line in lines):
            out.append(f"<pre>{html.escape(chunk)}</pre>\n")
        else:
            out.append(f"<p>{html.escape(' '.join(line.strip() for line in lines))}</p>\n")
    return "".join(out)


def readable(text):
    """A declaration without [[nodiscard]], which says nothing to a reader, its lines aligned as before."""
    before, attribute, after = text.partition("[[nodiscard]] ")
    return before + re.sub(rf"\n {{{len(attribute)}}}(?= )", "\n", after) if attribute else text


def code_lines(parts):
    return "\n".join(readable(p.text) + (f"  // {p.trailing}" if p.trailing else "") for p in parts)


def anchored(name):
    return re.sub(r"[^\w]", lambda c: f"-{ord(c.group(0)):x}", name)


def names_of(parts):
    return list(dict.fromkeys(p.name for p in parts if p.kind == "code"))


def groups(parts):
    """(comment or "", the declarations behind it) in order; a comment alone has none."""
    found, comment, codes = [], "", []

    def close():
        nonlocal comment, codes
        if comment or codes:
            found.append((comment, codes))
        comment, codes = "", []

    for part in parts:
        if part.kind == "gap":
            close()
        elif part.kind == "comment":
            close()
            comment = part.text
        else:
            if part.kind == "class" and codes:
                close()
            codes.append(part)
            if part.kind == "class":
                close()
    close()
    return found


def render(parts, inside=False):
    out = []
    for comment, codes in groups(parts):
        if codes and codes[0].kind == "class":
            out.append(render_class(codes[0], comment))
            continue
        if codes and not inside:
            named = [name for name in names_of(codes) if not name.startswith("operator")]
            title = ", ".join(f'<span id="{anchored(n)}">{html.escape(n)}</span>' for n in named)
            out.append(f"<h3>{title}</h3>\n" if title else "")
        out.append(prose(comment) if comment else "")
        if codes:
            out.append(f"<pre>{html.escape(code_lines(codes))}</pre>\n")
    return "".join(out)


def render_class(part, comment):
    head = f'<h3 id="{anchored(part.name)}">{html.escape(part.name)}</h3>\n'
    body = render(part.parts, inside=True)
    return (f"{head}{prose(comment) if comment else ''}<pre>{html.escape(part.text)}</pre>\n"
            + (f'<div class="class">\n{body}</div>\n' if body else ""))


def indexed(parts):
    """Names of a header that the index lists."""
    found = [p.name for p in parts if p.kind == "class" or
             (p.kind == "code" and not p.name.startswith("operator"))]
    return list(dict.fromkeys(found))


def pages(folder, version):
    """{file name: HTML} of the headers under the folder."""
    out, index = {}, []
    listed = []
    for path in sorted((folder / "kiln").rglob("*.h")):
        name = str(path.relative_to(folder))
        head, parts = headers.parse(path.read_text())
        file = name.replace("/", "-").removesuffix(".h") + ".html"
        listed.append(f'<li><a href="{file}">{name}</a>: {html.escape(head.split(chr(10))[0])}</li>\n')
        index += [(n, f"{file}#{anchored(n)}") for n in indexed(parts)]
        out[file] = page(name, f'<p><a href="index.html">Kiln {version}: reference</a></p>\n<h1>{name}</h1>\n'
                         f"<pre>#include &lt;{name}&gt;</pre>\n{prose(head)}{render(parts)}")
    links = "".join(f'<li><a href="{target}">{html.escape(n)}</a></li>\n'
                    for n, target in sorted(index, key=lambda row: row[0].lower()))
    out["index.html"] = page("Kiln: reference", f"<h1>Kiln {version}: reference</h1>\n<ul>\n{''.join(listed)}</ul>\n"
                             f'<h2>Names</h2>\n<ul class="index">\n{links}</ul>\n')
    return out


def main():
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    for name, text in pages(folder, sys.argv[3]).items():
        (output / name).write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
