"""Time the training of a small network in Recurra and its peers, each in its own environment.

    python run.py --threads 2 --repeats 5 --cold 3 --python-lightning .venv-lightning/bin/python …

Warm: every peer's process is started, and its first fit thrown away; then they take turns, one fit
each, and the others wait. Cold: fresh processes in turns, from their start to the end of the first
fit. The tables show medians. A peer without an interpreter is left out.
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
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import IO, Any, NamedTuple

HERE = Path(__file__).resolve().parent
OURS = "recurra"
ATTENTION = "--attention"  # of the ways with it: another kind of network
SLOWEST = 600  # seconds to wait for a process to end
COMPILING = "PYTHONDONTWRITEBYTECODE"  # libraries come compiled; ours is, from its second start
VARIABLES = {name: value for name, value in os.environ.items() if name != COMPILING}


class Way(NamedTuple):
    """One way to train: whose environment, which script, and how it is called."""

    python: str
    script: str
    arguments: tuple[str, ...] = ()
    variables: tuple[tuple[str, str], ...] = ()


def keras(backend: str, *arguments: str) -> Way:
    variables = (("KERAS_BACKEND", backend),)
    return Way(f"keras-{backend}", "peer_keras.py", arguments, variables)


WAYS = {
    OURS: Way(OURS, "peer_recurra.py"),
    "torch": Way(OURS, "peer_torch.py"),  # torch is what Recurra stands on: one environment
    "lightning": Way("lightning", "peer_lightning.py"),
    "keras-jax": keras("jax"),
    "keras-jax-compiled": keras("jax", "--compiled"),
    "keras-tensorflow": keras("tensorflow"),
    "keras-tensorflow-compiled": keras("tensorflow", "--compiled"),
    "darts": Way("darts", "peer_darts.py"),
    "neuralforecast": Way("neuralforecast", "peer_neuralforecast.py"),
    f"{OURS}-attention": Way(OURS, "peer_recurra.py", (ATTENTION,)),
    "torch-attention": Way(OURS, "peer_torch.py", (ATTENTION,)),
}
PYTHONS = list(dict.fromkeys(way.python for way in WAYS.values()))
Line = dict[str, Any]


class Peer:
    """A process that fits once for each line it is sent."""

    def __init__(self, way: Way, python: str, threads: int, log: IO[str]) -> None:
        self.log, self.begun = log, perf_counter()
        self.process = subprocess.Popen(
            [python, str(HERE / way.script), *way.arguments],
            env={**VARIABLES, **dict(way.variables), "OMP_NUM_THREADS": str(threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )

    def read(self) -> Line | None:
        """Wait for a line; None, and its last words, if it died."""
        assert self.process.stdout is not None
        told = self.process.stdout.readline()
        if told:
            return json.loads(told)
        self.log.seek(0)
        print(f"{self.process.args} failed:\n{self.log.read()[-2000:]}", file=sys.stderr)
        return None

    def again(self) -> Line | None:
        """Fit once more."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()

    def end(self) -> None:
        """Let it go."""
        self.process.communicate(timeout=SLOWEST)


def main() -> int:
    options = read_arguments()
    pythons = present(
        {name: getattr(options, f"python_{name.replace('-', '_')}") for name in PYTHONS}
    )
    ways = {name: WAYS[name] for name in options.ways if WAYS[name].python in pythons}
    result: dict[str, Any] = {
        "threads": options.threads,
        "machine": {"cpus": os.cpu_count(), "system": platform.platform(terse=True)},
    }
    with tempfile.TemporaryDirectory() as folder:  # some peers write into the working directory
        os.chdir(folder)
        if options.repeats:
            lines = warm(ways, pythons, options.threads, options.repeats)
            result["warm"] = lines
            print(f"Warm, {options.threads} thread(s), median of {options.repeats}\n")
            print(table(lines, ("fit_s", "processor_s")))
        if options.cold:
            chosen = {name: way for name, way in ways.items() if name in options.cold_ways}
            lines = cold(chosen, pythons, options.threads, options.cold)
            result["cold"] = lines
            print(f"\nCold, {options.threads} thread(s), median of {options.cold}\n")
            print(table(lines, ("whole_s", "import_s", "fit_s")))
        os.chdir(HERE)
    if options.out is not None:
        options.out.write_text(json.dumps(result, indent=2) + "\n")
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repeats", type=int, default=5, help="warm fits of each that count")
    parser.add_argument("--cold", type=int, default=3, help="fresh processes of each")
    parser.add_argument("--ways", nargs="+", choices=list(WAYS), default=list(WAYS))
    parser.add_argument("--cold-ways", nargs="+", choices=list(WAYS), default=[OURS, "torch"])
    parser.add_argument("--out", type=lambda path: Path(path).resolve(), help="JSON of every run")
    for name in PYTHONS:
        own = sys.executable if name == OURS else None
        parser.add_argument(f"--python-{name}", default=own, metavar="PATH")
    return parser.parse_args()


