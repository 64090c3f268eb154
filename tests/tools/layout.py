"""The shape of the tree: seven top-level folders, the root's files, a short README in each folder.

    layout.py <root>
"""

import pathlib
import shutil
import subprocess
import sys

FOLDERS = {"ir", "passes", "codegen", "runtime", "frontend", "tests", "examples"}
ROOT_FILES = {
    "README.md", "ARCHITECTURE.md", "DECISIONS.md", "CONTRIBUTING.md", "LICENSE",
    "CMakeLists.txt", "CMakePresets.json", "dependencies.txt", "dev",
}
README_LINES = 25


def tracked(root):
    """Files of the project relative to the root: git's list, or what lies there in a tarball."""
    if shutil.which("git"):
        listed = subprocess.run(["git", "-C", str(root), "ls-files", "-z"], capture_output=True)
        if listed.returncode == 0 and listed.stdout:
            names = listed.stdout.decode().split("\0")
            return [pathlib.Path(n) for n in names if n and (root / n).exists()]
    return [
        p.relative_to(root)
        for p in root.rglob("*")
        if p.is_file() and not p.relative_to(root).parts[0].startswith("build")
    ]


def faults(root):
    files = tracked(root)
    top = {p.parts[0] for p in files if len(p.parts) > 1 and not p.parts[0].startswith(".")}
    found = [f"top-level folder outside the agreed seven: {name}" for name in sorted(top - FOLDERS)]
    found += [f"missing folder: {name}" for name in sorted(FOLDERS - top)]
    names = {str(p) for p in files}
    found += [f"missing at the root: {name}" for name in sorted(ROOT_FILES - names)]
    for folder in sorted(FOLDERS & top):
        readme = root / folder / "README.md"
        if not readme.exists():
            found.append(f"missing: {folder}/README.md")
        elif len(readme.read_text().splitlines()) > README_LINES:
            found.append(f"{folder}/README.md is longer than {README_LINES} lines")
    for path in files:
        if path.parts[0] == "tests" and path.suffix in (".cpp", ".h") and path.name != "folder.h":
            text = (root / path).read_text()
            if "temp_directory_path" in text or '"/tmp' in text:
                found.append(f"{path}: tests that run side by side share this name; use tests/folder.h")
    return found


def main():
    found = faults(pathlib.Path(sys.argv[1]).resolve())
    print("\n".join(found) if found else "the tree has the agreed shape")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
