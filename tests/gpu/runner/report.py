"""report.md, report.json and page.md of what the commands left: each prediction beside its measurement,
and where the model fails. page.md is one page, to be attached to an issue."""

import csv
import datetime
import json
import pathlib
import statistics

FAILS = 1.3  # measured over predicted, either way: beyond it the model is wrong about that row


def read_json(path):
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError):
        return None


def predictions(bundle):
    with (bundle / "predictions.tsv").open() as file:
        return {row["name"]: row for row in csv.DictReader(file, delimiter="\t")}


def judged(row, predicted):
    """Measured against the range that was predicted: within it 1."""
    low, high = float(predicted["low_us"]), float(predicted["high_us"])
    measured = row["median_us"]
    return measured / high if measured > high else measured / low if measured < low else 1.0


def collect(out, bundle):
    facts = read_json(out / "1-facts.json") or {}
    result = {"date": datetime.date.today().isoformat(), "facts": facts,
              "commands": [c for n in (1, 2, 3) if (c := read_json(out / f"{n}-steps.json"))]}
    dry = facts.get("machine", {}).get("dry_run", True)
    result["silicon"] = bool(facts.get("device")) and not dry
    timing = read_json(out / "2-timing.json")
    if timing:
        known = predictions(bundle)
        for row in timing.get("rows", []):
            if row["name"] in known and row.get("median_us"):
                row["predicted"] = known[row["name"]]
                row["off"] = round(judged(row, row["predicted"]), 3)
        result["timing"] = timing
    result["bench"] = read_json(out / "2-bench.json")
    return result


def steps_of(result):
    return [(c["command"], s) for c in result["commands"] for s in c["steps"]]


def heading(result):
    device = result["facts"].get("device", {})
    machine = result["facts"].get("machine", {})
    made = result["facts"].get("bundle", {})
    if result["silicon"]:
        where = f"{device.get('model')} ({device.get('target')}), driver for CUDA {(machine.get('driver') or 0) / 1000:g}"
    else:
        where = "**the simulated driver: nothing here ran on a GPU, and no time means anything**"
    return [f"- Where: {where}; NVRTC {device.get('nvrtc', '?')}; {machine.get('system', '?')}, {machine.get('cores')} cores.",
            f"- What: Kiln {device.get('kiln', '?')}, commit {made.get('commit', '?')}; run on {result['date']}."]


def outcomes(result):
    lines = ["| command | step | result | s | |", "|---|---|---|---|---|"]
    for command, step in steps_of(result):
        counts = [f"{step[k]} {k}" for k in ("programs", "suites", "limits") if k in step]
        skipped = step.get("skipped") or []
        if skipped:
            counts.append(f"{len(skipped)} skipped")
        text = "; ".join(counts + ([step["why"]] if step.get("why") else [])).replace("|", "/").replace("\n", " ")
        lines.append(f"| {command} | {step['name']} | {step['result']} | {step['seconds']} | {text[:300]} |")
    return lines


def number(x, digits=3):
    return "" if x is None else f"{x:.{digits}g}"


def table_of_rows(rows):
    lines = ["| program | kernels | predicted us | measured us | measured / predicted | GB/s | bound by, predicted | peer, predicted us |",
             "|---|---|---|---|---|---|---|---|"]
    for row in rows:
        p = row.get("predicted", {})
        span = "" if not p else p["low_us"] if p["low_us"] == p["high_us"] else f"{p['low_us']} to {p['high_us']}"
        if row.get("error"):
            lines.append(f"| {row['name']} | | {span} | {row['error'][:120]} | | | {p.get('bound', '')} | |")
            continue
        kernels = str(row.get("kernels", ""))
        if p and p["kernels"] and kernels != p["kernels"]:
            kernels += f" ({p['kernels']} predicted)"
        mark = " **" if row.get("off") and not 1 / FAILS <= row["off"] <= FAILS else ""
        lines.append(f"| {row['name']} | {kernels} | {span} | {number(row.get('median_us'), 4)} | "
                     f"{mark.strip()}{number(row.get('off'))}{mark.strip()} | {number(row.get('gb_per_s'), 4)} | "
                     f"{p.get('bound', '')} | {p.get('peer_us', '')} |")
    return lines


