"""From bench.json to the Markdown tables, and into the marked sections of the READMEs.

run.py calls write(); `report.py <folder> [--write]` makes them anew from the bench.json there.
"""

import json
import math
import pathlib
import re
import sys

import peers
import reasons

BY_HAND = ("hand", "hand_fast")
NO_PEER = ("kiln", "kiln_unfused") + BY_HAND
LARGE = 1 << 20
LEVEL = 0.95
ABOUT = {"speed.svg": "times as fast as Kiln without fusion",
         "roofline.svg": "operations a second below the machine's ceilings"}


def duration(seconds):
    for unit, text in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if seconds >= unit:
            return f"{seconds / unit:.3g} {text}"
    return f"{seconds * 1e9:.3g} ns"


def ratio(row, name):
    """The peer's time over Kiln's: above 1, Kiln is faster."""
    return row["peers"][name]["median"] / row["peers"]["kiln"]["median"]


def best(row, names=None):
    """The fastest of the peers (hand-written loops aside), or nothing."""
    found = [n for n in row["peers"] if (n in names if names else n not in NO_PEER)]
    return min(found, key=lambda n: row["peers"][n]["median"], default=None)


def geometric(values):
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def spread(row, name="kiln"):
    peer = row["peers"][name]
    return (peer["max"] - peer["min"]) / peer["median"]


def table(head, lines):
    def row(cells):
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    return "\n".join([row(head), "|" + "---|" * len(head)] + [row(line) for line in lines]) + "\n"


def compared(result):
    return [row for row in result["rows"] if "kiln" in row["peers"]]


def described(result):
    m = result["machine"]
    limits = ""
    if "ceilings" in result:
        found = result["ceilings"]
        limits = (f"measured ceilings: {found['triad'] / 1e9:.3g} GB/s of two reads and a streaming write, "
                  f"{found['read'] / 1e9:.3g} GB/s of reads, {found['arithmetic'] / 1e9:.3g} Gflop/s of "
                  "multiply-adds; ")
    on = f"{m['gpu']}; host: " if "gpu" in m else ""
    anew = ""
    if "anew" in result:
        every = result["anew"] == len(result["rows"])
        anew = ("; the costs of recording, planning and compiling are of an earlier run" if every
                else f"; {result['anew']} rows are of a second, later run")
    caches = ", ".join(f"{size} {level}" for level, size in m["cache"].items())
    return (f"{on}{m['cpu']}, {m['threads']} of {m['cores']} cores, {caches}, {m['memory_gib']} GiB; "
            f"{limits}{m['date']}, library of commit {m['commit']}; load of the machine "
            f"{m['load_before']} before, {m['load_after']} after; float32{anew}"
            f"{'; a quick run' if result['quick'] else ''}.\n")


def slower(result):
    lines = []
    for row in compared(result):
        name = best(row)
        if name and ratio(row, name) < 1:
            lines.append((ratio(row, name), [row["name"], duration(row["peers"]["kiln"]["median"]),
                                             name, f"{ratio(row, name):.2f}",
                                             "" if "gpu" in result["machine"] else reasons.of(row["name"])]))
    return [line for _, line in sorted(lines, key=lambda pair: pair[0])]


def summary(result):
    rows = [row for row in compared(result) if row["elements"] >= LARGE]
    text = ""
    against = [ratio(row, best(row)) for row in rows if best(row)]
    if against:
        text += (f"Geometric mean over {len(against)} workloads of 1M elements and more: "
                 f"{geometric(against):.2f} x the best peer of each row (hand-written C++ aside; "
                 "above 1, Kiln is faster)")
        for name, label in (("hand", "g++ -O3"), ("hand_fast", "g++ -O3 -ffast-math"),
                            ("kiln_unfused", "Kiln without fusion")):
            values = [ratio(row, name) for row in rows if name in row["peers"]]
            if values:
                text += f", {geometric(values):.2f} x {label} ({len(values)})"
        text += ". "
    bound = [(ratio(row, best(row)), row["name"]) for row in compared(result)
             if row["memory_bound"] and best(row)]
    if bound:
        level = sum(value >= LEVEL for value, _ in bound)
        text += (f"Of {len(bound)} memory-bound ones beyond the cache, {level} are at {LEVEL} of the "
                 "best peer or above.")
    return text + "\n"


def losses(result):
    lines = slower(result)
    if not lines:
        return "No row in which a peer is faster than Kiln.\n"
    return (f"Slower than the best peer in {len(lines)} of {len(compared(result))} rows "
            "(peer's time over Kiln's):\n\n"
            + table(["workload", "Kiln", "best peer", "ratio", "reason"], lines))


def everything(result):
    others = [n for n in result["about"] if n != "kiln"]
    lines = []
    for row in compared(result):
        kiln = row["peers"]["kiln"]["median"]
        cells = [row["name"], duration(kiln), f"{spread(row) * 100:.0f} %",
                 f"{row['least_bytes'] / kiln / 1e9:.3g}", f"{row['operations'] / kiln / 1e9:.3g}",
                 str(row["kernels"]), f"{row['bytes_moved'] / row['least_bytes']:.2f}",
                 " / ".join(f"{row['peers'][n].get('peak_bytes', 0) / 2**20:.0f}" for n in
                            ("kiln", "kiln_unfused", "numpy") if n in row["peers"])]
        for name in others:
            if name in row["peers"]:
                cells.append(f"{ratio(row, name):.2f}")
            else:
                cells.append("!" if name in row["troubles"] else "")
        lines.append(cells)
    return table(["workload", "Kiln", "spread", "GB/s", "Gop/s", "kernels", "bytes / least",
                  "peak MiB"] + others, lines)


