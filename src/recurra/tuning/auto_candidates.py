"""Which networks are tried, one after the other: first different ones, then more of the best."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from recurra.estimators import Forecaster
from recurra.estimators.forecasting.forecast_defaults import default_dropout
from recurra.tuning.auto_members import NetworkMember

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from recurra.training import Training
    from recurra.tuning.auto_trial import Trial

__all__ = ["Candidates"]

BEST_FIRST = ("adjusted, log", "adjusted", "log", "as it is")
SHAPES: tuple[dict[str, Any], ...] = (
    {"num_layers": 2},
    {"distribution": "gaussian"},
    {"hidden_size": 32},
    {"dropout": None},  # where there usually is some none, and some where there is none
    {"hidden_size": 128},
    {"training.batch_size": 256},
)
AGAIN = 6  # configurations, of which more are made by chance


class Candidates:
    """Proposes networks.

    Parameters
    ----------
    layers : sequence of str
        Recurrent layers.
    treatments : sequence of str
        Those that the series can have.
    common : dict of str
        Options of `Forecaster` that all have.
    training : Training
        How to train.
    sizes : tuple of (int, int)
        Steps in a season, and how many series there are.
    seed : int
        Of the first; others count on from there.
    """

    def __init__(
        self,
        layers: Sequence[str],
        treatments: Sequence[str],
        common: dict[str, Any],
        training: Training,
        sizes: tuple[int, int],
        seed: int,
    ) -> None:
        self.layers, self.common, self.training = layers, common, training
        self.treatments = [each for each in BEST_FIRST if each in treatments]
        self.season, self.seed = sizes[0], seed
        self.dropout = 0.0 if default_dropout(sizes[1]) else 0.2

    def propose(self, trials: Sequence[Trial]) -> Iterator[NetworkMember]:
        """Propose one after the other, each in the light of what came of those before.

        Parameters
        ----------
        trials : sequence of Trial
            What was tried; it grows while candidates are asked for.

        Yields
        ------
        NetworkMember
            Not fitted.
        """
        for treatment in self.treatments:
            yield self.make(treatment, {"layer": self.layers[0]})
        for layer in self.layers[1:]:
            for treatment in _best(trials, 2, of="treatment"):
                yield self.make(treatment, {"layer": layer})
        for shape in SHAPES:
            first = _best(trials, 1)[0]
            other = {"dropout": self.dropout} if "dropout" in shape else shape
            yield self.make(first.treatment, {"layer": first.changes["layer"], **other})
        more = 0
        while True:
            more += 1
            for each in _best(trials, AGAIN):
                yield self.make(each.treatment, {**each.changes, "seed": self.seed + more})

    def make(self, treatment: str, changes: dict[str, Any]) -> NetworkMember:
        """Make a network that is not fitted.

        Parameters
        ----------
        treatment : str
            What is done to the series.
        changes : dict of str
            Options of its own; of its training as ``"training.batch_size"``.

        Returns
        -------
        NetworkMember
            It.
        """
        own = {name: each for name, each in changes.items() if "." not in name}
        nested = {name.partition(".")[2]: each for name, each in changes.items() if "." in name}
        options = {"seed": self.seed, **self.common, **own}
        model = Forecaster(**options, training=replace(self.training, **nested))
        return NetworkMember(model, treatment, self.season, changes)


def _best(trials: Sequence[Trial], n: int, of: str | None = None) -> list[Any]:
    """The best networks of the first seed, or what they have, each once."""
    networks = [
        each
        for each in trials
        if isinstance(each.member, NetworkMember) and "seed" not in each.member.changes
    ]
    networks.sort(key=lambda each: each.cost)  # equal ones stay in their order
    found: list[Any] = []
    for each in networks:
        value = each.member if of is None else getattr(each.member, of)
        if value not in found:
            found.append(value)
    return found[:n]
