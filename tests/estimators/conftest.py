"""Small forecasters and the series they are fitted on."""

from copy import deepcopy

import numpy as np
import pandas as pd
import pytest

from recurra import Forecaster, Training
from recurra.data import from_frame


def _series(name, values, stamps=None, **columns):
    """One series as a long frame."""
    stamps = range(len(values)) if stamps is None else stamps
    return pd.DataFrame({"unique_id": name, "ds": stamps, "y": values, **columns})


def _walks(number=4, steps=60, seed=0, holes=True):
    """Ragged random walks with holes; series k has 5 k steps more than the first."""
    random = np.random.default_rng(seed)
    parts = []
    for k in range(number):
        values = random.normal(size=steps + 5 * k).cumsum() + 3 * k
        if holes:
            values[20 + k : 23] = np.nan
        parts.append(_series(f"s{k}", values))
    return pd.concat(parts, ignore_index=True)


def _small(steps=25, **options):
    """A forecaster that is fitted in a blink."""
    training = {"steps": steps, "batch_size": 16, "warmup": 5, "check_every": 10, "progress": False}
    training |= options.pop("training", {})
    return Forecaster(**({"hidden_size": 8, "training": Training(**training)} | options))


def _reading(model, frame):
    """Return the same network standing at the end of a whole frame read at once."""
    model = deepcopy(model)
    model._state = model._engine.read(from_frame(frame, model.columns, freq=model.freq))
    return model


@pytest.fixture(scope="session")
def series():
    return _series


@pytest.fixture(scope="session")
def walks():
    return _walks


@pytest.fixture(scope="session")
def small():
    return _small


@pytest.fixture(scope="session")
def reading():
    return _reading


@pytest.fixture(scope="session")
def fitted():
    """A forecaster fitted on four walks; copy it before changing it."""
    return _small().fit(_walks())
