"""The grid: every contender on every shape, cell, mode, layout and thread count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator

from measures import TOLERANCE, Row, difference, geometric_mean, summarise
from plan import GEMMS, OURS, THEIRS, Plan
from report import aligned, number, progress
from shared import Case
from workers import Team


def run(plan: Plan, save: Callable[[list[Row]], None]) -> list[Row]:
    """Run all cases; print a table for each cell and thread count, then the summary."""
    rows: list[Row] = []
    names = [*plan.racers, *GEMMS]
    for threads in plan.threads:
        with Team(plan, dict(zip(names, names, strict=True)), threads) as team:
            for cell in plan.cells:
                here = []
                for case in plan.cases(threads, cell):
                    progress(str(case))
                    here.append(run_case(team, case, names))
                    save(rows + here)
                progress("")
                print(table(here, plan), flush=True)
                rows += here
    print(summary(rows), reasons(rows), sep="\n", flush=True)
    return rows


def run_case(team: Team, case: Case, names: list[str]) -> Row:
    """Prepare, compare with torch, leave out what is wrong, race the rest."""
    found, answers = team.prepare(dict.fromkeys(names, case))
    left_out = {k: answer["left_out"] for k, answer in answers.items() if "left_out" in answer}
    errors = {}
    for key in [name for name in names if name in found and name not in GEMMS]:
        if THEIRS not in found:
            left_out[key] = "torch gave no answer to compare with"
            continue
        errors[key] = difference(found[key], found[THEIRS], case)
        if errors[key] > TOLERANCE:
            left_out[key] = f"wrong: differs from torch by {errors[key]:.1e}"
    ready = [name for name in names if name not in left_out]
    medians = team.race(ready)
    left_out |= {key: "failed while it was timed" for key in ready if key not in medians}
    prepared = {key: answer.get("prepare_s") for key, answer in answers.items()}
    more = {"left_out": left_out, "difference": errors, "prepare_s": prepared}
    return summarise(case, medians) | more


def table(rows: list[Row], plan: Plan) -> str:
    """One line a case: microseconds, and in brackets how many times ours."""
    cell, threads = rows[0]["case"]["cell"], rows[0]["case"]["threads"]
    title = f"{cell}, {threads} thread(s): µs a call (times ours: above 1, ours is faster)"
    head = ["batch x time x in x hidden", "mode", "layout", "GFLOP/s", OURS, "share", "of gates"]
    peers = [name for name in plan.racers if name != OURS]
    lines = [[*head, *peers, "spread"]]
    for row in rows:
        case, ours = row["case"], row["micros"].get(OURS)
        shares = [row["share"].get(gemm, {}).get(OURS) for gemm in GEMMS]
        cells = ["x".join(map(str, case["shape"])), case["mode"], case["layout"]]
        cells += [number(row["gemm_gflops"].get(GEMMS[0])), number(ours)]
        cells += ["–" if share is None else f"{share:.2f}" for share in shares]
        cells += [beside(row, peer) for peer in peers]
        lines.append([*cells, f"{max(row['spread'].values(), default=0):.0%}"])
    return f"\n{title}\n\n{aligned(lines)}"


def beside(row: Row, peer: str) -> str:
    if peer not in row["micros"]:
        return "–"
    ratio = row["ratio"].get(peer)
    return number(row["micros"][peer]) + (f" ({ratio:.2f})" if ratio else "")


def groups(rows: list[Row]) -> Iterator[tuple[list[str], list[Row]]]:
    """Rows of the same cell, mode, layout and threads, where ours and torch ran."""
    found: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row in rows:
        if THEIRS in row["ratio"]:
            case = row["case"]
            key = (case["cell"], case["mode"], case["layout"], str(case["threads"]))
            found[key].append(row)
    for key, members in found.items():
        yield list(key), members


def best_peer(row: Row) -> tuple[float, str]:
    """The fastest contender but ours, and its time over ours."""
    return min((ratio, name) for name, ratio in row["ratio"].items() if name != OURS)


def summary(rows: list[Row]) -> str:
    head = ["cell", "mode", "layout", "threads", "torch / ours", "least", "at"]
    lines = [[*head, "best peer / ours", "least", "at", "by"]]
    for key, members in groups(rows):
        torch_ratios = [row["ratio"][THEIRS] for row in members]
        least = min(members, key=lambda row: row["ratio"][THEIRS])
        best = [best_peer(row) for row in members]
        closest = min(zip(best, members, strict=True), key=lambda pair: pair[0][0])
        best_mean = geometric_mean(ratio for ratio, _ in best)
        cells = [f"{geometric_mean(torch_ratios):.2f}", f"{min(torch_ratios):.2f}", size(least)]
        cells += [f"{best_mean:.2f}", f"{closest[0][0]:.2f}", size(closest[1]), closest[0][1]]
        lines.append([*key, *cells])
    title = "Geometric means over the shapes, and the least of them (above 1, ours is faster)"
    return f"\n{title}\n\n{aligned(lines)}"


def size(row: Row) -> str:
    return "x".join(map(str, row["case"]["shape"]))


def reasons(rows: list[Row]) -> str:
    """Who was left out, why, and of how many cases."""
    counts: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        for name, reason in row["left_out"].items():
            counts[name, reason].append(row)
    lines = ["\nLeft out:"] if counts else []
    for (name, reason), members in counts.items():
        where = f"{len(members)} cases"
        if len(members) == 1:
            case = members[0]["case"]
            where = f"{case['cell']} {size(members[0])} {case['mode']} {case['layout']}"
        lines.append(f"  {name}: {reason} ({where})")
    return "\n".join(lines)
