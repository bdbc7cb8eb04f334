"""Diagnoses of several networks that answer together."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from recurra.auditing.phrases import plural
from recurra.errors import OptionError, near

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from recurra.diagnosing.diagnosis import Diagnosis
    from recurra.diagnosing.finding import Finding

__all__ = ["Diagnoses"]


class Diagnoses(Mapping[str, "Diagnosis"]):
    """Diagnoses of several networks, each by the name of its network.

    Parameters
    ----------
    of : str
        What they are networks of: ``"AutoForecaster"``.
    found : dict of str to Diagnosis
        One for each network, in order.
    """

    def __init__(self, of: str, found: Mapping[str, Diagnosis]) -> None:
        self.of, self._found = of, dict(found)

    def __getitem__(self, key: str) -> Diagnosis:
        if key not in self._found:
            raise OptionError(f"There is no network {key!r}. {near(str(key), self._found)}")
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong with any network."""
        return all(each.healthy for each in self._found.values())

    @property
    def illnesses(self) -> tuple[str, ...]:
        """The codes of what is wrong with any network, each once."""
        codes = (code for each in self._found.values() for code in each.illnesses)
        return tuple(dict.fromkeys(codes))

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all networks, one network after the other."""
        return tuple(finding for each in self._found.values() for finding in each.findings)

    def to_frame(self) -> pd.DataFrame:
        """Give the findings as a table.

        Returns
        -------
        pandas.DataFrame
            As that of `Diagnosis.to_frame`, for one network after the other, whose names come
            first.
        """
        import pandas as pd

        parts = [each.to_frame() for each in self._found.values()]
        for name, part in zip(self._found, parts, strict=True):
            part.insert(0, "network", name)
        return pd.concat(parts, ignore_index=True)

    def plot(self, network: str | None = None) -> Figure:
        """Draw the page of small pictures of one network.

        Parameters
        ----------
        network : str, optional
            Which; by default the first that is not well, or the first.

        Returns
        -------
        matplotlib.figure.Figure
            Save it with ``figure.savefig("diagnosis.png")``.

        Raises
        ------
        MissingExtraError
            If matplotlib is not installed.
        OptionError
            If there is no such network.
        """
        from recurra.diagnosing.pictures import draw

        ill = [name for name, each in self._found.items() if not each.healthy]
        name = network if network is not None else (ill or [*self._found])[0]
        chosen = self[name]
        return draw(chosen.measures, f"{name}: {chosen.state}")

    def show(self) -> None:
        """Print the diagnoses."""
        sys.stdout.write(f"{self}\n")

    def __repr__(self) -> str:
        return f"Diagnoses({self._head()})"

    def __str__(self) -> str:
        lines = [self._head()]
        for name, each in self._found.items():
            lines.append(f"{name}: {each.state}")
            lines += [f"  {finding.level}: {finding}" for finding in each.findings]
        return "\n".join(lines)

    def _head(self) -> str:
        ill = sum(not each.healthy for each in self._found.values())
        told = f"{ill} not well" if ill else "healthy"
        return f"{self.of}: {plural(len(self), 'network')}, {told}"