def troubles(result):
    lines = [f"- {row['name']}: {name}: {text}" for row in result["rows"]
             for name, text in row["troubles"].items()]
    return ("Marked `!`:\n\n" + "\n".join(lines) + "\n") if lines else ""


def late(result):
    rows = result.get("not_reached", [])
    return f"Not reached in time: {', '.join(rows)}.\n" if rows else ""


def versions(result):
    lines = [[name, text] for name, text in result["about"].items()]
    lines += [[name, "**missing**: " + text] for name, text in result["gaps"].items()]
    return table(["peer", "version, flags"], lines)


# Counters of kiln_bench: benchmark, counter, what it is, its unit in seconds.
COSTS = (
    ("record", "ns_an_op", "recording an operation", 1e-9),
    ("record", "ns_to_free", "freeing a recorded operation", 1e-9),
    ("evaluate_again", "us", "evaluating one operation on 64 floats, its plan known", 1e-6),
    ("evaluate_graph_again 0", "ns_a_node", "evaluating 1000 operations, their plan known: each of them", 1e-9),
    ("evaluate_graph_again 2", "ns_a_node", "the same of steps of a stencil, with slices and pads", 1e-9),
    ("plan_steps 1000", "us_a_node", "planning 1000 such operations, and running them: each", 1e-6),
    ("plan_steps 10000", "us_a_node", "planning 10,000 of them: each", 1e-6),
    ("compile_chain", "ms", "a new chain of ten operations: plan, compile, run", 1e-3),
    ("compile_functions 1", "ms", "such a chain into a sin", 1e-3),
    ("compile_functions 2", "ms", "into 2, and their sum", 1e-3),
    ("compile_functions 8", "ms", "into 8", 1e-3),
    ("compile_functions 32", "ms", "into 32", 1e-3),
    ("first_of_process", "first_ms", "a chain as the first of a process", 1e-3),
    ("first_of_process", "second_ms", "and as its second", 1e-3),
    ("first_of_process", "disk_first_ms", "from the cache on disk, first of a process", 1e-3),
    ("first_of_process", "disk_second_ms", "from the cache on disk, second", 1e-3),
    ("nvrtc_chain", "ms", "such a chain by NVRTC alone, CUDA C to PTX", 1e-3),
)


def costs(result):
    if "costs" not in result:
        return ""

    def cell(found, benchmark, counter, unit):
        value = found.get(benchmark, {}).get(counter)
        return duration(value * unit) if value is not None else ""

    lines = [[text, cell(result["costs"], benchmark, counter, unit),
              cell(result["costs_cuda"], benchmark, counter, unit)]
             for benchmark, counter, text, unit in COSTS]
    lines += [[f"g++ -O2 -c of an otherwise empty file with {name}", duration(seconds), ""]
              for name, seconds in result["header"].items()]
    text = table(["cost of Kiln", "CPU", "CUDA" if result["costs_cuda"] else "CUDA: **missing**, no driver"],
                 lines)
    lines = [[name, duration(fresh["seconds"]), duration(fresh["again_seconds"]),
              f"{fresh['peak_bytes'] / 2**20:.0f} MiB"] for name, fresh in result["fresh"].items()]
    return text + "\n" + table(["fresh process to its first Black-Scholes prices", "empty caches",
                                "caches filled", "peak memory"], lines)


def loops(result):
    """kiln_bench's ratios against loops of the same process, bytes by non-temporal stores among them."""
    kinds = ("stream", "hand", "fast", "unfused")
    lines = [[name] + [f"{counters['x_' + kind]:.2f}" if "x_" + kind in counters else ""
                       for kind in kinds]
             for name, counters in result.get("costs", {}).items()
             if any("x_" + kind in counters for kind in kinds)]
    if not lines:
        return ""
    return ("Against loops of the same process, in turn (their time over Kiln's; `stream`: only moves the "
            "same bytes, stores past the cache; `fast`: -ffast-math):\n\n"
            + table(["program", *kinds], lines))


def plots(result, folder):
    names = ["speed.svg"] + (["roofline.svg"] if "ceilings" in result else [])
    return "".join(f"![{ABOUT[name]}]({folder}{name})\n" for name in names)


def full(result):
    parts = [described(result), summary(result), losses(result),
             "All rows: the peer's time over Kiln's, so above 1 Kiln is faster; medians of "
             "interleaved rounds; spread: largest less smallest over median; kernels and bytes of one "
             "run of Kiln; peak memory of the process of Kiln, Kiln without fusion, NumPy, inputs "
             "and interpreter among it.\n",
             everything(result), late(result), troubles(result), plots(result, ""), versions(result),
             costs(result), loops(result)]
    return "\n".join(part for part in parts if part)


def short(result):
    return "\n".join([losses(result), summary(result), plots(result, "examples/bench/"),
                      described(result)])


def renew(path, text):
    """Replaces what stands between the marks in a file."""
    old = path.read_text()
    new, count = re.subn(r"(<!-- bench: begin -->\n).*?(<!-- bench: end -->)",
                         lambda found: found[1] + "\n" + text.strip() + "\n\n" + found[2], old,
                         flags=re.DOTALL)
    if count != 1:
        raise SystemExit(f"{path}: the marks are missing")
    path.write_text(new)


def write(result, folder, into_readmes):
    (folder / "bench.md").write_text(full(result))
    if into_readmes:
        renew(peers.ROOT / "README.md", short(result))
        renew(peers.HERE / "README.md", full(result))


if __name__ == "__main__":
    given = pathlib.Path(sys.argv[1])
    write(json.loads((given / "bench.json").read_text()), given, "--write" in sys.argv)
