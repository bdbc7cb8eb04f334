"""Which networks are tried: different ones first, then more of the best, none of them twice."""

from __future__ import annotations

from itertools import islice

import numpy as np

from recurra import Training
from recurra.tuning.auto_candidates import Candidates
from recurra.tuning.auto_treatments import TREATMENTS
from recurra.tuning.auto_trial import Trial, alike


def tried(n: int, series: int, layers: tuple[str, ...] = ("lstm", "gru")) -> list[Trial]:
    """Try networks of which a logarithm is good, and more units are better."""
    candidates = Candidates(layers, TREATMENTS, {}, Training(steps=5), (12, series), seed=7)
    trials: list[Trial] = []
    for member in islice(candidates.propose(trials), n):
        cost = 2.0 - (member.treatment == "log") - member.model.hidden_size / 1000
        trials.append(Trial(member, cost, {}, np.inf, 1.0, 0.1, "whole"))
    return trials


def test_every_treatment_is_tried_first_then_other_layers_with_the_best() -> None:
    first = [(each.member.treatment, each.member.model.layer) for each in tried(6, 100)]
    assert [treatment for treatment, _ in first[:4]] == [
        "adjusted, log",
        "adjusted",
        "log",
        "as it is",
    ]
    assert {layer for _, layer in first[:4]} == {"lstm"}
    assert first[4] == ("log", "gru")
    assert first[5][1] == "gru"


def test_no_network_is_tried_twice() -> None:
    for series in (3, 100):
        trials = tried(40, series)
        told = {repr(each.member.model) + each.member.treatment for each in trials}
        assert len(told) == 40
        usual = 0.2 if series == 3 else 0.0
        assert all(each.member.model.dropout != usual for each in trials)


def test_the_best_come_again_from_other_seeds() -> None:
    trials = tried(30, 100)
    seeds = [each.member.model.seed for each in trials]
    assert seeds[:12] == [7] * 12
    assert set(seeds[12:]) == {8, 9, 10}
    assert all(each.member.treatment == "log" for each in trials[12:18])
    assert trials[12].member.model.hidden_size == 128
    largest = next(group for group in alike(trials) if 12 in group)
    assert len(largest) == 4


def test_what_failed_is_alike_to_nothing() -> None:
    trials = tried(2, 100)
    failed = Trial(trials[0].member, np.inf, {}, np.inf, 1.0, 0.0, "failed", "It failed.")
    assert alike([failed, trials[1]]) == [[1]]
