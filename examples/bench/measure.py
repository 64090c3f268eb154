"""Results compared, then rounds in which every peer takes its turn."""

import math
import random
import statistics
import time

from peers import Gone

SAMPLES = 2000
REFERENCE = ("numpy", "hand", "kiln")  # the first that has the workload
LARGEST_IDLE = 512 << 20  # bytes of a peer without a workload; one that keeps more starts anew


def agree(workload, values, reference):
    """What is wrong with these samples, or nothing."""
    if len(values) != len(reference):
        return f"{len(values)} values instead of {len(reference)}"
    scale = max(max(abs(v) for v in reference), 1e-30)
    off = sum(not abs(v - r) <= workload.tolerance * scale for v, r in zip(values, reference))
    if off > workload.astray * len(values):
        return f"{off} of {len(values)} samples differ"
    return ""


def compare(workload, samples):
    """Peers whose results are not those of the reference, with what is wrong."""
    name = next((n for n in REFERENCE if n in samples), None)
    if name is None:
        return {}
    wrong = {p: agree(workload, values, samples[name]) for p, values in samples.items()}
    return {p: text for p, text in wrong.items() if text}


def summary(seconds):
    ordered = sorted(seconds)
    return {"median": statistics.median(ordered), "min": ordered[0], "max": ordered[-1],
            "rounds": len(ordered)}


def counters(process, patience):
    """Kernels and bytes of one run of Kiln; zeros where it does not say."""
    try:
        launched, moved, _ = process.ask("counters", patience)
        return int(launched), int(moved)
    except (Gone, TypeError, ValueError):
        return 0, 0


def blank(workload):
    return {"name": workload.key, "least_bytes": workload.least, "operations": workload.operations,
            "elements": workload.elements, "memory_bound": workload.memory_bound, "peers": {}, "troubles": {}}


def failed(workload, reason):
    """A row that nobody was timed for."""
    row = blank(workload)
    row["troubles"]["the row"] = reason
    return row


def run_workload(workload, processes, rounds, patience, slice_seconds, settle=False):
    """One row of bench.json. Peers without the workload are left out; troubles are named. settle: a whole turn
    is run before the calls of a turn are counted, since the first calls wait for what later ones do not."""
    row = blank(workload)
    samples = {}
    for process in processes.values():  # loading and warming up is not timed: all at once
        process.send(workload.request())
    for name, process in list(processes.items()):
        try:
            if process.receive(patience) is None:
                if process.reason:
                    row["troubles"][name] = process.reason
                continue
            values = process.ask(f"check {SAMPLES}", patience)
            if values is None:
                row["troubles"][name] = process.reason
                continue
            samples[name] = [float(v) for v in values[1:]]
        except Gone as gone:
            row["troubles"][name] = str(gone)
            processes.pop(name).stop()
    wrong = compare(workload, samples)
    row["troubles"].update({name: "not timed: " + text for name, text in wrong.items()})
    timed = [name for name in samples if name not in wrong]
    for name in timed:
        processes[name].forget_peak()
    calls, seconds = {}, {name: [] for name in timed}

    def took(name, count):
        """Seconds a call, or nothing if the peer is gone now."""
        try:
            return float(processes[name].ask(f"time {count}", patience)[0])
        except (Gone, TypeError) as trouble:
            row["troubles"][name] = "not timed: " + (str(trouble) or "it failed")
            processes.pop(name).stop()
            timed.remove(name)
            return None

    def calls_of(once):
        return max(1, min(100000, math.ceil(slice_seconds / max(once, 1e-7))))

    for name in list(timed):
        once = took(name, 1)
        if once is not None and once < slice_seconds:
            once = took(name, 2)  # without what the first one still had to wait for
        if settle and once is not None:
            once = took(name, calls_of(once))
        if once is not None:
            calls[name] = calls_of(once)
    for number in range(rounds):
        # Each time in another order: nobody always follows the one whose threads are slow to sleep.
        for name in random.Random(number).sample(timed, len(timed)):
            if calls[name] == 1 and sum(seconds[name]) > 20 * slice_seconds:
                continue  # slow ones have had enough rounds
            time.sleep(0.002)  # threads that spin for more work go to sleep
            if (found := took(name, calls[name])) is not None:
                seconds[name].append(found)
    for name in timed:
        row["peers"][name] = {**summary(seconds[name]), "calls": calls[name],
                              "peak_bytes": processes[name].status("VmHWM")}
    if "kiln" in timed:
        row["kernels"], row["bytes_moved"] = counters(processes["kiln"], patience)
    if "kiln_unfused" in timed:
        row["unfused_kernels"], row["unfused_bytes"] = counters(processes["kiln_unfused"], patience)
    drop(processes)
    return row


def drop(processes):
    """Memory goes back; a peer whose library keeps it ends, and starts anew with the next row."""
    for name, process in list(processes.items()):
        try:
            process.ask("drop")
        except Gone:
            pass
        if not 0 < process.status("VmRSS") <= LARGEST_IDLE:
            processes.pop(name).stop()


def figures(process):
    """Kiln measures the CPU once a machine, by its first use: here, before the others load beside it."""
    process.ask("load axpy 8 8:0:1 8:0:1")
    process.stop()


def ceilings(process, elements, operations, calls=1):
    """Bandwidth (bytes a second) and arithmetic rate (operations a second); None if they cannot be had."""
    found = {}
    try:
        for name, count, inputs in (("triad", elements, 2 * [elements]), ("read", elements, [elements]),
                                    ("arithmetic", operations, [64])):
            process.ask(" ".join(["load", name, str(count)] + [f"{n}:0:1" for n in inputs]))
            amount = operations if name == "arithmetic" else 4 * elements * (3 if name == "triad" else 1)
            found[name] = amount / min(float(process.ask(f"time {calls}")[0]) for _ in range(9))
            process.ask("drop")
    except (Gone, TypeError):
        found = None
    process.stop()
    return found
