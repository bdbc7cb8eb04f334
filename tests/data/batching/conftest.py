import os
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[3]
DATA = Path(os.environ.get("RECURRA_DATA", ROOT.parent / "shared" / "data"))


def _lengths_of_ts(path):
    lines = [line for line in path.read_text().splitlines() if line and line[0] not in "#@"]
    return np.array([line.split(":")[0].count(",") + 1 for line in lines])


@pytest.fixture
def real_lengths():
    """Give the lengths of the records of a real data set, by name."""

    def read(name):
        if not (DATA / name).is_dir():
            pytest.skip(f"{DATA / name} is not there; RECURRA_DATA names the folder of real data")
        if name == "spk_fsdd_dev":
            with np.load(DATA / name / "fsdd_8k_int16.npz") as content:
                return np.diff(content["offsets"])
        return _lengths_of_ts(next((DATA / name).glob("*_TRAIN.ts")))

    return read
