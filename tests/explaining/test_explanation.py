import numpy as np
import pytest
import torch

from recurra.errors import OptionError
from recurra.explaining import Explanation, Part, explain

VALUES = torch.tensor([[0.0, 1.0], [-5.0, 0.0], [2.0, 0.5], [0.25, 0.0]])


@pytest.fixture
def asked(Asked):
    columns = ("heat", "rain")
    return lambda **more: Asked(lambda x: x.sum((1, 2)), x=VALUES, columns=columns, **more)


def test_the_largest_parts_come_first_whatever_their_sign(asked):
    why = explain(asked(), checks=False)
    assert [(each.step, round(each.score, 6)) for each in why.top(2)] == [(1, -5.0), (2, 2.5)]
    cells = explain(asked(), by="step and channel", checks=False).top(2)
    assert [each[1:3] for each in cells] == [(1, "heat"), (2, "heat")]
    assert len(why.top(99)) == 4


def test_steps_and_channels_have_sums(asked):
    why = explain(asked(), checks=False)
    assert np.allclose(why.by_step(), VALUES.sum(1))
    assert np.allclose(why.by_channel("x"), VALUES.sum(0))


def test_windows_share_their_score_among_their_steps(asked):
    why = explain(asked(), "occlusion", "window", 3, checks=False)
    assert np.allclose(why.by_step(), [-0.5, -0.5, -0.5, 0.25])
    assert why.top(1) == [Part("x", (0, 2), None, -1.5, 0)]
    assert [line.split("  ")[1] for line in str(why).split("\n")[3:]] == ["0 … 2", "3"]


def test_what_was_not_told_apart_is_refused_with_advice(Asked, asked):
    with pytest.raises(OptionError, match="Use by='step' for steps"):
        explain(asked(), "occlusion", "channel", checks=False).by_step()
    with pytest.raises(OptionError, match="by='channel' or by='step and channel' for channels"):
        explain(asked(), "occlusion", checks=False).by_channel()
    with pytest.raises(OptionError, match="There is no stream 'y'"):
        explain(asked(), checks=False).by_step("y")
    two = Asked(lambda x, y: x.sum((1, 2)), x=VALUES, y=VALUES)
    with pytest.raises(OptionError, match="Of which stream"):
        explain(two, checks=False).by_step()


@pytest.mark.parametrize(
    ("method", "by", "window", "rows"),
    [
        ("auto", "step", None, 8),
        ("occlusion", "step", None, 4),
        ("occlusion", "channel", None, 2),
        ("occlusion", "window", 3, 2),
        ("occlusion", "step and channel", None, 8),
    ],
)
def test_the_table_has_all_scores(method, by, window, rows, asked):
    why = explain(asked(), method, by, window, checks=False)
    frame = why.to_frame()
    assert len(frame) == rows
    assert frame["score"].sum() == pytest.approx(-1.25)
    assert ("last" in frame) == (by == "window")
    if by == "window":
        assert frame[["step", "last"]].to_numpy().tolist() == [[0, 2], [3, 3]]


def test_it_is_printed_to_be_read(asked):
    why = explain(asked(steps=("Monday", "Tuesday", "Wednesday", "Thursday")), checks=False)
    assert str(why).split("\n") == [
        "the answer: -1.25",
        "  where nothing is known: 0",
        "by integrated gradients, the largest of 4 steps",
        "  Tuesday       -5  ████████████████",
        "  Wednesday   +2.5  ████████",
        "  Monday        +1  ███",
        "  Thursday   +0.25  █",
        "the largest of 2 channels",
        "  heat  -2.75  ████████████████",
        "  rain   +1.5  █████████",
    ]
    assert repr(why) == "Explanation(the answer: -1.25, by integrated gradients)"


def test_moments_are_written_as_far_as_they_go(asked):
    days = tuple(np.array(["2024-05-01", "2024-05-02T06:30"] * 2, "M8[ns]"))
    text = str(explain(asked(steps=days), checks=False))
    assert "  2024-05-02 06:30:00  " in text
    assert "  2024-05-01           " in text


def test_an_explanation_cannot_be_changed(asked):
    why = explain(asked(), checks=False)
    assert isinstance(why, Explanation)
    with pytest.raises(AttributeError):
        why.answer = 0.0
