"""Many callers at once, and the children of a process whose threads are at work."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recurra.native import engine, missing

pytestmark = [
    pytest.mark.skipif(engine is None, reason=missing),
    pytest.mark.timeout(120),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
CELLS = ["elman", "lstm", "gru"]
LENGTHS = [n % 7 for n in range(40)]


def same(ours, theirs):
    return all(ours[name].tobytes() == one.tobytes() for name, one in theirs.items())


@pytest.mark.parametrize("cell", CELLS)
def test_callers_at_once_get_the_bits_they_get_alone(cell, draw_wide, solve):
    cases = [draw_wide(cell, [n % 7 for n in range(32 + k)], seed=k) for k in range(6)]
    alone = [solve(case) for case in cases]
    begin = threading.Barrier(len(cases))

    def work(k):
        begin.wait(60)
        return all(same(solve(cases[k], threads=2 + k % 3), alone[k]) for _ in range(10))

    with ThreadPoolExecutor(len(cases)) as pool:
        assert all(pool.map(work, range(len(cases)), timeout=100))


@forks
@pytest.mark.parametrize("cell", CELLS)
def test_a_forked_child_computes_the_same(cell, draw_wide, solve):
    case = draw_wide(cell, LENGTHS)
    expected = solve(case, threads=3)
    child = os.fork()
    if not child:
        code = 1
        try:
            code = 0 if all(same(solve(case, threads=3), expected) for _ in range(5)) else 2
        finally:
            os._exit(code)
    assert exit_code(child) == 0
    assert same(solve(case, threads=3), expected), "the parent goes on"


@forks
@pytest.mark.skipif(
    hasattr(engine, "planted_overrun"),
    reason="GCC's sanitizer may fork while it holds its own lock",
)
def test_a_child_forked_in_the_middle_of_calls_computes_the_same(draw_wide, solve):
    case = draw_wide("lstm", LENGTHS)
    expected = solve(case)
    over = threading.Event()

    def keep_calling():
        while not over.is_set():
            solve(case, threads=3)

    callers = [threading.Thread(target=keep_calling) for _ in range(2)]
    for caller in callers:
        caller.start()
    try:
        codes = []
        for _ in range(5):
            child = os.fork()
            if not child:
                code = 1
                try:
                    code = 0 if same(solve(case, threads=3), expected) else 2
                finally:
                    os._exit(code)
            codes.append(exit_code(child))
    finally:
        over.set()
        for caller in callers:
            caller.join(60)
    assert codes == [0] * 5


@forks
def test_workers_of_multiprocessing_compute_the_same(draw_wide, solve):
    case = draw_wide("gru", LENGTHS)
    expected = solve(case, threads=3)
    context = multiprocessing.get_context("fork")
    answers = context.SimpleQueue()

    def work():
        answers.put(same(solve(case, threads=3), expected))

    workers = [context.Process(target=work, daemon=True) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    assert [answers.get() for _ in workers] == [True] * 3


def exit_code(child, seconds=60.0):
    """How a child ended; None if it had to be killed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="nothing counts threads here")
def test_as_many_threads_help_as_are_asked_for_and_worth_it():
    code = """
import os, numpy as np
from recurra.native import engine
T, B, H = 20, 9, 300
held = [np.zeros(size, "f4") for size in (T * B * H, H * H, T * B * H, B * H)]
x, w, y, h = (one.ctypes.data for one in held)
run = (0, 0, 4, 0, T, B, H, H, 0, x, B * H, H, *(0,) * 4, w, w, 0, 0, 0, y, B * H, H, h)
small = (*run[:6], 5, 5, *run[8:])
count = lambda: len(os.listdir("/proc/self/task")) - before
before = 0
before = count()
for threads, one in ((1, run), (8, small), (3, run), (2, run), (5, run)):
    engine.forward(threads, one)
    print(count())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["0", "0", "2", "2", "4"]
