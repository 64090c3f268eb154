"""Builds and runs the consumer project against Kiln, taken in one of three ways.

    consume.py --from package|subdirectory|fetch --work <folder> [--source <tree>] [--build <tree>]
               [-D...]

package installs the build tree first, and demands that the installed package names no dependency.
The program then runs twice: with the environment as it is, and with every way to find CUDA closed.
"""

import argparse
import os
import pathlib
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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="how", choices=["package", "subdirectory", "fetch"])
    parser.add_argument("--work", type=pathlib.Path)
    parser.add_argument("--source", type=pathlib.Path)
    parser.add_argument("--build", type=pathlib.Path)
    arguments, definitions = parser.parse_known_args()

    work = arguments.work.resolve()
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    definitions.append(f"-DKILN_FROM={arguments.how}")
    if arguments.how == "package":
        install(arguments.build, work / "prefix")
        definitions.append(f"-DCMAKE_PREFIX_PATH={work / 'prefix'}")
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
