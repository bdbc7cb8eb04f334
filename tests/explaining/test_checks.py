import numpy as np
import pytest
import torch

from recurra.explaining import Deletion, explain
from recurra.explaining.checks import rank_correlation


@pytest.fixture
def sparse(Asked):
    def made(sign=1.0):
        weights = torch.zeros(50, 1)
        weights[[7, 30]] = 3.0 * sign
        return Asked(lambda x: (weights * x).sum((1, 2)), x=torch.ones(50, 1))

    return made


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_without_the_highest_parts_the_answer_goes_faster_than_by_chance(sign, sparse):
    found = explain(sparse(sign), "occlusion").checks.deletion
    assert found.answers[0] == 6.0 * sign
    assert found.answers[1] == found.answers[-1] == 0.0
    assert found.area < 0.1 < 0.3 < found.random_area
    text = f"without the 5 highest of 50 parts the answer goes from {6 * sign:g} to 0; without as"
    assert str(found).startswith(text)


def test_a_curve_of_few_parts_has_a_point_for_each(Asked):
    question = Asked(lambda x: x.sum((1, 2)), x=torch.tensor([[1.0], [2.0]]))
    found = explain(question, "occlusion").checks.deletion
    assert found.counts.tolist() == [0, 1, 2]
    assert found.answers.tolist() == [3.0, 1.0, 0.0]
    assert str(found).startswith("without the highest of 2 parts the answer goes from 3 to 1")


def test_the_area_is_the_share_of_the_way_that_is_left():
    found = Deletion(np.arange(3), np.array([4.0, 1.0, 0.0]), np.array([4.0, 2.0, 0.0]))
    assert found.area == pytest.approx(1.25 / 3)
    assert found.random_area == pytest.approx(0.5)
    assert np.isnan(Deletion(np.arange(2), np.ones(2), np.ones(2)).area)


def test_ranks_are_compared_by_size_where_there_is_a_score():
    chance = np.random.default_rng(0)
    scores = chance.normal(size=200)
    assert rank_correlation(scores, -3 * scores) == pytest.approx(1.0)
    assert abs(rank_correlation(scores, chance.normal(size=200))) < 0.2
    half = np.where(np.arange(200) < 100, 0.0, scores)
    other = np.where(np.arange(200) < 100, 0.0, chance.normal(size=200))
    assert abs(rank_correlation(half, other)) < 0.3  # what is nothing by any network does not count
    assert np.isnan(rank_correlation(np.ones(9), np.ones(9)))
    assert np.isnan(rank_correlation(np.ones(20), scores[:20]))


def test_random_weights_destroy_what_a_network_had_learned(sparse):
    why = explain(sparse(), "occlusion")
    assert abs(why.checks.randomised) < 0.5
    assert "random weights: rank correlation" in str(why)


def test_what_any_network_says_is_called_so(Asked):
    x = torch.linspace(0, 1, 50)[:, None] ** 8
    question = Asked(lambda x: x.sum((1, 2)), x=x)
    assert explain(question).checks.randomised > 0.7
    assert "much of this is the record, not what was learned" in str(explain(question))


def test_only_methods_that_promise_to_add_up_are_held_to_it(sparse):
    assert explain(sparse(), "occlusion").checks.completeness is None
    assert "completeness" not in str(explain(sparse(), "occlusion"))
    assert explain(sparse()).checks.completeness < 0.005
    assert "completeness: the scores add up to the change of the answer" in str(explain(sparse()))


def test_the_seed_says_which_orders_are_random(sparse):
    first, again, other = (explain(sparse(), seed=seed).checks.deletion for seed in (0, 0, 1))
    assert np.array_equal(first.random, again.random)
    assert not np.array_equal(first.random, other.random)


def test_nothing_is_checked_where_that_is_not_wanted(sparse):
    question = sparse()
    assert explain(question, "occlusion", checks=False).checks is None
    assert sum(question.seen) == 2 + 50
