from dataclasses import replace

import numpy as np
import pytest
import torch

from recurra.explaining import Explanations, explain

pytest.importorskip("matplotlib")


def random(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def drawn(question, *how, **more):
    figure = explain(question, *how, checks=False, **more).plot()
    figure.draw_without_rendering()
    return figure


def linear(**streams):
    return lambda **values: sum(each.sum((1, 2)) for each in values.values())


def test_several_channels_make_a_map_with_sums_and_values(Asked):
    figure = drawn(Asked(linear(), x=random(60, 5)))
    steps, _, cells, channels, values, _ = figure.axes
    assert cells.images[0].get_array().shape == (5, 60, 4)
    assert [each.get_text() for each in cells.get_yticklabels()] == ["x0", "x1", "x2", "x3", "x4"]
    assert len(steps.patches) == 60
    assert len(channels.patches) == 5
    assert len(values.lines) == 3
    assert figure.get_suptitle().startswith("the answer: ")


def test_what_raises_the_answer_has_another_colour_than_what_lowers_it(Asked):
    figure = drawn(Asked(linear(), x=torch.tensor([[1.0, 0.0], [-1.0, 0.0]])))
    cells = figure.axes[2].images[0].get_array()
    assert cells[0, 0, 0] > cells[0, 0, 2]
    assert cells[0, 1, 0] < cells[0, 1, 2]
    assert (cells[1, :, 3] == 0).all()


def test_one_channel_is_a_line_on_its_colours(Asked):
    (axis,) = drawn(Asked(linear(), x=random(30, 1))).axes
    assert axis.images[0].get_array().shape == (1, 30, 4)
    assert axis.lines[0].get_ydata().shape == (30,)


def test_channels_taken_together_are_bars(Asked):
    (axis,) = drawn(Asked(linear(), x=random(30, 4)), "occlusion", "window", 7).axes
    assert len(axis.patches) == 30
    assert len({round(each.get_height(), 6) for each in axis.patches}) == 5


def test_channels_alone_are_bars_with_their_names(Asked):
    (axis,) = drawn(Asked(linear(), x=random(30, 4)), "occlusion", "channel").axes
    assert {each.get_text() for each in axis.get_yticklabels()} == {"x0", "x1", "x2", "x3"}


def test_a_text_keeps_its_words_in_lines(Asked):
    words = ("what", "$5", "a", "b\n", " ", "extraordinarily-long-words") * 20
    figure = drawn(Asked(linear(), x=random(120, 4), columns=("token",) * 4, steps=words))
    (axis,) = figure.axes
    texts = [each.get_text() for each in axis.texts]
    assert len(texts) == 120
    assert texts[:5] == ["what", r"\$5", "a", "b↵", "␣"]
    rows = [each.get_position()[1] for each in axis.texts]
    assert rows == sorted(rows)
    assert rows[-1] > 5
    right = figure.get_window_extent().x1
    assert all(each.get_window_extent().x1 <= right for each in axis.texts)


def test_a_long_text_says_what_is_left_out(Asked):
    words = tuple(f"w{k}" for k in range(400))
    figure = drawn(Asked(linear(), x=random(400, 1), steps=words))
    assert len(figure.axes[0].texts) == 300
    assert "100 more tokens are not drawn." in {
        each.get_text() for part in figure.subfigs for each in part.texts
    } | {part.get_supxlabel() for part in figure.subfigs}


def test_each_stream_has_its_name(Asked):
    figure = drawn(Asked(linear(), pulse=random(9, 1), notes=random(9, 3)))
    assert [part.get_suptitle() for part in figure.subfigs] == ["pulse", "notes"]


def test_values_that_are_not_there_leave_the_map_alone(Asked):
    question = Asked(linear(), x=random(9, 3))
    read = question.reads["x"]
    question.reads["x"] = type(read)(read.values, read.baseline, read.columns, read.steps)
    assert len(drawn(question).axes) == 4
    one = Asked(linear(), x=random(9, 1))
    one.reads["x"].shown[:] = np.nan
    assert len(drawn(one).axes[0].patches) == 9


def test_one_step_or_none_can_be_drawn(Asked):
    drawn(Asked(linear(), x=random(1, 3)))
    drawn(Asked(lambda x, y: x.sum((1, 2)), x=random(3, 1), y=random(0, 2)))


def heard(Asked, **more):
    question = Asked(linear(), audio=random(50, 12), columns=tuple(f"{k}00 Hz" for k in range(12)))
    read = question.reads["audio"]
    marks = ((10, "a"), (30, " "))
    question.reads["audio"] = replace(read, marks=marks, **more)
    return question


def test_a_recording_is_a_spectrogram_with_its_scores_and_letters(Asked):
    figure = drawn(heard(Asked))
    steps, _, cells, bands = figure.axes
    assert cells.images[0].get_array().shape == (12, 50, 3)
    assert [each.get_text() for each in steps.texts] == ["a", "␣"]
    assert [each.get_position()[0] for each in steps.texts] == [10, 30]
    assert len(steps.patches) == 50
    assert len(bands.patches) == 12
    assert cells.get_xlabel() == "seconds"
    quiet = drawn(heard(Asked, shown=None)).axes[2]
    assert quiet.get_xlabel() == ""


def test_a_recording_can_be_drawn_by_bands_and_by_windows(Asked):
    steps, _, cells, bands = drawn(heard(Asked), "occlusion", "channel").axes
    assert (len(steps.patches), len(bands.patches)) == (0, 12)
    steps, _, cells, bands = drawn(heard(Asked), "occlusion", "window", 7).axes
    assert (len(steps.patches), len(bands.patches)) == (50, 0)
    grey = cells.images[0].get_array()
    assert (grey[..., 0] == grey[..., 2]).all()


def test_letters_that_no_font_has_are_called_by_their_places(Asked):
    question = Asked(linear(), x=random(4, 1), steps=("a", "\U000f1234", "好b", "c"))
    question.asked = "log odds of '\U000f1234'"
    with pytest.warns(match="no font of this machine"):
        figure = drawn(question)
    texts = [each.get_text() for each in figure.axes[0].texts]
    assert texts[:2] == ["a", "#1"]
    assert texts[2] in ("#2", "好b")
    assert figure.get_suptitle().startswith("log odds of 'U+F1234 '")


def test_names_that_look_like_formulas_are_written_as_they_are(Asked):
    question = Asked(linear(), x=random(5, 2), columns=(r"$\bad$", "b"))
    question.asked = r"log odds of '$\bad$'"
    drawn(question)
    one = explain(question, checks=False)
    Explanations({1: one, 2: one}, "h").plot().draw_without_rendering()


def test_a_text_of_one_word_is_a_text(Asked):
    (axis,) = drawn(Asked(linear(), x=random(1, 1), steps=("good",))).axes
    assert [each.get_text() for each in axis.texts] == ["good"]


def test_a_line_far_from_zero_is_not_flattened(Asked):
    question = Asked(linear(), x=random(30, 1))
    question.reads["x"].shown[:] += 1000.0
    (axis,) = drawn(question).axes
    assert axis.get_ylim()[0] > 990


def test_values_below_several_answers_are_told_apart(Asked):
    question = Asked(linear(), x=random(20, 3))
    question.reads["x"].shown[:, 1] = np.nan
    one = explain(question, checks=False)
    figure = Explanations({1: one, 2: one}, "h").plot()
    figure.draw_without_rendering()
    values = figure.axes[1]
    assert [each.get_text() for each in values.get_legend().texts] == ["x0", "x2"]
    assert len({line.get_linestyle() for line in values.lines}) == 2


def test_a_lonely_value_of_one_channel_is_dotted(Asked):
    question = Asked(linear(), x=random(300, 1))
    question.reads["x"].shown[::2] = np.nan
    (axis,) = drawn(question).axes
    assert axis.lines[0].get_marker() == "o"


def test_no_font_is_looked_for_where_matplotlib_has_all_signs(Asked, recwarn):
    drawn(Asked(linear(), x=random(3, 1), steps=("naïve", "Ω", "→")))
    assert not recwarn.list


def under(axis, x, y=0.0):
    """What an axis says is under a pointer."""
    return vars(axis)["format_coord"](x, y)


def test_a_map_says_the_step_the_channel_the_score_and_the_value(Asked):
    values = torch.tensor([[1.0, 0.0], [-2.0, 3.0], [0.0, 0.5]])
    strip, _, cells, *_ = drawn(Asked(linear(), x=values)).axes
    assert under(cells, 1.2, 0.9) == "x1, step 1, score 3, value 3"
    assert under(strip, 0.8) == "step 1, score 1"
    assert under(cells, 3.0, 0.0) == under(cells, 0.0, 2.0) == under(strip, -1.0) == ""


def test_a_line_says_the_score_and_the_value(Asked):
    (axis,) = drawn(Asked(linear(), x=torch.tensor([[1.0], [-2.0], [0.5]]))).axes
    assert under(axis, 1.0, 7.0) == "step 1, score -2, value -2"


def test_a_text_says_the_score_of_a_word(Asked):
    words = ("a", "good", "film")
    question = Asked(linear(), x=torch.eye(3), columns=("token",) * 3, steps=words)
    (axis,) = drawn(question).axes
    begun, row = axis.texts[1].get_position()
    assert under(axis, begun, row) == under(axis, begun + 1.0, row + 0.3) == "good, score 1"
    assert under(axis, -1.0) == ""
