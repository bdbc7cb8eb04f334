"""Two processes against one: the same gradients, the same weights after kills, and how much faster.

``python benchmarks/ranks.py [ROUNDS]`` runs trainings under torchrun, in turn in one process and in
two, with the same global batch and one thread each, and prints medians (0 leaves that out); then it
kills a rank five times at random and compares the weights with those of an undisturbed run.
"""

import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

KILLS = 5


def records(count, channels=6):
    chance = np.random.default_rng(0)
    X = [chance.normal(size=(n, channels)) for n in chance.integers(20, 200, count)]
    return X, [int(x[:, 0].mean() > 0) for x in X]


def plan(name):
    """An estimator without chance in its steps, and its data."""
    import recurra as rc

    def training(steps, batch):
        return rc.Training(steps, batch, warmup=0, patience=None, progress=False)

    if name == "language":
        text = "the quick brown fox jumps over the lazy dog. " * 4000
        drops = dict.fromkeys(
            ("input_dropout", "dropout", "recurrent_dropout", "weight_dropout"), 0
        )
        options = {"hidden_size": 256, "validation": 0, "refit": False, **drops}
        return rc.LanguageModel(unit="char", training=training(40, 63), **options), (text,)
    hidden, steps = {"large": (128, 40), "small": (16, 200), "long": (128, 2500)}[name]
    model = rc.Regressor(
        hidden_size=hidden, front=None, dropout=0, input_dropout=0, validation=0,
        training=training(steps, 63),
    )  # fmt: skip
    return model, records(600)


def work(name, out, checkpoint):
    """What each process does: fit, and rank 0 writes what came of it."""
    from recurra.training import Checkpoints

    model, data = plan(name)
    kept = Checkpoints(checkpoint, steps=20) if checkpoint else None
    model.fit(*data, checkpoint=kept)
    state = {k: each.numpy() for k, each in model.network_.state_dict().items()}
    rank = os.environ.get("RANK", "0")
    Path(out, f"{rank}.json").write_text(json.dumps(model.log_.seconds))
    np.savez(Path(out, f"{rank}.npz"), **state)


def launch(name, processes, out, checkpoint="", restarts=0):
    command = [sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}",
               f"--max-restarts={restarts}", "--monitor-interval=0.2", "--standalone",
               __file__, "--work", name, str(out), str(checkpoint)]  # fmt: skip
    return subprocess.Popen(command, env={**os.environ, "OMP_NUM_THREADS": "1"})


def weights(out, rank=0):
    return np.concatenate([each.ravel() for each in np.load(Path(out, f"{rank}.npz")).values()])


def timed(name, processes, folder):
    out = Path(folder, f"{name}-{processes}")
    out.mkdir(exist_ok=True)
    assert launch(name, processes, out).wait() == 0
    return json.loads(Path(out, "0.json").read_text()), out


def compare(name, rounds, folder):
    times = {1: [], 2: []}
    for _ in range(rounds):
        for processes in times:
            seconds, out = timed(name, processes, folder)
            times[processes].append(seconds)
    one, two = (statistics.median(times[k]) for k in (1, 2))
    apart = np.abs(weights(Path(folder, f"{name}-1")) - weights(out)).max()
    same = weights(out).tobytes() == weights(out, 1).tobytes()
    load = os.getloadavg()[0]
    print(
        f"{name:9} one {one:6.2f} s, two {two:6.2f} s: {one / two:.2f} times as fast, efficiency "
        f"{one / two / 2:.0%} (load {load:.1f} on {os.cpu_count()} cores); weights apart by "
        f"{apart:.1e}, ranks alike to the bit: {same}",
        flush=True,
    )


def children(launcher):
    """The ranks that a launcher started, by their process ids."""
    listed = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    return [int(each) for each in listed]


def kill_at_random(folder):
    _, whole = timed("long", 2, folder)
    out, chance, killed = Path(folder, "killed"), random.Random(0), 0
    out.mkdir()
    launcher = launch("long", 2, out, Path(folder, "kept"), restarts=KILLS)
    known, begun, due = set(), time.monotonic(), 0.0
    while launcher.poll() is None:
        time.sleep(0.1)
        ranks = [each for each in children(launcher) if each not in known]
        if killed == KILLS or len(ranks) != 2:
            due = 0.0
        elif not due:
            due = time.monotonic() + chance.uniform(3, 14)  # in its start, or in its steps
        elif time.monotonic() > due:
            os.kill(chance.choice(ranks), signal.SIGKILL)
            known, killed, due = known | set(ranks), killed + 1, 0.0
    same = weights(out).tobytes() == weights(whole).tobytes()
    took = time.monotonic() - begun
    print(f"a rank killed {killed} times, {took:.0f} s: ended with {launcher.returncode}, "
          f"the same weights as without to the bit: {same}")  # fmt: skip


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    with tempfile.TemporaryDirectory() as folder:
        for name in ("small", "large", "language") if rounds else ():
            compare(name, rounds, folder)
        kill_at_random(folder)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(*sys.argv[2:5])
    else:
        main()
