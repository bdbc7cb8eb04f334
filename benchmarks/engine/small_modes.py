"""Four questions beside the grid: ragged cost, a busy neighbour, one step, lower precision."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGCONT, SIGSTOP
from statistics import median, quantiles

from measures import TOLERANCE, Row, difference
from plan import OURS, THEIRS, Plan
from report import aligned, cpu, number, progress
from shared import Arrays, Case, draw_lengths
from workers import Team, choose_cpus, pinned

RAGGED_SHAPES = ((16, 100, 64, 64), (32, 100, 128, 128))
BUSY_SHAPE = (32, 50, 8, 32)
STEP_SHAPES = ((1, 1, 16, 64), (1, 1, 64, 128))
STEPPERS = (THEIRS, OURS, "recurra-step", "runtime", "onnx", "openvino", "jax", "numpy")
PRECISIONS = ("highest", "high", "medium", "bfloat16")
WIDE = 128


def ready(team: Team, cases: dict[str, Case], reference: dict[str, str]) -> list[str]:
    """Keys of those that computed what their reference did; the others get a printed line."""
    found, answers = team.prepare(cases)
    kept = []
    for key, case in cases.items():
        reason = answers[key].get("left_out")
        if reason is None and reference[key] not in found:
            reason = f"nothing to compare with: {reference[key]} is missing"
        if reason is None:
            gap = difference(found[key], found[reference[key]], case)
            reason = f"wrong: differs from torch by {gap:.1e}" if gap > TOLERANCE else None
        if reason is None:
            kept.append(key)
        else:
            print(f"{key} is left out of {case}: {reason}")
    return kept


def ragged(plan: Plan) -> list[Row]:
    """Time of ragged over padded batches: at best the real steps' share of all steps."""
    names = {f"{name} {layout}": name for name in (OURS, THEIRS) for layout in ("padded", "ragged")}
    reference = {key: f"{THEIRS} {key.split()[1]}" for key in names}
    rows = []
    for threads in plan.threads:
        with Team(plan, names, threads) as team:
            for cell in plan.cells:
                for shape in RAGGED_SHAPES[: 1 if plan.quick else None]:
                    progress(f"ragged {cell} {shape}")
                    cases = {
                        key: Case(cell, shape, "training", key.endswith("ragged"), threads)
                        for key in names
                    }
                    kept = ready(team, cases, reference)
                    real = draw_lengths(cases[f"{OURS} ragged"]).mean() / shape[1]
                    times = {key: median(s) for key, s in team.race(kept).items()}
                    rows.append(ragged_row(cases[f"{OURS} ragged"], float(real), times))
    progress("")
    head = ["cell", "shape", "threads", "real steps", "ours ragged / padded"]
    head += ["torch packed / padded", "ours ragged µs", "torch packed / ours ragged"]
    fields = ("real_steps", "ours_ragged_over_padded", "torch_packed_over_padded")
    lines = [
        [row["cell"], row["size"], str(row["threads"])]
        + [number(row[field]) for field in fields]
        + [number(row["micros"].get(f"{OURS} ragged")), number(row["torch_packed_over_ours"])]
        for row in rows
    ]
    print(f"\nRagged cost, forward and backward\n\n{aligned([head, *lines])}", flush=True)
    return rows


def ragged_row(case: Case, real: float, times: dict[str, float]) -> Row:
    def over(top: str, bottom: str) -> float | None:
        return times[top] / times[bottom] if top in times and bottom in times else None

    return {
        "cell": case.cell,
        "size": case.size,
        "threads": case.threads,
        "real_steps": real,
        "micros": {key: 1e6 * seconds for key, seconds in times.items()},
        "ours_ragged_over_padded": over(f"{OURS} ragged", f"{OURS} padded"),
        "torch_packed_over_padded": over(f"{THEIRS} ragged", f"{THEIRS} padded"),
        "torch_packed_over_ours": over(f"{THEIRS} ragged", f"{OURS} ragged"),
    }


