"""Time fit and predict of Recurra and its peers on M4 hourly, each in its own environment.

The scripts take turns (A B C A B C …) on one thread; the table shows medians. Arguments that
are not listed here (--hidden 64, --steps 500 …) go to every script.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).resolve().parent
OURS = "recurra"
PEERS = (OURS, "neuralforecast", "darts")
TIMES = ("fit_s", "predict_s", "total_s")
MEASURES = ("smape", "mase")
ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "MKL", "OPENBLAS", "NUMBA")}

Line = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with Hourly-*.csv")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path, default=None, help="JSON file for every run")
    parser.add_argument(f"--python-{OURS}", default=sys.executable, metavar="PATH")
    for name in PEERS[1:]:
        parser.add_argument(f"--python-{name}", default=None, metavar="PATH")
    options, rest = parser.parse_known_args()
    if options.repeats < 1:
        parser.error("--repeats must be at least 1")

    pythons = present({name: getattr(options, f"python_{name}") for name in PEERS})
    lines: dict[str, list[Line]] = {name: [] for name in pythons}
    failed: set[str] = set()
    settings = ["--data", str(options.data.resolve()), *rest]
    for repeat in range(options.repeats):
        for name, python in pythons.items():
            if name in failed:
                continue
            line = run_once(name, python, settings)
            if line is None:
                failed.add(name)
                continue
            lines[name].append(line)
            print(f"{repeat + 1}/{options.repeats} {name}: {line['total_s']} s", file=sys.stderr)

    medians = {name: middle(lines[name]) for name in pythons if name not in failed}
    ratios = against_ours(medians)
    print(table(medians, ratios, " ".join(rest) or "default settings", options.repeats))
    if options.out is not None:
        result = {
            "settings": rest,
            "repeats": options.repeats,
            "threads": 1,
            "machine": {"cpus": os.cpu_count(), "system": platform.platform(terse=True)},
            "medians": medians,
            "ratios": ratios,
            "runs": lines,
        }
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    return 1 if failed else 0


def present(pythons: dict[str, str | None]) -> dict[str, str]:
    """Keep the peers that can run; say of each other one how to make its environment."""
    found = {}
    for name, python in pythons.items():
        path = shutil.which(python) if python else None
        if not (HERE / f"peer_{name}.py").exists():
            print(f"{name} is skipped: peer_{name}.py is not here.")
        elif path is None:
            print(
                f"{name} is skipped: {python or 'no interpreter'} was given. Make one with\n"
                f"  python -m venv .venv-{name} && "
                f".venv-{name}/bin/pip install -r {HERE.name}/requirements-{name}.txt\n"
                f"and pass --python-{name} .venv-{name}/bin/python"
            )
        else:
            found[name] = os.path.abspath(path)  # not resolve(): it would leave the environment
    return found


def run_once(name: str, python: str, settings: list[str]) -> Line | None:
    """Run one script in an empty folder; None, and its last words, if it failed."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [python, str(HERE / f"peer_{name}.py"), *settings],
            cwd=folder,
            env={**os.environ, **ONE_THREAD},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        print(f"{name} failed and is left out:\n{done.stderr[-2000:]}", file=sys.stderr)
        return None
    line: Line = json.loads(done.stdout.splitlines()[-1])
    if line["threads"] != 1:
        print(f"{name} ran on {line['threads']} threads, not one", file=sys.stderr)
        return None
    return line


def middle(lines: list[Line]) -> Line:
    """The medians of what was measured, beside what stays the same from run to run."""
    return {**lines[0], **{key: median(line[key] for line in lines) for key in TIMES + MEASURES}}


def against_ours(medians: dict[str, Line]) -> dict[str, dict[str, float]]:
    """How many times as long as ours each peer takes; empty without ours."""
    if OURS not in medians:
        return {}
    ours = medians[OURS]
    return {
        name: {key: round(line[key] / ours[key], 3) for key in TIMES}
        for name, line in medians.items()
    }


def table(
    medians: dict[str, Line], ratios: dict[str, dict[str, float]], settings: str, repeats: int
) -> str:
    head = ["peer", "version", "torch", "weights", "fit s", "predict s", "total s"]
    head += ["fit / ours", "predict / ours", "total / ours", "sMAPE", "MASE"]
    rows = [head, ["---"] * len(head)]
    for name, line in medians.items():
        ratio = [f"{ratios[name][key]:.2f}" if ratios else "–" for key in TIMES]
        rows.append(
            [name, *(str(line[key]) for key in ("version", "torch", "parameters"))]
            + [f"{line[key]:.3f}" for key in TIMES]
            + [*ratio, f"{line['smape']:.2f}", f"{line['mase']:.3f}"]
        )
    title = f"M4 hourly, {settings}; 1 thread; medians of {repeats} interleaved run(s)."
    return "\n".join([title, "", *("| " + " | ".join(row) + " |" for row in rows)])


if __name__ == "__main__":
    sys.exit(main())
