"""Time Recurra's recurrent layers beside torch.nn, torch.compile, Keras, JAX, ONNX and OpenVINO.

Every contender is a process of its own; within a case they take turns (A B C A B C …), and an
answer that differs from torch's is not timed. Without names of parts, all parts run.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import grid
import small_modes
from measures import Row
from picture import draw
from plan import HERE, HOMES, LAYOUTS, MODES, PEERS, QUICK_SHAPES, SHAPES, Plan
from report import machine
from shared import CELLS

PARTS = ("grid", "ragged", "busy", "step", "precision")
OUT = HERE.parents[1] / "out" / "engine"


def main() -> int:
    parser = make_parser()
    options = parser.parse_args()
    plan = make_plan(options, parser)
    options.out.mkdir(parents=True, exist_ok=True)
    result: dict[str, Any] = {"machine": machine(), "settings": settings(plan)}
    result["versions"] = plan.versions
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that no worker stays behind

    def save() -> None:
        (options.out / "engine.json").write_text(json.dumps(result, indent=1) + "\n")

    def save_grid(rows: list[Row]) -> None:
        result["grid"] = rows
        save()

    print(" · ".join(f"{key} {value}" for key, value in result["machine"].items()))
    for part in options.parts or PARTS:
        if part == "grid":
            result["grid"] = grid.run(plan, save_grid)
            draw(result, options.out)
        else:
            result[part] = getattr(small_modes, part)(plan)
        result["machine"]["load_after"] = round(os.getloadavg()[0], 2)
        save()
    print(f"\nWritten to {options.out}")
    wrong = [row for row in result.get("grid", []) if "recurra" in row["left_out"]]
    return 1 if wrong else 0


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    sizes = ["x".join(map(str, shape)) for shape in SHAPES]
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--cases", nargs="+", choices=sizes, help="shapes of the grid")
    parser.add_argument("--cells", nargs="+", choices=list(CELLS), default=list(CELLS))
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES)
    parser.add_argument("--layouts", nargs="+", choices=LAYOUTS, default=LAYOUTS)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--peers", nargs="*", choices=PEERS, help="beside torch; all by default")
    parser.add_argument("--rounds", type=int, help="7 by default, 3 if quick")
    parser.add_argument("--turn", type=float, default=20, help="milliseconds, about, of one turn")
    parser.add_argument("--quick", action="store_true", help="few shapes, short: some minutes")
    parser.add_argument("--out", type=Path, default=OUT, help="folder for JSON and picture")
    for home in HOMES:
        parser.add_argument(f"--python-{home}", metavar="PATH", help=f"default .venv/{home}")
    return parser


def make_plan(options: argparse.Namespace, parser: argparse.ArgumentParser) -> Plan:
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = tuple(count for count in options.threads if 1 <= count <= (usable or 1))
    if not threads:
        parser.error(f"--threads must be 1 to {usable} here")
    if threads != tuple(options.threads):
        print(f"Only {usable} CPU(s) here: --threads {' '.join(map(str, threads))}.")
    shapes = QUICK_SHAPES if options.quick else SHAPES
    if options.cases:
        shapes = tuple(tuple(map(int, size.split("x"))) for size in options.cases)
    usual = PEERS[1:] if options.quick else PEERS
    return Plan(
        shapes=shapes,
        cells=tuple(options.cells),
        modes=tuple(options.modes),
        layouts=tuple(options.layouts),
        threads=threads,
        peers=usual if options.peers is None else tuple(options.peers),
        rounds=options.rounds or (3 if options.quick else 7),
        turn=options.turn / 1000,
        quick=options.quick,
        pythons=find_pythons(options),
    )


def find_pythons(options: argparse.Namespace) -> dict[str, str]:
    """The interpreters that are there; a line for each that is not, and how to make it."""
    found = {"ours": sys.executable}
    for home in HOMES:
        given = getattr(options, f"python_{home}")
        path = Path(given) if given else HERE / ".venv" / home / "bin" / "python"
        if path.exists():
            found[home] = os.path.abspath(path)  # not resolve(): it would leave the environment
        else:
            print(f"No environment for {home}: its peers are left out. See README.md.")
    return found


def settings(plan: Plan) -> dict[str, Any]:
    return {key: value for key, value in vars(plan).items() if key not in ("pythons", "versions")}


if __name__ == "__main__":
    sys.exit(main())
