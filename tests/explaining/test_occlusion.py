import numpy as np
import pytest
import torch

from recurra.errors import OptionError
from recurra.explaining import explain, regions


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def occluded(question, by="step", window=None):
    return explain(question, "occlusion", by, window, checks=False)


def test_a_linear_answer_loses_what_each_part_adds(Asked):
    x = random(5, 2)
    question = Asked(lambda x: x.sum((1, 2)), x=x)
    wanted = {
        ("step", None): x.sum(1, keepdim=True),
        ("channel", None): x.sum(0, keepdim=True),
        ("window", 2): torch.stack([x[:2].sum(), x[2:4].sum(), x[4:].sum()])[:, None],
        ("step and channel", None): x,
    }
    for (by, window), scores in wanted.items():
        assert np.allclose(occluded(question, by, window).scores["x"], scores, atol=1e-6), by


def test_a_channel_goes_with_all_its_columns(Asked):
    x = random(4, 3)
    question = Asked(lambda x: x.sum((1, 2)), x=x, columns=("a", "b", "a"))
    scores = occluded(question, "channel").scores["x"]
    assert np.allclose(scores, [[float(x[:, [0, 2]].sum()), float(x[:, 1].sum())]], atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_what_is_taken_away_wholly_leaves_the_answer_of_the_baseline(seed, Asked, Recurrent):
    question = Asked(Recurrent(3, seed=seed), x=random(9, 3), baseline={"x": random(9, 3, seed=7)})
    why = occluded(question, "window", 9)
    assert why.scores["x"].shape == (1, 1)
    assert why.scores["x"].item() == pytest.approx(why.answer - why.baseline, abs=1e-6)


def test_what_two_steps_say_alike_is_lost_only_with_both(Asked):
    question = Asked(lambda x: x.amax((1, 2)), x=torch.tensor([[0.0], [1.0], [1.0]]))
    assert not occluded(question).scores["x"].any()
    assert occluded(question, "window", 3).scores["x"].item() == 1.0


def test_streams_are_taken_away_one_at_a_time(Asked):
    x, y = random(3, 1), random(5, 2)
    question = Asked(lambda x, y: x.sum((1, 2)) * 2 + y.sum((1, 2)), x=x, y=y)
    why = occluded(question)
    assert np.allclose(why.scores["x"], 2 * x, atol=1e-6)
    assert np.allclose(why.scores["y"], y.sum(1, keepdim=True), atol=1e-6)


def test_small_batches_give_the_same_scores(monkeypatch, Asked, Recurrent):
    network, x = Recurrent(3), random(20, 3)
    whole = occluded(Asked(network, x=x)).scores["x"]
    monkeypatch.setattr(regions, "MOST_CELLS", 64 * 20 * 3)
    some = Asked(network, x=x)
    assert np.allclose(occluded(some).scores["x"], whole, atol=1e-6)
    assert max(some.seen) == 3


def test_a_faster_way_is_taken_where_there_is_one(Asked):
    class Fast(Asked):
        def occluded_steps(self, stream):
            return torch.full((4,), 0.25) if stream == "x" else None

    x, y = torch.ones(4, 1), torch.ones(3, 1)
    question = Fast(lambda x, y: x.sum((1, 2)) + y.sum((1, 2)), x=x, y=y)
    scores = occluded(question).scores
    assert scores["x"].ravel().tolist() == [6.75] * 4
    assert scores["y"].ravel().tolist() == [1.0] * 3
    assert sum(question.seen) == 2 + 3
    assert occluded(question, "window", 1).scores["x"].ravel().tolist() == [1.0] * 4


def test_a_stream_without_steps_has_no_scores(Asked):
    question = Asked(lambda x, y: x.sum((1, 2)), x=torch.ones(2, 1), y=torch.ones(0, 2))
    for by in ("step", "channel", "step and channel"):
        assert occluded(question, by).scores["y"].size == 0


@pytest.mark.parametrize(
    ("by", "window", "said"),
    [
        ("stpe", None, "by='stpe' is no part of a record. Did you mean 'step'?"),
        ("window", None, "give window=, in steps"),
        ("window", 9, "window=9, but the record has 4 steps"),
        ("window", 0, "window"),
        ("step", 2, "window=2 goes with by='window'"),
    ],
)
def test_what_cannot_be_taken_away_is_refused(by, window, said, Asked):
    with pytest.raises(OptionError, match=said):
        occluded(Asked(lambda x: x.sum((1, 2)), x=torch.ones(4, 1)), by, window)