def model(result):
    """Where the model holds and where it fails, in words."""
    if not result["silicon"]:
        return ["Times of a simulated driver judge no prediction."]
    rows = [r for r in result.get("timing", {}).get("rows", []) if "off" in r]
    if not rows:
        return ["No program was timed."]
    off = sorted(rows, key=lambda r: max(r["off"], 1 / r["off"]), reverse=True)
    wrong = [r for r in off if not 1 / FAILS <= r["off"] <= FAILS]
    lines = [f"{len(rows) - len(wrong)} of {len(rows)} programs lie within {FAILS} of what was predicted; the median of measured "
             f"over predicted is {statistics.median(r['off'] for r in rows):.2f}."]
    slower = [f"{r['name']} {r['off']:.2f}" for r in wrong if r["off"] > 1]
    faster = [f"{r['name']} {r['off']:.2f}" for r in wrong if r["off"] < 1]
    if slower:
        lines.append("Slower than predicted: " + ", ".join(slower) + ".")
    if faster:
        lines.append("Faster than predicted: " + ", ".join(faster) + ".")
    by_bound = {}
    for row in rows:
        by_bound.setdefault(row["predicted"]["bound"].split(",")[0], []).append(row["off"])
    lines += [f"- predicted to be bound by {bound}: {len(all_)} programs, median {statistics.median(all_):.2f}"
              for bound, all_ in sorted(by_bound.items())]
    return lines


def plain(title, values):
    if not values:
        return []
    lines = ["", f"## {title}", "", "| | |", "|---|---|"]
    for key, value in values.items():
        if isinstance(value, dict):
            value = ", ".join(f"{k} {number(v) if isinstance(v, float) else v}" for k, v in value.items())
        lines.append(f"| {key} | {number(value, 4) if isinstance(value, float) else value} |")
    return lines


def failures(result):
    lines = []
    for command, step in steps_of(result):
        if step["result"] not in ("failed", "cut"):
            continue
        names = step.get("differing") or step.get("failing") or []
        lines.append(f"- {command}, {step['name']}: {step['result']}. {step.get('why', '')}"[:500])
        lines += [f"  - {name}" for name in names[:12]]
    return lines or ["- nothing"]


def markdown(result, out):
    lines = ["# Kiln on a GPU", ""] + heading(result) + ["", "## What was run", ""] + outcomes(result)
    lines += ["", "## What failed", ""] + failures(result)
    lines += ["", "## Predictions", ""] + model(result)
    timing = result.get("timing") or {}
    if timing.get("rows"):
        lines += [""] + table_of_rows(timing["rows"])
    lines += plain("Ceilings", timing.get("ceilings")) + plain("Host", timing.get("host"))
    bench = out / "2-bench.md"
    if bench.exists():
        lines += ["", "## Beside other libraries", "", bench.read_text()]
    return "\n".join(lines) + "\n"


def page(result):
    """At most some sixty lines."""
    lines = ["# Kiln on a GPU: one page", ""] + heading(result) + [""] + outcomes(result)[:24]
    lines += ["", "What failed:", ""] + failures(result)[:16] + ["", "The model:", ""] + model(result)[:8]
    return "\n".join(line[:400] for line in lines) + "\n"


def write(out, bundle):
    out, bundle = pathlib.Path(out), pathlib.Path(bundle)
    result = collect(out, bundle)
    (out / "report.json").write_text(json.dumps(result, indent=1) + "\n")
    (out / "report.md").write_text(markdown(result, out))
    (out / "page.md").write_text(page(result))
