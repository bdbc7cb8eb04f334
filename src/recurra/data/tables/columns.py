"""Which column of a long table plays which role."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from recurra.errors import OptionError

__all__ = ["Columns"]


@dataclass(frozen=True)
class Columns:
    """The names of the columns of a long table, by role.

    Parameters
    ----------
    id : str
        Says which series a row belongs to.
    time : str
        The time stamp: integers, timestamps or dates.
    target : str
        The value to be foretold.
    past : sequence of str
        Covariates known up to the present only.
    future : sequence of str
        Covariates known in advance, for the stamps to be foretold too.
    static : sequence of str
        Covariates that hold for a whole series.

    Examples
    --------
    >>> Columns(target="sales", future=["price"]).names
    ('unique_id', 'ds', 'sales', 'price')
    """

    id: str = "unique_id"
    time: str = "ds"
    target: str = "y"
    past: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for role in ("past", "future", "static"):
            names = getattr(self, role)
            if isinstance(names, str):
                message = f"{role}={names!r} is one name, but a list of names is read"
                raise OptionError(f"{message}. Use {role}=[{names!r}].")
            object.__setattr__(self, role, tuple(names))
        odd = [name for name in self.names if not isinstance(name, str) or not name]
        if odd:
            raise OptionError(f"A column name is text, but here it is {odd[0]!r}.")
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            message = f"Column {twice[0]!r} has {Counter(self.names)[twice[0]]} roles"
            raise OptionError(f"{message}, but a column plays one. Name it in one role only.")

    @property
    def names(self) -> tuple[str, ...]:
        """All names: identifier, time, target, then the covariates."""
        return (self.id, self.time, self.target, *self.covariates)

    @property
    def covariates(self) -> tuple[str, ...]:
        """The names of the past, future and static covariates, in this order."""
        return (*self.past, *self.future, *self.static)
