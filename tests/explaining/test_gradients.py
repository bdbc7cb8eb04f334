import numpy as np
import pytest
import torch

from recurra.explaining import explain, regions
from recurra.explaining.gradients import gradients, miss

BOTH = ("integrated gradients", "gradient x input")


def random(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("method", BOTH)
def test_a_linear_answer_gives_each_value_its_weight_times_its_distance(method, Asked):
    x, weights, base = random(6, 3), random(6, 3, seed=1), random(6, 3, seed=2)
    question = Asked(lambda x: (weights * x).sum((1, 2)), x=x, baseline={"x": base})
    scores = explain(question, method, checks=False).scores["x"]
    assert np.allclose(scores, weights * (x - base), atol=1e-5)


@pytest.mark.parametrize("method", BOTH)
def test_the_columns_of_a_channel_are_added_up(method, Asked):
    x = random(4, 3)
    question = Asked(lambda x: x.sum((1, 2)), x=x, columns=("a", "b", "a"))
    why = explain(question, method, checks=False)
    wanted = np.column_stack([x[:, 0] + x[:, 2], x[:, 1]])
    assert np.allclose(why.scores["x"], wanted, atol=1e-6)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("steps", [1, 40])
def test_integrated_gradients_add_up_to_the_change_of_the_answer(seed, steps, Asked, Recurrent):
    network = Recurrent(3, seed=seed)
    why = explain(Asked(network, x=3 * random(steps, 3, seed=seed)), checks=False)
    assert miss(why.scores, why.answer - why.baseline) <= 0.005


def test_they_add_up_where_the_answer_has_a_jump_in_its_slope(Asked):
    question = Asked(lambda x: torch.relu(x.sum((1, 2)) - 0.77) * 10, x=torch.ones(1, 1))
    why = explain(question, checks=False)
    assert why.scores["x"].sum() == pytest.approx(2.3, rel=0.005)


def test_points_are_only_spent_where_they_are_needed(Asked):
    smooth = Asked(lambda x: (x**3).sum((1, 2)), x=random(5, 2))
    explain(smooth, checks=False)
    kinked = Asked(lambda x: torch.relu(x.sum((1, 2)) - 0.77), x=torch.ones(1, 1))
    explain(kinked, checks=False)
    assert sum(smooth.seen) < 30 < sum(kinked.seen) < 400


def test_an_answer_that_never_adds_up_ends_all_the_same(Asked):
    question = Asked(
        lambda x: (x > 0.3).double().sum((1, 2)) + 0 * x.sum((1, 2)), x=torch.ones(2, 1)
    )
    why = explain(question)
    assert np.abs(why.scores["x"]).max() == 0
    assert why.checks.completeness == 1.0
    assert "but for 100 %: too much to trust small scores" in str(why)


def test_small_batches_give_the_same_scores(monkeypatch, Asked, Recurrent):
    network, x = Recurrent(3), random(20, 3)
    whole = explain(Asked(network, x=x), checks=False).scores["x"]
    monkeypatch.setattr(regions, "MOST_CELLS", 1)
    alone = Asked(network, x=x)
    scores = explain(alone, checks=False).scores["x"]
    assert max(alone.seen[1:]) == 1
    assert np.allclose(scores, whole, atol=1e-6)


def test_gradients_are_those_of_small_differences(Asked, Recurrent):
    network, x = Recurrent(3).double(), random(7, 3).double()
    question = Asked(network, x=x)
    slopes = gradients(question, {"x": x[None]})["x"][0]
    step = 1e-6
    for t, k in [(0, 0), (3, 1), (6, 2)]:
        moved = x.repeat(2, 1, 1)
        moved[0, t, k] += step
        moved[1, t, k] -= step
        with torch.no_grad():
            above, below = question.answer({"x": moved})
        assert float(slopes[t, k]) == pytest.approx(float(above - below) / (2 * step), abs=1e-7)


def test_a_stream_that_is_not_read_scores_nothing(Asked):
    question = Asked(lambda x, y: x.sum((1, 2)), x=random(3, 1), y=random(3, 1))
    assert not explain(question, checks=False).scores["y"].any()


def test_what_is_missed_is_a_share_of_the_change_or_of_a_tenth_of_all_scores():
    assert miss({"x": np.array([[3.0], [1.0]])}, 5.0) == pytest.approx(0.2)
    assert miss({"x": np.array([[50.0], [-50.0]])}, 0.1) == pytest.approx(0.01)
    assert miss({"x": np.zeros((2, 1))}, 0.0) == 0.0
