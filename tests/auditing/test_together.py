"""Channels that go missing together are found."""

from __future__ import annotations

import numpy as np
import pytest

from recurra.auditing.together import find_groups, repeated_stamps
from recurra.errors import ShapeError


def masks(*shares, rows=2000):
    rng = np.random.default_rng(0)
    return [rng.random(rows) >= share for share in shares]


def test_whole_steps_are_told_from_single_channels():
    one, two = masks(0.2, 0.2)
    whole = find_groups(np.stack([one, one, one], axis=1))
    assert (whole.pattern, whole.groups) == ("whole steps", ((0, 1, 2),))
    apart = find_groups(np.stack([one, two], axis=1))
    assert (apart.pattern, apart.groups) == ("channel-wise", ())
    assert find_groups(np.ones((5, 2), bool)).pattern == "complete"


def test_groups_are_found_though_not_quite_alike():
    one, two, three = masks(0.3, 0.3, 0.05)
    near = one ^ (np.random.default_rng(1).random(2000) < 0.03)
    found = find_groups(np.stack([one, two, near, two, three, np.ones(2000, bool)], axis=1))
    assert found.groups == ((0, 2), (1, 3))
    assert found.sentence.startswith("channels go missing in groups (0, 2; 1, 3): ")


def test_one_channel_is_no_group():
    assert find_groups(masks(0.5)[0][:, None]).pattern == "channel-wise"
    with pytest.raises(ShapeError, match=r"\(rows, channels\)"):
        find_groups(np.ones(3, bool))


def test_a_stamp_is_repeated_only_within_its_record():
    assert repeated_stamps([3, 1, 3, 3], [0, 3, 4]) == 0.25
    assert repeated_stamps(np.array([], float), [0]) == 0.0
