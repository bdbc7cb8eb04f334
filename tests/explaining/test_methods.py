import numpy as np
import pytest
import torch

from recurra.errors import OptionError
from recurra.explaining import METHODS, explain

VALUES = torch.tensor([[1.0], [2.0], [0.5]])


WEIGHTS = {"x": torch.tensor([0.2, 0.7, 0.1])}


@pytest.fixture
def asked(Asked):
    return lambda **more: Asked(lambda x: x.sum((1, 2)), x=VALUES, **more)


def test_gradients_are_taken_where_they_tell(asked):
    assert explain(asked(), checks=False).method == "integrated gradients"
    assert explain(asked(smooth=False), checks=False).method == "occlusion"


def test_the_gradient_is_the_slope_whatever_the_value_and_the_largest_goes_first(Asked):
    weights = torch.tensor([[1.0], [-3.0], [2.0]])
    values = torch.tensor([[1.0], [0.0], [1.0]])
    why = explain(Asked(lambda x: (weights * x).sum((1, 2)), x=values), "gradient")
    assert why.by_step().tolist() == [1.0, -3.0, 2.0]
    assert [part.start for part in why.ranked()] == [1, 2, 0]
    assert why.checks.completeness is None
    assert why.checks.deletion.answers.tolist() == [3.0, 3.0, 1.0, 0.0]


@pytest.mark.parametrize("method", ["integrated gradients", "gradient x input", "gradient"])
def test_gradients_are_refused_where_they_do_not_tell(method, asked):
    with pytest.raises(OptionError, match=r"which has no gradient.*Use method='occlusion'"):
        explain(asked(smooth=False), method)


def test_a_method_that_there_is_not_is_named(asked):
    with pytest.raises(OptionError, match=r"There is no method 'occlusoin'. Did you mean 'occl"):
        explain(asked(), "occlusoin")


def test_what_reads_nothing_is_not_explained(Asked):
    nothing = Asked(lambda x: x.sum((1, 2)), x=torch.zeros(0, 2))
    for method, by in (("auto", "step"), ("occlusion", "channel")):
        with pytest.raises(OptionError, match="reads no step of this record"):
            explain(nothing, method, by)


def test_attention_is_the_weight_of_each_step(asked):
    why = explain(asked(attends=WEIGHTS), "attention")
    assert why.by_step().round(6).tolist() == [0.2, 0.7, 0.1]
    assert why.top(1)[0].step == 1
    with pytest.raises(OptionError, match=r"not by 'channel'. Use by='step'"):
        explain(asked(attends=WEIGHTS), "attention", "channel")


def test_attention_is_refused_where_there_is_none(asked):
    with pytest.raises(OptionError, match=r"does not attend to its steps\. Use method='occlusion'"):
        explain(asked(), "attention")


def test_all_methods_name_the_step_that_counts(asked):
    for method in set(METHODS) - {"gradient"}:  # which is the same for all terms of a sum
        why = explain(asked(attends=WEIGHTS), method)
        assert why.top(1)[0].step == 1, method
        assert np.isfinite(why.by_step()).all()
        assert (why.answer, why.baseline) == (3.5, 0.0)


def test_what_is_attended_to_most_is_taken_away_first_whether_it_raises_the_answer_or_not(Asked):
    for sign in (1, -1):
        question = Asked(lambda x, s=sign: s * x.sum((1, 2)), x=VALUES, attends=WEIGHTS)
        assert explain(question, "attention").checks.deletion.answers[1] == sign * 1.5
