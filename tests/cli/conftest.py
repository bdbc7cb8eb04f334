"""Small files, and the command line called in this process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from recurra.cli import main

QUICK = ("--steps", "3", "--hidden-size", "4")


class Answer(NamedTuple):
    """What the shell would see."""

    code: int
    out: str
    err: str


@pytest.fixture
def recurra(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    def call(*arguments: object) -> Answer:
        code = main([str(each) for each in arguments])
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return call


@pytest.fixture
def quick(recurra: Callable[..., Answer]) -> Callable[..., Answer]:
    """The same with a tiny network."""
    return lambda *arguments: recurra(*arguments, *QUICK)


def monthly(series: int = 2, months: int = 48) -> pd.DataFrame:
    """Series of a yearly season; ids have leading zeros."""
    t = np.arange(months)
    stamps = pd.date_range("2020-01-01", periods=months, freq="MS").strftime("%Y-%m-%d")
    parts = [
        pd.DataFrame(
            {"unique_id": f"00{one}", "ds": stamps, "y": 100 + one + 10 * np.sin(t * np.pi / 6)}
        )
        for one in range(series)
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture
def sales(tmp_path: Path) -> Path:
    """Two series, with the usual names."""
    path = tmp_path / "sales.csv"
    monthly().to_csv(path, index=False)
    return path


@pytest.fixture
def airline(tmp_path: Path) -> Path:
    """One series without an identifier."""
    path = tmp_path / "airline.csv"
    monthly(1).drop(columns="unique_id").to_csv(path, index=False)
    return path


@pytest.fixture
def shops(tmp_path: Path) -> tuple[Path, Path]:
    """A history with prices, and the prices to come."""
    table = monthly().assign(price=lambda frame: np.arange(len(frame)) % 5)
    month = table.groupby("unique_id").cumcount()
    history, coming = tmp_path / "shops.csv", tmp_path / "prices.csv"
    table[month < 44].to_csv(history, index=False)
    table[month >= 44].drop(columns="y").to_csv(coming, index=False)
    return history, coming
