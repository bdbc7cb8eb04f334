"""Polyphonic music, frame by frame: four-part chorales and folk tunes.

    python benchmarks/music.py [--seeds 0 1 2] [--sets jsb nottingham piano]

Reads `mus_jsb`, `mus_nottingham` and `mus_piano_midi` in the folder RECURRA_DATA, each with its own
training, validation and test part. A frame says of 88 keys which are pressed. The loss is the
negative log-likelihood of a frame, summed over keys and averaged over all frames of the test part
that have one before them, as in Bai et al. 2018 (arXiv:1803.01271), whose LSTM reached 8.45 and
3.29 on the first two. All options are the defaults; training stops by the validation part.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np
import torch
from scipy.io import loadmat

from recurra.data import from_arrays
from recurra.estimators import NextStep
from recurra.estimators.rows.next_step_baselines import of_flags

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[2] / "shared" / "data"))
FILES = {
    "jsb": "mus_jsb/JSB_Chorales.mat",
    "nottingham": "mus_nottingham/Nottingham.mat",
    "piano": "mus_piano_midi/Piano_midi.mat",
}


def read(name: str) -> list[list[np.ndarray]]:
    """Read the training, the validation and the test part."""
    told = loadmat(DATA / FILES[name])
    return [list(told[part][0]) for part in ("traindata", "validdata", "testdata")]


def main() -> None:
    """Print a row for each set and seed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--sets", nargs="+", choices=FILES, default=["jsb", "nottingham"])
    options = parser.parse_args()
    torch.set_num_threads(1)
    print(f"{'loss of a frame':36}   valid    test   steps     s")
    for name in options.sets:
        train, valid, test = read(name)
        kept, part = (from_arrays(each).stream for each in (train, test))
        for model, likelihood in of_flags(kept, part).items():
            print(f"{f'{name}, {model}':44}{-likelihood:8.3f}", flush=True)
        for seed in options.seeds:
            begun = time.perf_counter()
            model = NextStep(seed=seed).fit(train, validation=valid)
            took = time.perf_counter() - begun
            losses = f"{-model.score(valid):8.3f}{-model.score(test):8.3f}"
            best = f"{model.log_.best_step:8d}{took:6.0f}"
            print(f"{f'{name}, NextStep, seed {seed}':36}{losses}{best}", flush=True)


if __name__ == "__main__":
    main()
