"""What pictures of a page say under a pointer, and where."""

import json
import re

import numpy as np
import pytest
from matplotlib.figure import Figure

from recurra.reporting import Picture, Section, as_page
from recurra.reporting.pointing import MOST, points_of


def drawn(draw, **size):
    figure = Figure(layout="constrained", **size)
    axis = figure.subplots()
    draw(axis)
    figure.draw_without_rendering()
    return axis, points_of(figure)


def texts(told):
    return [text for each in told for _, _, text in each["points"]]


def test_points_stand_where_they_are_drawn():
    _, (told,) = drawn(lambda axis: axis.plot([0, 1, 2], [5, 7, 6]))
    left, top, right, bottom = told["box"]
    assert 0 <= left < right <= 1
    assert 0 <= top < bottom <= 1
    (x0, y0, _), (x1, y1, _), (x2, y2, _) = told["points"]
    assert left < x0 < x1 < x2 < right
    assert top < y1 < y2 < y0 < bottom  # the higher the value, the nearer to the top
    assert x1 == pytest.approx((left + right) / 2, abs=1e-3)


def test_a_line_says_its_name_and_both_values_with_their_labels():
    def draw(axis):
        axis.plot([1, 2, 3], [0.5, 0.25, 0.125], label="loss of training")
        axis.set_xlabel("step")
        axis.set_ylabel("loss")

    _, told = drawn(draw)
    assert texts(told)[0] == "loss of training: step 1, loss 0.5"


def test_marks_that_hold_no_data_say_nothing():
    def draw(axis):
        axis.axhline(0.0)
        axis.axvline(1.0)
        axis.set_xlim(0, 2)

    assert drawn(draw)[1] == []


def test_what_is_not_finite_or_not_shown_says_nothing():
    def draw(axis):
        axis.plot([0, 1, 2, 3, 4], [1, np.nan, 1, 1, 1])
        axis.set_xlim(0, 3)

    assert len(texts(drawn(draw)[1])) == 3


def test_bars_are_told_by_their_names():
    def draw(axis):
        axis.barh([0, 1], [0.3, -0.1])
        axis.set_yticks([0, 1], ["12", r"cost in \$"])
        axis.set_xlabel("worse by")

    _, (told,) = drawn(draw)
    assert told["along"] == "y"
    assert texts([told]) == ["12, worse by 0.3", "cost in $, worse by -0.1"]


def test_dates_are_said_as_dates():
    days = np.array(["2024-01-01", "2024-01-02", "2024-01-03"], "datetime64[D]")
    _, told = drawn(lambda axis: axis.plot(days, [1.0, 2.0, 3.0]))
    assert [text.split(",")[0] for text in texts(told)] == [
        "2024-01-01",
        "2024-01-02",
        "2024-01-03",
    ]


def test_an_axis_that_can_speak_is_asked():
    def draw(axis):
        shades = np.zeros((2, 3, 4))
        shades[1, 2, 3], shades[0, 0, 3] = 1.0, 0.5
        axis.imshow(shades, extent=(-0.5, 2.5, 1.5, -0.5), aspect="auto")
        axis.format_coord = lambda x, y: f"step {x:.0f} of {'ab'[round(y)]}"

    _, told = drawn(draw)
    assert texts(told) == ["step 2 of b", "step 0 of a"]  # the strongest first, the clear not


def test_long_lines_are_thinned():
    _, told = drawn(lambda axis: axis.plot(np.arange(10 * MOST)))
    assert MOST / 2 < len(texts(told)) <= MOST


def test_a_page_carries_it_and_hostile_names_stay_text():
    figure = Figure()
    figure.subplots().plot([1, 2, 3], label="</script><b>x</b>")
    page = as_page("t", [], [Section("s", [Picture("p", figure, "c")])])
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert texts(json.loads(data))[0] == "</script><b>x</b>: 0, 1"
    assert "<b>" not in data
