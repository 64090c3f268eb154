"""Builds and runs the consumer project against Kiln, taken in one of three ways.

    consume.py --from package|subdirectory|fetch --work <folder> [--source <tree>] [--build <tree>]
               [--documents] [-D...]

package installs the build tree first, and demands that the installed package names no dependency.
The program then runs twice: with the environment as it is, and with every way to find CUDA closed.
With --documents the guide and the reference were installed, no link in them leads nowhere, and the
project that the installed chapter on deployment shows is built and run as well.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

CUDA_VARIABLES = ["CUDA_HOME", "CUDA_PATH", "KILN_NVRTC", "LD_LIBRARY_PATH"]
NO_FILE = "/nonexistent/kiln"


def run(*command, **options):
    print("+", *command, flush=True)
    subprocess.run([str(c) for c in command], check=True, **options)


def install(build, prefix):
    run("cmake", "--install", build, "--prefix", prefix)
    for file in prefix.rglob("*.cmake"):
        text = "\n".join(x for x in file.read_text().splitlines() if not x.startswith("#"))
        for word in ["find_dependency", "find_package(", "fmt::", "TBB::", "LLVM", "BLAS::",
                     "xxHash", "nlohmann", "Threads::", str(build)]:
            if word in text:
                sys.exit(f"the installed {file.name} speaks of {word}")


def dead_links(folder):
    """Links of the installed pages to files that are not there."""
    found = []
    for suffix, pattern in [(".md", r"\]\(([^)#\s]+)"), (".html", r'href="([^"#]+)')]:
        for page in sorted(folder.rglob("*" + suffix)):
            text = page.read_text()
            if suffix == ".md":
                text = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.S | re.M)
            found += [f"{page.relative_to(folder)}: {link}" for link in re.findall(pattern, text)
                      if "://" not in link and not (page.parent / link).exists()]
    return found


def check_documents(prefix, work, definitions):
    folder = prefix / "share" / "doc" / "kiln"
    index = folder / "reference" / "index.html"
    if not index.exists() or ">softmax</a>" not in index.read_text():
        sys.exit(f"{index} is missing, or does not list softmax")
    if dead_links(folder):
        sys.exit("\n".join(["dead links:", *dead_links(folder)]))
    chapter = (folder / "deployment.md").read_text()
    project = work / "chapter"
    project.mkdir()
    for language, name in [("cmake", "CMakeLists.txt"), ("cpp", "main.cpp")]:
        block = re.search(rf"^```{language}\n(.*?)^```$", chapter, re.S | re.M).group(1)
        (project / name).write_text(block)
    run("cmake", "-S", project, "-B", project / "build", "-G", "Ninja", *definitions)
    run("cmake", "--build", project / "build")
    run(project / "build" / "program", env=dict(os.environ, KILN_CACHE_DIR=str(work / "cache")))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="how", choices=["package", "subdirectory", "fetch"])
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--source", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path)
    parser.add_argument("--documents", action="store_true")
    arguments, definitions = parser.parse_known_args()

    work = arguments.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    definitions.append(f"-DKILN_FROM={arguments.how}")
    if arguments.how == "package":
        install(arguments.build, work / "prefix")
        definitions.append(f"-DCMAKE_PREFIX_PATH={work / 'prefix'}")
        if arguments.documents:
            check_documents(work / "prefix", work, definitions)
    else:
        definitions.append(f"-DKILN_SOURCE={arguments.source}")

    project = pathlib.Path(__file__).resolve().parent / "consumer"
    run("cmake", "-S", project, "-B", work / "build", "-G", "Ninja", *definitions)
    run("cmake", "--build", work / "build", "--target", "consumer")

    environment = dict(os.environ, KILN_CACHE_DIR=str(work / "cache"))
    run(work / "build" / "consumer", env=environment)
    for name in CUDA_VARIABLES:
        environment.pop(name, None)
    run(work / "build" / "consumer", env=dict(environment, KILN_NVRTC=NO_FILE))


if __name__ == "__main__":
    main()
