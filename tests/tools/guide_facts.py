"""What the guide lists against where it stands: environment variables, options of the build, names, links.

    guide_facts.py <root>
"""

import pathlib
import re
import sys


def first_cells(text, heading):
    """Names in the first column of the table behind a line of the header `| heading |`."""
    table = text.split(f"\n| {heading} |", 1)[1].split("\n\n", 1)[0]
    return {name for line in table.strip().split("\n")[2:]
            for name in re.findall(r"`(\w+)`", line.split("|")[1])}


def differences(what, listed, there):
    return ([f"{what} {name}: the guide does not list it" for name in sorted(there - listed)] +
            [f"{what} {name}: the guide lists it, and there is none" for name in sorted(listed - there)])


def faults(variables, devices, build, deployment):
    read = set(re.findall(r'"((?:KILN_|CUDA_|XDG_)\w+|HOME)"', variables))
    options = set(re.findall(r"\boption\((KILN_\w+)", build))
    return (differences("variable", first_cells(devices, "variable"), read) +
            differences("option", first_cells(deployment, "option"), options))


def anchors(text):
    """Of the headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.S | re.M)
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def dead_links(pages):
    """Of Markdown pages: links to files that are not there, and to headings that no page has."""
    found = []
    for page in pages:
        text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", page.read_text(), flags=re.S | re.M)
        for file, heading in re.findall(r"\]\((?!\w+://)([^)#\s]*)(?:#([^)\s]+))?\)", text):
            target = page.parent / file if file else page
            if not target.exists():
                found.append(f"{page.name}: {file}: no such file")
            elif heading and heading not in anchors(target.read_text()):
                found.append(f"{page.name}: {file}#{heading}: no such heading")
    return found


def unknown_names(pages, headers):
    """`kn::name` and `kiln::name` of Markdown pages, compiled or not, that no public header has."""
    known = set(re.findall(r"\w+", headers))
    return [f"{page.name}: {name} is in no public header" for page in pages
            for name in sorted(set(re.findall(r"\b(?:kn|kiln)::(?!kiln\b)(\w+)", page.read_text())) - known)]


def main():
    root = pathlib.Path(sys.argv[1])
    guide = root / "examples" / "guide"
    build = "\n".join(path.read_text() for path in sorted((root / ".cmake").glob("*.cmake")))
    found = faults((root / "frontend" / "environment.cpp").read_text(), (guide / "devices.md").read_text(),
                   build, (guide / "deployment.md").read_text())
    found += dead_links([*sorted(root.glob("*.md")), *sorted((root / "examples").rglob("*.md"))])
    headers = "".join(path.read_text() for path in (root / "frontend" / "include").rglob("*.h"))
    found += unknown_names([root / "README.md", root / "README.zh-CN.md", *sorted(guide.glob("*.md"))], headers)
    print("\n".join(found) if found else "the guide lists what there is")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
