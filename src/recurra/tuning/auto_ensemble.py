"""A weighted average of networks and baselines that stands at the end of series."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recurra.estimators.forecasting.forecast_checks import checked_levels
from recurra.tuning.auto_members import NetworkMember
from recurra.tuning.auto_selection import limited

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from recurra.data import Panel
    from recurra.tuning.auto_members import BaselineMember
    from recurra.types import Floats

__all__ = ["Ensemble"]


@dataclass(eq=False)
class Ensemble:
    """Averages the forecasts of its members.

    Parameters
    ----------
    members : list of BaselineMember or NetworkMember
        Those that have a weight, and the leader.
    weights : list of float
        They sum to 1.
    leader : int
        The member whose intervals are taken: a network.
    reach : float
        How far beyond the past forecasts may go; see `recurra.tuning.auto_selection`.
    """

    members: list[BaselineMember | NetworkMember]
    weights: list[float]
    leader: int
    reach: float

    def __post_init__(self) -> None:
        """Calibrate no intervals but the leader's."""
        for place, each in enumerate(self.members):
            if isinstance(each, NetworkMember) and place != self.leader:
                each.model._uncalibrated = None

    @property
    def lead(self) -> NetworkMember:
        """The network whose intervals are taken."""
        member = self.members[self.leader]
        assert isinstance(member, NetworkMember)
        return member

    def stand(self, panel: Panel) -> None:
        """Read series to their end.

        Parameters
        ----------
        panel : Panel
            The series, from their first values on.
        """
        for each in self.members:
            each.stand(panel)
        self.panel = panel

    def forecast(self, coming: Panel, level: Sequence[float] | None, name: str) -> dict[str, Any]:
        """Forecast from there.

        Parameters
        ----------
        coming : Panel
            The steps to forecast, with their covariates.
        level : sequence of float or None
            Coverage of the intervals, in percent.
        name : str
            What the columns are called.

        Returns
        -------
        dict of str to ndarray
            The columns.
        """
        levels = checked_levels(level)
        point = self.point(coming)
        columns = {name: point.ravel()}
        widths = self.lead.interval(coming, levels) if levels else {}
        for one, (down, up) in widths.items():
            columns[f"{name}-lo-{one:g}"] = (point - down).ravel()
            columns[f"{name}-hi-{one:g}"] = (point + up).ravel()
        return columns

    def point(self, coming: Panel) -> Floats:
        """Average the members.

        Parameters
        ----------
        coming : Panel
            The steps to forecast, with their covariates.

        Returns
        -------
        ndarray, shape (series, h)
            The forecast.
        """
        return self._averaged(self.panel, lambda each: each.point(coming))

    def after(self, panel: Panel, coming: Panel) -> Floats:
        """Average what the members forecast after other series, and stay.

        Parameters
        ----------
        panel : Panel
            The series, from their first values on.
        coming : Panel
            The steps to forecast, with their covariates.

        Returns
        -------
        ndarray, shape (series, h)
            The forecast.
        """
        return self._averaged(panel, lambda each: each.after(panel, coming))

    def networks(self) -> dict[str, NetworkMember]:
        """Name the networks.

        Returns
        -------
        dict of str to NetworkMember
            The greatest weight first; last one that has none, where only its intervals are taken.
            Those that differ by chance alone are told apart by their seeds.
        """
        order = sorted(range(len(self.members)), key=lambda k: -self.weights[k])
        found = [
            each for each in (self.members[k] for k in order) if isinstance(each, NetworkMember)
        ]
        alike = Counter(map(_named, found))
        return {
            f"{_named(each)}, seed {each.model.seed}"
            if alike[_named(each)] > 1
            else _named(each): each
            for each in found
        }

    def _averaged(
        self, panel: Panel, said: Callable[[BaselineMember | NetworkMember], Floats]
    ) -> Floats:
        """Average what members say of series, each kept near the past."""
        total: Any = 0.0
        for each, weight in zip(self.members, self.weights, strict=True):
            if weight:
                total = total + weight * limited(said(each), panel, self.reach)
        return total


def _named(member: NetworkMember) -> str:
    """Call a network by its layer, its treatment and its options, but for the seed."""
    told = [each for each in member.told.split("; ") if not each.startswith("seed=")]
    return f"{member.name} ({'; '.join(told)})"
