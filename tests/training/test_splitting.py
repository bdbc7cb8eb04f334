"""Batches in parts: what is learned from all rows at once, and from some after the others."""

import numpy as np
import pandas as pd
import pytest
import torch

from recurra import Forecaster
from recurra.estimators.forecasting import forecaster
from recurra.estimators.learning import learner
from recurra.testing.estimator_cases import CASES
from recurra.training import Training
from recurra.training.flat import add_gradients, flatten


class Met(Exception):  # noqa: N818 - it is no error
    """What a network was to learn from."""


def first_of(module, monkeypatch, fit):
    """The network that an estimator trains, and its first batch."""

    def meet(network, batches, *_given, **_named):
        raise Met(network, next(batches))

    monkeypatch.setattr(module, "train", meet)
    with pytest.raises(Met) as caught:
        fit()
    network, batch = caught.value.args
    return network.eval(), batch


def gradient_of(network, parts):
    flat = flatten(network)
    found = [add_gradients(network, part) for part in parts]
    total, count = (sum(each[k] for each in found) for k in (0, 1))
    return total, count, torch.cat(flat.gradients).clone()


def halves_are_the_whole(network, batch):
    half = len(batch) // 2
    whole = gradient_of(network, [batch])
    parts = gradient_of(network, [batch.rows(0, half), batch.rows(half, len(batch))])
    assert len(batch) > half > 0
    assert whole[1] == parts[1]
    np.testing.assert_allclose(parts[0], whole[0], rtol=1e-6)
    np.testing.assert_allclose(parts[2], whole[2], atol=3e-6 * float(whole[2].abs().max()))


@pytest.mark.parametrize("name", CASES)
def test_what_half_a_batch_teaches_and_the_other_half_is_what_all_of_it_does(name, monkeypatch):
    case = CASES[name]()
    network, batch = first_of(learner, monkeypatch, lambda: case.estimator.fit(case.X, case.y))
    halves_are_the_whole(network, batch)


def test_so_it_is_with_windows_of_series(monkeypatch):
    stamps = pd.date_range("2024-01-01", periods=60, freq="D")
    values = np.sin(np.arange(60.0)) + 0.01 * np.arange(60)
    df = pd.DataFrame({"unique_id": "a", "ds": stamps, "y": values})
    model = Forecaster(training=Training(steps=1))
    halves_are_the_whole(*first_of(forecaster, monkeypatch, lambda: model.fit(df)))


def test_records_of_records_keep_their_own(monkeypatch):
    chance = np.random.default_rng(0)
    texts = [" ".join(chance.choice(["ab", "cde", "f"], 1 + k % 5)) for k in range(40)]
    tags = [["x"] * len(text.split()) for text in texts]
    tags[0] = ["y"] * len(tags[0])
    model = CASES["Tagger"]().estimator
    words = [text.split() for text in texts]
    network, batch = first_of(learner, monkeypatch, lambda: model.fit(words, tags))
    assert any(stream.inner is not None for stream in batch.streams.values())
    halves_are_the_whole(network, batch)