def present(pythons: dict[str, str | None]) -> dict[str, str]:
    """Keep the interpreters that are there; say of each other one how to make its environment."""
    found = {}
    for name, python in pythons.items():
        path = shutil.which(python) if python else None
        if path is None:
            print(
                f"{name} is left out: {python or 'no interpreter'} was given. Make one with\n"
                f"  python -m venv .venv-{name} && "
                f".venv-{name}/bin/pip install -r {HERE.name}/requirements-{name}.txt\n"
                f"and pass --python-{name} .venv-{name}/bin/python",
                file=sys.stderr,
            )
        else:
            found[name] = os.path.abspath(path)  # not resolve(): it would leave the environment
    return found


def warm(
    ways: dict[str, Way], pythons: dict[str, str], threads: int, repeats: int
) -> dict[str, list[Line]]:
    """Start all, throw the first fits away, and let them take turns."""
    peers: dict[str, Peer] = {}
    lines: dict[str, list[Line]] = {}
    with ExitStack() as stack:
        for name, way in ways.items():
            log = stack.enter_context(tempfile.TemporaryFile("w+"))
            peer = Peer(way, pythons[way.python], threads, log)
            stack.callback(peer.end)
            first = peer.read()  # one after the other: nobody else is at work
            if first is not None:
                note("cold", name, first)
                peers[name], lines[name] = peer, []
        for turn in range(1, repeats + 1):
            for name in list(peers):
                line = peers[name].again()
                if line is None:
                    del peers[name], lines[name]
                    continue
                note(f"{turn}/{repeats}", name, line)
                lines[name].append(line)
    return lines


def cold(
    ways: dict[str, Way], pythons: dict[str, str], threads: int, repeats: int
) -> dict[str, list[Line]]:
    """Start fresh processes in turns."""
    lines: dict[str, list[Line]] = {name: [] for name in ways}
    for turn in range(1, repeats + 1):
        for name, way in ways.items():
            with tempfile.TemporaryFile("w+") as log:
                peer = Peer(way, pythons[way.python], threads, log)
                line = peer.read()
                whole = round(perf_counter() - peer.begun, 4)
                peer.end()
            if line is not None:
                note(f"cold {turn}/{repeats}", name, line)
                lines[name].append({"whole_s": whole, **line})
    return {name: found for name, found in lines.items() if found}


def note(turn: str, name: str, line: Line) -> None:
    print(f"{turn} {name}: {line['import_s']} s import, {line['fit_s']} s fit", file=sys.stderr)


def table(lines: dict[str, list[Line]], columns: tuple[str, ...]) -> str:
    """Write medians, and how many times as long as the first of its kind each takes."""
    medians = {
        name: {column: median(line[column] for line in found) for column in columns}
        for name, found in lines.items()
    }
    first = columns[0]
    head = ["peer", "version", *columns, f"{first} / first", "steps", "weights", "loss"]
    rows = [head, ["---"] * len(head)]
    firsts: dict[bool, float] = {}  # of each kind of network: without attention, and with it
    for name, found in lines.items():
        own, one = medians[name], found[0]
        base = firsts.setdefault(ATTENTION in WAYS[name].arguments, own[first])
        ratio = f"{own[first] / base:.2f}"
        same = (str(one["steps"]), str(one["weights"]), f"{one['loss']:.3f}")
        rows.append([name, one["version"], *(f"{own[each]:.3f}" for each in columns), ratio, *same])
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


if __name__ == "__main__":
    sys.exit(main())
