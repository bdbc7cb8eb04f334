import numpy as np
import pytest
import torch

from recurra.errors import OptionError
from recurra.explaining import Explanations, explain


@pytest.fixture
def several(Asked):
    values = torch.tensor([[1.0, 0.0], [2.0, 1.0], [0.5, 3.0]])

    def one(sign):
        question = Asked(lambda x: sign * (x.sum((1, 2)) + x[:, 1, 0]), x=values)
        return explain(question, "occlusion", "step and channel", checks=False)

    return Explanations({"up": one(1.0), "down": one(-1.0)}, "answer")


def test_several_explanations_are_a_mapping(several):
    assert [*several] == ["up", "down"]
    assert len(several) == 2
    assert several["down"].answer == -9.5
    with pytest.raises(OptionError, match="answer='left' was not explained, but 'up', 'down'"):
        several["left"]


def test_their_scores_come_in_rows(several):
    assert several.by_step().tolist() == [[1.0, 5.0, 3.5], [-1.0, -5.0, -3.5]]
    assert several.by_channel("x").tolist() == [[5.5, 4.0], [-5.5, -4.0]]
    frame = several.to_frame()
    assert frame.columns.tolist() == ["answer", "stream", "step", "channel", "score"]
    assert frame["answer"].tolist() == ["up"] * 6 + ["down"] * 6
    assert frame["score"].sum() == 0


def test_they_are_told_in_a_table(several):
    lines = str(several).splitlines()
    assert lines[:2] == ["the answer, and 1 more", "by occlusion"]
    assert " ".join(lines[2].split()) == "answer answer nothing known largest score of 'x'"
    assert " ".join(lines[3].split()) == "up 9.5 0 1 x0 (+4)"
    assert " ".join(lines[4].split()).endswith("1 x0 (-4)")
    assert repr(several) == "Explanations(answer = up, down)"


def test_they_are_drawn_in_rows_each_in_its_own_strength(several):
    pytest.importorskip("matplotlib")
    figure = several.plot()
    rows, values = figure.axes
    assert [each.get_text() for each in rows.get_yticklabels()] == ["up", "down"]
    colours = rows.images[0].get_array()
    assert colours.shape == (2, 3, 4)
    assert (colours[0, :, 0] > colours[0, :, 2]).all()  # orange
    assert (colours[1, :, 0] < colours[1, :, 2]).all()  # blue
    assert len(values.lines) == 2


def test_of_slopes_the_picture_says_so(Asked):
    pytest.importorskip("matplotlib")
    question = Asked(lambda x: x.sum((1, 2)), x=torch.ones(40, 1))
    slopes = explain(question, "gradient", checks=False)
    assert "rises with what is orange" in Explanations({1: slopes}, "h").plot().get_supxlabel()
    assert slopes.plot().get_supxlabel().endswith("by gradient.")


def test_what_is_long_past_is_not_drawn(Asked):
    pytest.importorskip("matplotlib")
    weights = torch.from_numpy(np.arange(100) >= 90).float()[:, None]
    question = Asked(lambda x: (weights * x).sum((1, 2)), x=torch.ones(100, 1))
    figure = Explanations({1: explain(question, checks=False)}, "h").plot()
    assert figure.axes[0].get_xlim() == (88.5, 99.5)
    assert "score less than 5 % of the largest" in figure.get_supxlabel()
