"""Recordings are distorted in training only, and padding stays silent."""

import torch

from recurra.models.speech.distortion import Distortion


def test_in_evaluation_nothing_is_done():
    x, lengths = torch.randn(2, 9, 4), torch.tensor([9, 5])
    values, now = Distortion().eval()(x, lengths)
    assert values is x
    assert now is lengths


def test_time_is_stretched_and_pressed_within_the_share():
    torch.manual_seed(0)
    lengths = torch.full((200,), 100)
    values, now = Distortion(0.2, 0.0, 10**9, masks=0)(torch.ones(200, 100, 3), lengths)
    assert 80 <= now.min() < 90
    assert 110 < now.max() <= 120
    assert values.shape == (200, int(now.max()), 3)


def test_a_stretched_line_is_the_same_line():
    torch.manual_seed(1)
    line = torch.linspace(0, 1, 50)[None, :, None].repeat(4, 1, 1)
    values, now = Distortion(0.3, 0.0, 10**9, masks=0)(line, torch.full((4,), 50))
    for each, count in zip(values, now.tolist(), strict=True):
        assert torch.allclose(each[:count, 0], torch.linspace(0, 1, count), atol=1e-5)
        assert not each[count:].any()


def test_masks_hide_whole_steps_and_whole_channels():
    torch.manual_seed(2)
    ones, lengths = torch.ones(300, 100, 8), torch.full((300,), 100)
    hidden = Distortion(0.0, 0.0, every=20, steps=4, masks=1, channels=0.25)(ones, lengths)[0] == 0
    steps, channels = hidden.all(2), hidden.all(1)
    assert torch.equal(hidden, steps[..., None] | channels[:, None])
    assert channels.sum(1).max() == 2
    assert channels.sum(1).min() == 0
    assert 0.09 < steps.float().mean() < 0.13  # a twentieth times 2.5 steps, some of them twice


def test_a_mask_of_time_is_no_longer_than_told_however_long_the_record():
    torch.manual_seed(6)
    ones, lengths = torch.ones(1, 5000, 2), torch.tensor([5000])
    hidden = Distortion(0.0, 0.0, every=500, steps=5, masks=0)(ones, lengths)[0][0, :, 0] == 0
    edges = torch.nn.functional.pad(hidden.int(), (1, 1)).diff()
    widths = (edges == -1).nonzero() - (edges == 1).nonzero()
    assert 3 <= len(widths) <= 20
    assert widths.max() <= 9  # two may meet


def test_records_without_steps_and_of_one_pass():
    torch.manual_seed(3)
    for _ in range(20):
        values, now = Distortion(0.9)(torch.ones(3, 2, 4), torch.tensor([0, 1, 2]))
        assert now[0] == 0
        assert 1 <= now[1] <= 2
        assert 1 <= now[2] <= 4
        assert not values[0].any()
        assert values.isfinite().all()
    assert Distortion()(torch.ones(2, 0, 4), torch.tensor([0, 0]))[0].shape == (2, 0, 4)


def test_what_stands_in_padding_is_never_read():
    x, lengths = torch.ones(2, 30, 3), torch.tensor([30, 12])
    x[1, 12:] = torch.nan
    torch.manual_seed(4)
    assert Distortion()(x, lengths)[0].isfinite().all()


def test_loudness_and_colour_change_alike_at_all_steps_of_a_record():
    torch.manual_seed(5)
    values, _ = Distortion(0.0, 0.5, 10**9, masks=0)(torch.zeros(400, 6, 9), torch.full((400,), 6))
    assert torch.equal(values[:, :1].expand_as(values), values)
    assert torch.allclose(values.diff(dim=2, n=2), torch.zeros(()), atol=1e-5)
    middle, tilt = values[:, 0, 4], values[:, 0, -1] - values[:, 0, 4]
    assert 0.4 < middle.std() < 0.6
    assert 0.4 < tilt.std() < 0.6
