"""Several losses at once: fixed weights, or weights learned from how uncertain each target is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn

from recurra.models.records.records import RecordBatch
from recurra.models.records.sequence_network import SequenceNetwork

__all__ = ["WeightedLosses"]


class WeightedLosses(nn.Module):
    r"""Trains a network on several targets, none of which may drown the others.

    .. math:: L = \sum_k w_k \bar L_k \quad\text{or}\quad
              L = \sum_k c_k e^{-s_k} \bar L_k + \tfrac12 s_k

    with the mean loss :math:`\bar L_k` of target k over all that is known of it in a batch, and a
    learned logarithm of a variance :math:`s_k`; :math:`c_k` is 1 for labels, 1/2 for numbers.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    weights : dict of str to float, or "uncertainty"
        The weight of each target, by name; or that they are learned.

    References
    ----------
    A. Kendall, Y. Gal, R. Cipolla 2018, Multi-task learning using uncertainty to weigh losses for
    scene geometry and semantics, arXiv:1705.07115.
    """

    def __init__(
        self, network: SequenceNetwork, weights: Mapping[str, float] | Literal["uncertainty"]
    ) -> None:
        super().__init__()
        self.network = network
        self.weights = None if isinstance(weights, str) else dict(weights)
        self.log_variances = nn.ParameterDict()
        if self.weights is None:
            names = network.plan.answers
            self.log_variances.update({name: nn.Parameter(torch.zeros(())) for name in names})

    def loss(
        self,
        batch: RecordBatch,
        state: None = None,  # noqa: ARG002 - the loop hands one to every model
    ) -> tuple[Tensor, Tensor, None]:
        """Add up the losses of all targets.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with targets.
        state : None
            There is none between batches.

        Returns
        -------
        total : Tensor
            The weighted sum of the mean losses, times the number of records.
        count : Tensor
            How many records there are.
        state : None
            None.
        """
        total = torch.zeros(())
        for name, (summed, known) in self.network.losses(batch).items():
            mean = summed / known.clamp(min=1)
            if self.weights is not None:
                total = total + self.weights[name] * mean
                continue
            sure = 1.0 if self.network.plan.answers[name].classes else 0.5
            spread = self.log_variances[name]
            total = total + sure * torch.exp(-spread) * mean + 0.5 * spread * (known > 0)
        records = len(next(iter(batch.targets.values())))
        return total * records, torch.tensor(records), None
