"""plots.py <folder>: bench.json there becomes speed.png, roofline.png, and the same as SVG."""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "bench"})  # small, and alike

NAMES = {"kiln": "Kiln", "kiln_unfused": "Kiln, unfused", "hand": "C++ by hand",
         "hand_fast": "C++ by hand, -ffast-math"}


def save(figure, folder, name):
    for kind, metadata in (("png", None), ("svg", {"Date": None})):
        figure.savefig(folder / f"{name}.{kind}", dpi=110, bbox_inches="tight", metadata=metadata)


def speed(result, folder):
    """A row a workload, a dot a peer: how many times as fast as unfused Kiln each is."""
    rows = [r for r in result["rows"] if "kiln" in r["peers"] and "kiln_unfused" in r["peers"]]
    names = [n for n in result["about"] if n != "kiln_unfused"]
    figure, axes = plt.subplots(figsize=(9, 0.3 * len(rows) + 1.8))
    colours = plt.get_cmap("tab10").colors
    for place, name in enumerate(names):
        at = [(r["peers"]["kiln_unfused"]["median"] / r["peers"][name]["median"], -y)
              for y, r in enumerate(rows) if name in r["peers"]]
        kiln = name == "kiln"
        axes.scatter([x for x, _ in at], [y for _, y in at], label=NAMES.get(name, name),
                     color="black" if kiln else colours[(place - 1) % 10],
                     marker="D" if kiln else "x" if name.startswith("hand") else "o",
                     s=46 if kiln else 26, zorder=3 if kiln else 2)
    axes.axvline(1, color="grey", linewidth=0.8)
    axes.set_xscale("log")
    axes.set_yticks([-y for y in range(len(rows))], [r["name"] for r in rows])
    axes.set_xlabel("times as fast as Kiln without fusion (log)")
    axes.grid(axis="both", linewidth=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    save(figure, folder, "speed")


def roofline(result, folder):
    """Operations a second over operations a byte, below this machine's measured ceilings."""
    rows = [r for r in result["rows"] if "kiln" in r["peers"] and r["elements"] >= 1 << 20]
    limits = result["ceilings"]
    figure, axes = plt.subplots(figsize=(9, 6))
    intensities = [2.0 ** k for k in range(-5, 13)]
    axes.plot(intensities, [min(limits["arithmetic"], limits["triad"] * x) / 1e9
                            for x in intensities], color="black",
              label=f"{limits['triad'] / 1e9:.3g} GB/s, {limits['arithmetic'] / 1e9:.3g} Gflop/s")
    colours = plt.get_cmap("tab20").colors
    families = sorted({r["name"].split()[0] for r in rows})
    for family in families:
        here = [r for r in rows if r["name"].split()[0] == family]
        colour = colours[families.index(family) % 20]
        for name, marker in (("kiln", "o"), ("kiln_unfused", "x")):
            at = [(r["operations"] / r["least_bytes"], r["operations"] / r["peers"][name]["median"])
                  for r in here if name in r["peers"]]
            axes.scatter([x for x, _ in at], [y / 1e9 for _, y in at], color=colour, marker=marker,
                         label=family if name == "kiln" else None)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xlabel("operations a byte that must move (a function counts as one operation)")
    axes.set_ylabel("billion operations a second")
    axes.set_title("o Kiln, x Kiln without fusion", fontsize=10)
    axes.grid(linewidth=0.3)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False)
    save(figure, folder, "roofline")


def main():
    folder = pathlib.Path(sys.argv[1])
    result = json.loads((folder / "bench.json").read_text())
    speed(result, folder)
    if "ceilings" in result:
        roofline(result, folder)


main()
