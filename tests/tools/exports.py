"""What a shared library exports: names in kiln:: and nothing else.

    exports.py <library>

reads `nm -D`. The inner namespaces passes, codegen and runtime are not public
either.
"""

import re
import subprocess
import sys

# _ZN/_ZNK: functions and data; _ZT?: vtables and type information; _ZGV: guards; _ZT[hv]: thunks.
PUBLIC = re.compile(r"^_Z(?:N[VK]*[RO]?|T[ISVT]N|GVN|Th\w*?N|Tv\w*?N)4kiln")
INNER = re.compile(r"4kiln(?:2v0)?(?:6passes|7codegen|7runtime)")


def faults(library):
    listing = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", library],
        capture_output=True, text=True, check=True).stdout
    names = [line.split()[0].split("@")[0] for line in listing.splitlines() if line.strip()]
    if not any(PUBLIC.match(name) for name in names):
        return ["the library exports nothing of kiln::"]
    wrong = [n for n in names if not PUBLIC.match(n) or INNER.search(n)]
    readable = subprocess.run(["c++filt"], input="\n".join(wrong), capture_output=True, text=True)
    return [f"exported: {line}" for line in readable.stdout.splitlines()]


def main():
    found = faults(sys.argv[1])
    print("\n".join(found) if found else "only kiln:: is exported")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
