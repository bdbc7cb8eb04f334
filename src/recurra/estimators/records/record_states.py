"""What is shown of a `SequenceNetwork`: its states, and what its head reads of whole records."""

from __future__ import annotations

from abc import abstractmethod
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from recurra.data import SequenceDataset
from recurra.estimators.learning.record_batches import in_order
from recurra.estimators.learning.remembered import heard_states, in_place
from recurra.estimators.learning.supposed import Supposed
from recurra.models import SequenceNetwork

if TYPE_CHECKING:
    from recurra.types import Floats

__all__ = ["RecordStates"]


class RecordStates(Supposed):
    """Reads records by a `SequenceNetwork`."""

    network_: SequenceNetwork

    def _layers(self) -> tuple[str, ...]:
        return self.network_.reads

    def _states(self, dataset: SequenceDataset, layer: str) -> list[Floats]:
        network = self.network_
        heard = network.layers[network.reads.index(layer)]
        treated = self._treated_again(dataset)
        parts = (
            (places, heard_states(heard, partial(network, batch)))
            for places, batch in in_order(treated)
        )
        return in_place(len(treated), parts)

    def _remembered(self, dataset: SequenceDataset) -> Floats:
        """Give what the first head of whole records reads, where there is one."""
        from recurra.explaining.trajectories import heard

        network = self.network_
        answers = zip(network.heads, network.plan.answers.values(), strict=True)
        heads = [head for head, answer in answers if answer.level == "record"]
        if not heads:
            return super()._remembered(dataset)
        found = []
        for places, batch in in_order(self._treated_again(dataset)):
            with torch.no_grad():
                ((read, *_), _, _), *_ = heard(heads[0], partial(network, batch))
            found.append((places, read.double().numpy()))
        return np.stack(in_place(len(dataset), found))

    @abstractmethod
    def _treated_again(self, dataset: SequenceDataset) -> SequenceDataset:
        """Treat new records."""
