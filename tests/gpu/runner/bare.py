"""bare.py <bundle> [arguments of its run]: a dry run of a bundle in a folder with Debian's base system and Python
only, so that nothing of the machine that built it can be used but NVRTC. Ends with 77 without debootstrap."""

import os
import pathlib
import shutil
import subprocess
import sys

import machine

def mirror():
    """What this machine installs from; else debootstrap's own choice."""
    for path in [pathlib.Path("/etc/apt/sources.list"), *sorted(pathlib.Path("/etc/apt/sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        for line in path.read_text(errors="replace").splitlines():
            words = line.split()
            if words[:1] == ["URIs:"]:
                return words[1:2]
            addresses = [w for w in words if "://" in w]
            if words[:1] == ["deb"] and addresses:
                return addresses[:1]
    return []


def base(folder):
    if (folder / "usr" / "bin" / "python3").exists():
        return
    if not shutil.which("debootstrap"):
        raise SystemExit(77)
    subprocess.run(["debootstrap", "--variant=minbase", "--include=python3", "bookworm", str(folder), *mirror()],
                   check=True, stdout=subprocess.DEVNULL)


def main():
    bundle = pathlib.Path(sys.argv[1]).resolve()
    folder = bundle.parent / "bare"
    base(folder)
    nvrtc, told = (os.environ["KILN_NVRTC"], "") if "KILN_NVRTC" in os.environ else machine.choose_nvrtc(None)
    if nvrtc is None:
        raise SystemExit(f"bare: {told}")
    inside = folder / "kiln-gpu"
    shutil.rmtree(inside, ignore_errors=True)
    shutil.copytree(bundle, inside)
    (folder / "nvrtc").mkdir(exist_ok=True)
    for library in pathlib.Path(os.path.realpath(nvrtc)).parent.glob("libnvrtc*.so.*"):
        if ".alt." not in library.name and not library.is_symlink():
            shutil.copy(library, folder / "nvrtc")
    # /proc tells a program where it is, and with that where its libraries are.
    command = ["unshare", "--mount", *(["--map-root-user", "--pid", "--fork"] if os.getuid() != 0 else []),
               "sh", "-c", 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"', str(folder),
               "/usr/bin/env", "-i", "PATH=/usr/bin:/bin", "HOME=/nowhere",
               f"KILN_NVRTC=/nvrtc/{os.path.basename(os.path.realpath(nvrtc))}", "/kiln-gpu/run", "--dry", *sys.argv[2:]]
    status = subprocess.run(command).returncode
    print(f"   {inside}/results/page.md")
    raise SystemExit(status)


main()
