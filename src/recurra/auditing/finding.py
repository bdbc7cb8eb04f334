"""What the audit says: one finding, one sentence, and the numbers behind it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Generic, Literal, Protocol, Self, TypeVar, get_args

from recurra.data import treatments
from recurra.data.treatments import Treatment
from recurra.errors import OptionError

__all__ = ["LEVELS", "Finding", "Found", "Level", "read_treatment", "written_treatment"]

Level = Literal["warning", "advice", "note"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""The worst first: wrong or untrustworthy; better done; good to know."""


class Coded(Protocol):
    """A finding of any room: what it is called, and how bad it is."""

    @property
    def code(self) -> str:
        """A short stable name, for programs."""

    @property
    def level(self) -> Level:
        """How bad it is."""


F = TypeVar("F", bound=Coded)


class Found(Generic[F]):
    """What was found, the worst first: an audit of data, a diagnosis of a network."""

    findings: tuple[F, ...]

    @property
    def warnings(self) -> tuple[F, ...]:
        """The findings that are warnings."""
        return tuple(each for each in self.findings if each.level == "warning")

    def of(self, code: str) -> tuple[F, ...]:
        """Pick the findings of one code.

        Parameters
        ----------
        code : str
            Such as ``"repeated_stamps"``.

        Returns
        -------
        tuple of Finding
            None or more.
        """
        return tuple(each for each in self.findings if each.code == code)

    def show(self) -> None:
        """Print it."""
        sys.stdout.write(f"{self}\n")


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Parameters
    ----------
    code : str
        A short stable name, for programs: ``"repeated_stamps"``.
    level : {"warning", "advice", "note"}
        How bad it is.
    sentence : str
        For people: what was found, and what to do about it.
    stream : str, optional
        Where; ``"static"`` for static covariates, None for the whole data set or a target.
    channels : tuple of str
        Which channels of it.
    numbers : dict of str
        What was counted and measured, as JSON can hold it.
    treatment : Treatment, optional
        What the recommended preprocessor does about it.

    Examples
    --------
    >>> Finding("constant", "advice", "'x' is always 3.", "x", ("x",)).level
    'advice'
    """

    code: str
    level: Level
    sentence: str
    stream: str | None = None
    channels: tuple[str, ...] = ()
    numbers: Mapping[str, Any] = field(default_factory=dict)
    treatment: Treatment | None = None

    def __post_init__(self) -> None:
        """Refuse a level that is none."""
        if self.level not in LEVELS:
            raise OptionError(f"level={self.level!r}, but it is one of {LEVELS}.")

    def to_dict(self) -> dict[str, Any]:
        """Write the finding as JSON can hold it.

        Returns
        -------
        dict of str
            With a key for each parameter.
        """
        return {
            "code": self.code,
            "level": self.level,
            "sentence": self.sentence,
            "stream": self.stream,
            "channels": list(self.channels),
            "numbers": dict(self.numbers),
            "treatment": None if self.treatment is None else written_treatment(self.treatment),
        }

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Self:
        """Read a finding again.

        Parameters
        ----------
        written : dict of str
            What `to_dict` returned.

        Returns
        -------
        Finding
            The same.
        """
        treatment = written["treatment"]
        return cls(
            written["code"],
            written["level"],
            written["sentence"],
            written["stream"],
            tuple(written["channels"]),
            dict(written["numbers"]),
            None if treatment is None else read_treatment(treatment),
        )


def written_treatment(treatment: Treatment) -> dict[str, Any]:
    """Write a treatment and its options as JSON can hold them.

    Parameters
    ----------
    treatment : Treatment
        Any of `recurra.data.treatments`.

    Returns
    -------
    dict of str
        Its ``kind`` and its ``options``.

    Examples
    --------
    >>> read_treatment(written_treatment(treatments.Drop(["a"])))
    Drop(channels=('a',))
    """
    options = {key: _plain(value) for key, value in asdict(treatment).items()}
    return {"kind": type(treatment).__name__, "options": options}


def read_treatment(written: Mapping[str, Any]) -> Treatment:
    """Read a treatment again.

    Parameters
    ----------
    written : dict of str
        What `written_treatment` returned.

    Returns
    -------
    Treatment
        The same.
    """
    kind = getattr(treatments, str(written["kind"]), None)
    if not (isinstance(kind, type) and issubclass(kind, Treatment)):
        message = f"There is no treatment {written['kind']!r}"
        raise OptionError(f"{message}. Use the version that wrote it.")
    options = written["options"].items()
    made: Treatment = kind(**{k: tuple(v) if isinstance(v, list) else v for k, v in options})
    return made


def _plain(value: Any) -> Any:
    """Write lists for tuples, as JSON does."""
    return list(value) if isinstance(value, tuple) else value
