"""Several values after one flag."""

from __future__ import annotations

import pytest

from recurra.cli.many import repeat_flags

SEVERAL = {"--level", "--layer", "--season-length", "--past"}


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("a.csv --level 80 95", "a.csv --level 80 --level 95"),
        ("--level 80 95 a.csv --h 3", "--level 80 --level 95 a.csv --h 3"),
        ("--level 80 --level 95", "--level 80 --level 95"),
        ("--level=80 97.5", "--level=80 --level 97.5"),
        ("--level -5 80", "--level -5 --level 80"),
        ("--level abc 80", "--level abc --level 80"),
        ("--layer lstm gru --h 3", "--layer lstm --layer gru --h 3"),
        ("--season-length 24 168 a.csv", "--season-length 24 --season-length 168 a.csv"),
        ("--past price promo", "--past price promo"),
        ("--h 3 80 95", "--h 3 80 95"),
        ("--level 80 a.csv 95", "--level 80 a.csv 95"),
        ("--level 80 -- 95", "--level 80 -- 95"),
        ("--level", "--level"),
        ("", ""),
    ],
)
def test_a_flag_is_put_before_each_of_its_values(given, read):
    assert repeat_flags(given.split(), SEVERAL) == read.split()


def test_a_flag_that_may_stand_once_is_left_alone():
    assert repeat_flags(["--layer", "lstm", "gru"], {"--level"}) == ["--layer", "lstm", "gru"]
