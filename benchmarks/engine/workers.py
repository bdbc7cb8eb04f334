"""The workers: long-lived processes that take turns, one at work while the others are stopped.

A stopped process (SIGSTOP) cannot spin in an idle thread pool, so every peer keeps its own way of
waiting and none disturbs the next.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, Self

import numpy as np
from plan import Plan
from shared import Arrays, Case, make_arrays

PATIENCE = 900.0
"""Seconds until an answer is given up."""
LONG_CALL = 0.1
"""Seconds from which a call is its own warm-up."""
MOST_REPETITIONS = 2000


class Worker:
    """One process: asks and answers, and rests in between."""

    def __init__(self, command: list[str], threads: int, log: Path) -> None:
        self.command, self.threads, self.log = command, threads, log
        self.process: subprocess.Popen[str] | None = None
        self.versions: dict[str, str] = {}

    def start(self) -> None:
        with self.log.open("w") as errors:
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(self.threads),
            )
        self.versions = self.listen().get("versions", {})
        self.signal(signal.SIGSTOP)

    def ask(self, **request: Any) -> dict[str, Any]:
        """Wake the worker, put one request, let it rest again."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        assert self.process is not None
        assert self.process.stdin is not None
        self.signal(signal.SIGCONT)
        try:
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            return self.listen()
        except BrokenPipeError:
            return {"left_out": self.last_words()}
        finally:
            self.signal(signal.SIGSTOP)

    def listen(self) -> dict[str, Any]:
        assert self.process is not None
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], PATIENCE)[0]:
            self.process.kill()
            self.process.wait()
            return {"left_out": f"no answer in {PATIENCE:.0f} s"}
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            return {"left_out": self.last_words()}
        answer: dict[str, Any] = json.loads(line)
        return answer

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return f"the worker ended: {lines[-1][:200] if lines else 'without a word'}"

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(number)

    def close(self) -> None:
        if self.process is None:
            return
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self.process.kill()
        self.process.wait()


class Team:
    """The workers of one thread count, started on as many CPUs as they may use.

    `names` gives each worker a key; two keys may be the same contender with two cases.
    """

    def __init__(self, plan: Plan, names: Mapping[str, str], threads: int) -> None:
        self.plan = plan
        self.folder = tempfile.TemporaryDirectory()
        path = Path(self.folder.name)
        self.workers = {
            key: Worker(plan.command(name, threads), threads, path / f"{key}.log".replace(" ", "-"))
            for key, name in names.items()
        }
        self.cpus = choose_cpus(threads)

    def __enter__(self) -> Self:
        try:
            with pinned(self.cpus):
                for key, worker in self.workers.items():
                    worker.start()
                    self.plan.versions[key] = worker.versions
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers.values():
            worker.close()
        self.folder.cleanup()

    def prepare(self, cases: Mapping[str, Case]) -> tuple[dict[str, Arrays], dict[str, Any]]:
        """Build each worker's case; return what each computed, and each answer."""
        found, answers = {}, {}
        given, results = (Path(self.folder.name) / name for name in ("arrays.npz", "results.npz"))
        for key, case in cases.items():
            np.savez(given, **make_arrays(case))
            with pinned(self.cpus):
                answers[key] = self.workers[key].ask(
                    do="prepare", case=vars(case), arrays=str(given), results=str(results)
                )
            if "left_out" not in answers[key]:
                with np.load(results) as file:
                    found[key] = dict(file)
        return found, answers

    def turn(self, key: str, repetitions: int, warm: int) -> list[float]:
        """Seconds of each of some calls of one worker; empty if it failed."""
        answer = self.workers[key].ask(do="time", repetitions=repetitions, warm=warm)
        seconds: list[float] = answer.get("seconds", [])
        return seconds

    def calibrate(self, key: str) -> tuple[int, int]:
        """Warm up; return how many calls fill a turn, and how many to leave uncounted before."""
        first = self.turn(key, 1, 1)
        if not first or first[0] > LONG_CALL:
            return 1, 0
        again = self.turn(key, 5, 1)
        typical = median(again) if again else first[0]
        repetitions = min(max(2, ceil(self.plan.turn / typical)), MOST_REPETITIONS)
        return repetitions, max(1, repetitions // 10)

    def race(self, keys: list[str]) -> dict[str, list[float]]:
        """Median seconds of each round, A B C A B C …; those that fail on the way are absent."""
        sizes = {key: self.calibrate(key) for key in keys}
        medians: dict[str, list[float]] = {key: [] for key in keys}
        for _ in range(self.plan.rounds):
            for key in [key for key in keys if key in medians]:
                seconds = self.turn(key, *sizes[key])
                if seconds:
                    medians[key].append(median(seconds))
                else:
                    del medians[key]
        return medians


def environment(threads: int) -> dict[str, str]:
    """Thread counts for every library; each keeps its own way of waiting (spinning or sleeping)."""
    names = ("OMP", "MKL", "OPENBLAS", "NUMEXPR", "VECLIB_MAXIMUM")
    counts = {f"{name}_NUM_THREADS": str(threads) for name in names}
    quiet = {"JAX_PLATFORMS": "cpu", "TF_CPP_MIN_LOG_LEVEL": "3", "NPROC": str(threads)}
    flags = os.environ.get("XLA_FLAGS", "")
    if threads == 1:
        flags = f"{flags} --xla_cpu_multi_thread_eigen=false".strip()
    return {**os.environ, **counts, **quiet, "XLA_FLAGS": flags}


def choose_cpus(count: int) -> set[int]:
    """The last CPUs this process may use, one of each core where there are enough cores."""
    if not hasattr(os, "sched_getaffinity"):
        return set()
    cpus = sorted(os.sched_getaffinity(0))
    cores: dict[str, int] = {}
    for cpu in cpus:
        path = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        cores[path.read_text() if path.exists() else str(cpu)] = cpu
    alone = sorted(cores.values())
    return set((alone if len(alone) >= count else cpus)[-count:])


@contextmanager
def pinned(cpus: set[int]) -> Iterator[None]:
    """Processes started inside may use these CPUs only."""
    if not cpus:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
