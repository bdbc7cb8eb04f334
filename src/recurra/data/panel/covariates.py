"""Covariates as the numbers a network reads: fitted on what it may see, then only applied.

Numbers are brought to mean 0 and deviation 1; categories become codes, of which 0 is kept for
what was not there at the fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

import numpy as np

from recurra.data.offsets import place_of
from recurra.data.panel.panel import Panel
from recurra.data.tables.notes import tell
from recurra.errors import DataError, NotFittedError
from recurra.types import Array, Integers, Reals

__all__ = ["CovariateEncoder", "Encoded"]


ROLES = ("past", "future", "static")


class Encoded(NamedTuple):
    """Covariates as numbers.

    Parameters
    ----------
    real : ndarray of float32, shape (rows, real columns)
        Standardised numbers.
    codes : ndarray of int64, shape (rows, categorical columns)
        From 0, the unknown, up to the column's cardinality less one.
    """

    real: Reals
    codes: Integers


@dataclass(frozen=True)
class RealColumn:
    """How one column of numbers is standardised: ``(x - mean) / scale``.

    Parameters
    ----------
    mean, scale : float
        Of the values at the fit; the scale of a constant is 1.
    """

    mean: float
    scale: float


@dataclass(frozen=True)
class CategoryColumn:
    """How one column of categories is coded: the n-th level gets code n + 1.

    Parameters
    ----------
    levels : tuple of str or None
        The levels at the fit; None is a level where cells were empty.
    """

    levels: tuple[str | None, ...]


@dataclass
class CovariateEncoder:
    """Turns covariates into numbers, as learnt from the training part alone.

    Attributes
    ----------
    fitted : dict of str to dict
        What was learnt of each column, by role and name.

    Examples
    --------
    >>> import pandas as pd
    >>> from recurra.data import Columns, from_frame
    >>> frame = pd.DataFrame({"unique_id": "a", "ds": [1, 2, 3], "y": [0.0, 1.0, 2.0],
    ...                       "price": [1.0, 3.0, 5.0], "shop": ["x", "y", "x"]})
    >>> dataset = from_frame(frame, Columns(past=["price", "shop"]))
    >>> encoder = CovariateEncoder().fit(dataset)
    >>> encoder.past(dataset).real.ravel().round(2)
    array([-1.22, 0. , 1.22], dtype=float32)
    >>> encoder.past(dataset).codes.ravel(), encoder.cardinalities["past"]
    (array([1, 2, 1]), (3,))
    """

    fitted: dict[str, dict[str, RealColumn | CategoryColumn]] = field(default_factory=dict)

    def fit(self, dataset: Panel) -> CovariateEncoder:
        """Learn the means, the scales and the levels.

        Parameters
        ----------
        dataset : Panel
            The training part, and nothing else.

        Returns
        -------
        CovariateEncoder
            Itself.
        """
        constant = []
        for role in ROLES:
            self.fitted[role] = {}
            for name, values in getattr(dataset, role).items():
                if values.dtype.kind == "f":
                    _check_known(dataset, role, name, values)
                    if (values == values[0]).all():
                        constant.append(name)
                self.fitted[role][name] = _fit_column(values)
        if constant:
            tell(f"Constant covariates tell nothing and are 0 throughout: {', '.join(constant)}.")
        return self

    def past(self, dataset: Panel) -> Encoded:
        """Encode the past covariates.

        Parameters
        ----------
        dataset : Panel
            Any part of the data.

        Returns
        -------
        Encoded
            One row for every step.
        """
        return self._encode(dataset, "past", len(dataset.times))

    def future(self, dataset: Panel) -> Encoded:
        """Encode the future covariates, of the past steps or of a `future_frame`.

        Parameters
        ----------
        dataset : Panel
            Any part of the data.

        Returns
        -------
        Encoded
            One row for every step.
        """
        return self._encode(dataset, "future", len(dataset.times))

    def static(self, dataset: Panel) -> Encoded:
        """Encode the static covariates.

        Parameters
        ----------
        dataset : Panel
            Any part of the data.

        Returns
        -------
        Encoded
            One row for every record.
        """
        return self._encode(dataset, "static", len(dataset))

    @property
    def widths(self) -> dict[str, tuple[int, int]]:
        """How many real and how many categorical columns each role has."""
        kinds = {role: list(map(type, self._of(role).values())) for role in ROLES}
        return {
            role: (found.count(RealColumn), found.count(CategoryColumn))
            for role, found in kinds.items()
        }

    @property
    def cardinalities(self) -> dict[str, tuple[int, ...]]:
        """How many codes each categorical column of a role may hold, the unknown included."""
        return {
            role: tuple(
                len(one.levels) + 1
                for one in self._of(role).values()
                if isinstance(one, CategoryColumn)
            )
            for role in ROLES
        }

    def to_dict(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Write down what was learnt, as JSON can hold it.

        Returns
        -------
        dict
            For `from_dict`: by role and name, a mean and a scale, or levels.
        """
        return {role: {name: asdict(one) for name, one in self._of(role).items()} for role in ROLES}

    @classmethod
    def from_dict(cls, state: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> CovariateEncoder:
        """Take up again what `to_dict` wrote down.

        Parameters
        ----------
        state : dict
            What `to_dict` gave, be it through JSON.

        Returns
        -------
        CovariateEncoder
            As it was.
        """

        def read(one: Mapping[str, Any]) -> RealColumn | CategoryColumn:
            if "levels" in one:
                return CategoryColumn(tuple(one["levels"]))
            return RealColumn(float(one["mean"]), float(one["scale"]))

        return cls({role: {name: read(one) for name, one in state[role].items()} for role in ROLES})

    def _of(self, role: str) -> dict[str, RealColumn | CategoryColumn]:
        """Give what was learnt of one role."""
        if role not in self.fitted:
            raise NotFittedError("The covariates are not fitted yet. Call fit(train) first.")
        return self.fitted[role]

    def _encode(self, dataset: Panel, role: str, rows: int) -> Encoded:
        """Encode the columns of one role."""
        real, codes, unknown = [], [], []
        for name, fitted in self._of(role).items():
            values = getattr(dataset, role)[name]
            _check_kind(name, fitted, values)
            if isinstance(fitted, RealColumn):
                _check_known(dataset, role, name, values)
                real.append((values - fitted.mean) / fitted.scale)
            else:
                codes.append(_codes(fitted, values))
                count = int((codes[-1] == 0).sum())
                unknown += [f"{count} in {name!r}"] if count else []
        if unknown:
            said = "Categories that were not there at the fit are taken as unknown"
            tell(f"{said}: {', '.join(unknown)}.")
        return Encoded(_stacked(real, rows, np.float32), _stacked(codes, rows, np.int64))


def _fit_column(values: Array) -> RealColumn | CategoryColumn:
    """Learn one column."""
    if values.dtype.kind == "f":
        deviation = float(values.std())
        varies = deviation > 1e-12 * float(np.abs(values).max(initial=0.0))
        return RealColumn(float(values.mean()), deviation if varies else 1.0)
    cells = set(values.tolist())
    levels = sorted(str(cell) for cell in cells if cell is not None)
    return CategoryColumn((*levels, None) if None in cells else tuple(levels))


def _codes(fitted: CategoryColumn, values: Array) -> Integers:
    """Code one column of categories."""
    code = {level: n + 1 for n, level in enumerate(fitted.levels)}
    cells = values.tolist()
    names = cells if values.dtype == object else map(str, cells)
    return np.fromiter((code.get(name, 0) for name in names), np.int64, len(cells))


def _stacked(columns: list[Array], rows: int, dtype: type) -> Array:
    """Put columns side by side."""
    return np.stack(columns, axis=1).astype(dtype) if columns else np.empty((rows, 0), dtype)


def _check_kind(name: str, fitted: RealColumn | CategoryColumn, values: Array) -> None:
    """Refuse a column that holds something else than at the fit."""
    was, now = isinstance(fitted, RealColumn), values.dtype.kind == "f"
    if was != now:
        names = {True: "numbers", False: "categories"}
        raise DataError(
            f"The column held {names[was]} at the fit, but holds {names[now]} now",
            code="other_type",
            column=name,
            hint="Give it as it was given to fit.",
        )


def _check_known(dataset: Panel, role: str, name: str, values: Array) -> None:
    """Refuse numbers that are missing or infinite."""
    odd = np.flatnonzero(~np.isfinite(values))
    if not odd.size:
        return
    row = int(odd[0])
    if role == "static":
        record, when = dataset.ids[row], ""
    else:
        record = dataset.ids[place_of(dataset.offsets, row)[0]]
        when = f" at {dataset.clock.show(int(dataset.times[row]))}"
    missing = np.isnan(values[row])
    raise DataError(
        f"A covariate is {'missing' if missing else 'infinite'}{when}, but it must be known",
        code="missing_covariate" if missing else "infinite",
        record=record,
        row=row,
        column=name,
        hint="Fill it in, such as with frame.ffill(), or leave the column out.",
    )
