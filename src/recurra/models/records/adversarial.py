"""Training on records as they are, and on the same moved a little in the worst direction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from recurra.models.records.encoders import Encoded
from recurra.models.records.network_plan import NetworkPlan
from recurra.models.records.records import RecordBatch
from recurra.models.records.sequence_network import SequenceNetwork

__all__ = ["Adversarial"]

TINY = 1e-12


class Adversarial(nn.Module):
    r"""Adds to the loss of each record that of the record as it is hardest nearby.

    .. math:: L = \ell(e) + \ell\Bigl(e + \epsilon \frac{g}{\lVert g \rVert}\Bigr),
              \qquad g = \frac{\partial \ell(e)}{\partial e}

    with the loss :math:`\ell` of a record of which the encoders give the steps :math:`e`, all units
    of all steps together. Words that mean alike come to lie where they can take each other's place;
    which helps most where there are many words and few texts. A step of training costs twice as
    much, answers nothing more.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    length : float
        :math:`\epsilon`, how far a record is moved.

    References
    ----------
    T. Miyato, A. Dai, I. Goodfellow 2017, Adversarial training methods for semi-supervised text
    classification, arXiv:1605.07725.
    """

    def __init__(self, network: SequenceNetwork, length: float) -> None:
        super().__init__()
        self.network = network
        self.length = length

    @property
    def plan(self) -> NetworkPlan:
        """How the network is built."""
        return self.network.plan

    def forward(self, batch: RecordBatch) -> dict[str, Tensor]:
        """Answer as the network does.

        Parameters
        ----------
        batch : RecordBatch
            Some records.

        Returns
        -------
        dict of str to Tensor
            By target.
        """
        answers: dict[str, Tensor] = self.network(batch)
        return answers

    def loss(self, batch: RecordBatch, state: None = None) -> tuple[Tensor, Tensor, None]:
        """Add up the losses of records as they are, and, while training, as they are hardest.

        Parameters
        ----------
        batch : RecordBatch
            Some records, with targets.
        state : None
            There is none between batches.

        Returns
        -------
        total : Tensor
            The sum.
        count : Tensor
            How many targets were counted.
        state : None
            None.
        """
        if not self.training:
            return self.network.loss(batch, state)
        chance, origins = torch.get_rng_state(), []

        def watched(_module: nn.Module, _inputs: Any, encoded: Encoded) -> Encoded:
            origins.append(torch.zeros_like(encoded.values, requires_grad=True))
            return encoded._replace(values=encoded.values + origins[-1])

        with self._encoders_followed_by(watched):
            total, count, _ = self.network.loss(batch)
        moves = [self._move(g) for g in torch.autograd.grad(total, origins, retain_graph=True)]

        def moved(_module: nn.Module, _inputs: Any, encoded: Encoded) -> Encoded:
            return encoded._replace(values=encoded.values + moves.pop(0))

        torch.set_rng_state(chance)  # what is dropped stays the same
        with self._encoders_followed_by(moved):
            hardest, _, _ = self.network.loss(batch)
        return total + hardest, 2 * count, None

    def _move(self, slope: Tensor) -> Tensor:
        """Give the step that raises the loss of each record the most."""
        steep = torch.linalg.vector_norm(slope.flatten(1), dim=1).clamp(min=TINY)
        return self.length * slope / steep.view(-1, *[1] * (slope.dim() - 1))

    @contextmanager
    def _encoders_followed_by(self, change: Callable[..., Encoded]) -> Iterator[None]:
        hooks = [each.register_forward_hook(change) for each in self.network.encoders]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()