@contextmanager
def neighbour(cpus: set[int]) -> Iterator[subprocess.Popen[bytes]]:
    """A process that only spins, on the last of the CPUs in use; stopped until it is woken."""
    with pinned(set(sorted(cpus)[-1:])):
        process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    process.send_signal(SIGSTOP)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def busy(plan: Plan) -> list[Row]:
    """An LSTM's training step on two threads, alone and with one spinning process beside it."""
    if max(plan.threads) < 2:
        print("The busy neighbour needs two threads: left out.")
        return []
    case = Case("lstm", BUSY_SHAPE, "training", threads=2)
    names = {OURS: OURS, THEIRS: THEIRS}
    seconds: dict[tuple[str, str], list[float]] = {}
    with Team(plan, names, 2) as team, neighbour(choose_cpus(2)) as other:
        kept = ready(team, dict.fromkeys(names, case), dict.fromkeys(names, THEIRS))
        sizes = {key: team.calibrate(key) for key in kept}
        for number_of_round in range(plan.rounds):
            for beside, signal in (("quiet", SIGSTOP), ("busy", SIGCONT)):
                progress(f"busy neighbour, round {number_of_round + 1}, {beside}")
                for key in kept:
                    other.send_signal(signal)
                    repetitions = max(5, sizes[key][0] // (1 if beside == "quiet" else 4))
                    taken = team.turn(key, repetitions, 1)
                    other.send_signal(SIGSTOP)
                    seconds.setdefault((key, beside), []).extend(taken)
    progress("")
    return busy_rows(case, seconds)


def busy_rows(case: Case, seconds: dict[tuple[str, str], list[float]]) -> list[Row]:
    """Medians and ninth deciles of single calls; the table of them is printed."""
    rows = []
    for (name, beside), taken in seconds.items():
        tenth = quantiles(taken, n=10)[-1]
        row = {"contender": name, "neighbour": beside, "calls": len(taken)}
        rows.append(row | {"median_micros": 1e6 * median(taken), "p90_micros": 1e6 * tenth})
    quiet = {r["contender"]: r["median_micros"] for r in rows if r["neighbour"] == "quiet"}
    lines = [["contender", "neighbour", "µs", "90th percentile", "times quiet"]]
    for row in rows:
        row["times_quiet"] = row["median_micros"] / quiet[row["contender"]]
        cells = [number(row[key]) for key in ("median_micros", "p90_micros", "times_quiet")]
        lines.append([row["contender"], row["neighbour"], *cells])
    print(f"\nA busy neighbour: {case}\n\n{aligned(lines)}", flush=True)
    return rows


def step(plan: Plan) -> list[Row]:
    """Latency of one step with a carried state, one thread."""
    wanted = [name for name in STEPPERS if name in plan.racers or name in ("recurra-step", "numpy")]
    names = dict(zip(wanted, wanted, strict=True))
    rows: list[Row] = []
    with Team(plan, names, 1) as team:
        for cell in plan.cells:
            for shape in STEP_SHAPES:
                progress(f"one step {cell} {shape}")
                cases = dict.fromkeys(names, Case(cell, shape))
                kept = ready(team, cases, dict.fromkeys(names, THEIRS))
                times = {key: 1e6 * median(s) for key, s in team.race(kept).items()}
                size = cases[THEIRS].size
                rows.append({"cell": cell, "size": size, "micros": times})
    progress("")
    lines = [["cell", "shape", *wanted]]
    lines += [
        [row["cell"], row["size"], *(number(row["micros"].get(name)) for name in wanted)]
        for row in rows
    ]
    print(f"\nOne step, one thread, µs a call\n\n{aligned(lines)}", flush=True)
    return rows


def precision(plan: Plan) -> list[Row]:
    """Wide layers at lower precision: time, and error against torch in float64."""
    threads = max(plan.threads)
    names = {f"{name} {level}": name for level in PRECISIONS for name in (OURS, THEIRS)}
    shapes = sorted((s for s in plan.shapes if s[3] >= WIDE), key=lambda s: s[3] * s[0] * s[1])
    rows: list[Row] = []
    with Team(plan, names | {"float64": THEIRS}, threads) as team:
        for cell in plan.cells:
            for shape in shapes[: 1 if plan.quick else None]:
                for mode in plan.modes:
                    progress(f"precision {cell} {shape} {mode}")
                    base = {"cell": cell, "shape": shape, "mode": mode, "threads": threads}
                    cases = {key: Case(**base, precision=key.split()[-1]) for key in team.workers}
                    rows += precision_rows(team, cases)
    progress("")
    lines = [["cell", "shape", "mode", "contender", "µs", "torch fp32 / it", "error"]]
    for row in rows:
        cells = [row["cell"], row["size"], row["mode"], row["contender"], number(row["micros"])]
        lines.append([*cells, number(row["torch_over_it"]), f"{row['error']:.1e}"])
    able = [flag for flag in ("avx512f", "avx512_bf16", "amx_bf16") if flag in cpu()[1]]
    title = f"Lower precision, {threads} thread(s); this CPU has {', '.join(able) or 'none of it'}"
    print(f"\n{title}\n\n{aligned(lines)}", flush=True)
    return rows


def precision_rows(team: Team, cases: dict[str, Case]) -> list[Row]:
    found: dict[str, Arrays]
    found, answers = team.prepare(cases)
    wanted = found.pop("float64", None)
    for key, answer in answers.items():
        if "left_out" in answer:
            print(f"{key} is left out of {cases[key]}: {answer['left_out']}")
    if wanted is None:
        return []
    times = {key: 1e6 * median(s) for key, s in team.race(list(found)).items()}
    fp32 = times.get(f"{THEIRS} {PRECISIONS[0]}")
    return [
        {
            "cell": cases[key].cell,
            "size": cases[key].size,
            "mode": cases[key].mode,
            "contender": key,
            "micros": micros,
            "torch_over_it": fp32 / micros if fp32 else None,
            "error": difference(found[key], wanted, cases[key]),
        }
        for key, micros in times.items()
    ]
