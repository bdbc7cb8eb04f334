"""Weights that are kept while others move: the best so far, and the mean of the last."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from recurra.training.options import Training

__all__ = ["Average", "Best"]


class Best:
    """The weights with the lowest validation loss so far.

    Parameters
    ----------
    options : Training
        Says how long to wait for better ones.
    """

    def __init__(self, options: Training) -> None:
        checks = float("inf") if options.patience is None else options.patience
        self.patience = checks * options.check_every
        self.loss, self.step, self.now = float("inf"), 0, 0
        self.weights: dict[str, Tensor] = {}

    def see(self, model: nn.Module, step: int, loss: float) -> None:
        """Look at a validation loss, and keep the weights if it is the lowest.

        Parameters
        ----------
        model : torch.nn.Module
            As it was checked.
        step : int
            Steps done.
        loss : float
            Its validation loss.
        """
        self.now = step
        if loss < self.loss:
            self.loss, self.step = loss, step
            self.weights = {name: each.clone() for name, each in model.state_dict().items()}

    @property
    def is_long_ago(self) -> bool:
        """Whether there is no hope left for better ones."""
        return self.now - self.step >= self.patience

    def put(self, model: nn.Module) -> int:
        """Give the model the best weights.

        Parameters
        ----------
        model : torch.nn.Module
            Which takes them, if there are any.

        Returns
        -------
        int
            Their step; 0 where there was no check.
        """
        if self.weights:
            model.load_state_dict(self.weights)
        return self.step

    def record(self) -> dict[str, Any]:
        """Give all but the weights, for JSON."""
        return {"loss": None if self.step == 0 else self.loss, "step": self.step, "now": self.now}

    def restore(self, told: Mapping[str, Any], weights: dict[str, Tensor]) -> None:
        """Take up what `record` gave, and the weights.

        Parameters
        ----------
        told : dict
            What `record` gave.
        weights : dict of str to Tensor
            The best.
        """
        self.loss = float("inf") if told["loss"] is None else told["loss"]
        self.step, self.now, self.weights = told["step"], told["now"], weights


class Average:
    """The mean of the weights over the last steps (Izmailov et al. 2018, arXiv:1803.05407).

    Parameters
    ----------
    options : Training
        Says over how many.
    """

    def __init__(self, options: Training) -> None:
        self.first = options.steps - int(options.average * options.steps)
        self.count = 0
        self.weights: dict[str, Tensor] = {}

    def see(self, model: nn.Module, step: int) -> None:
        """Take the weights into the mean, if it is time.

        Parameters
        ----------
        model : torch.nn.Module
            After a step.
        step : int
            Which, counted from 0.
        """
        if step < self.first:
            return
        now = {k: v for k, v in model.state_dict().items() if v.is_floating_point()}
        self.count += 1
        if self.count == 1:
            self.weights = {name: each.clone() for name, each in now.items()}
            return
        mine = [self.weights[name] for name in now]
        torch._foreach_lerp_(mine, [*now.values()], 1.0 / self.count)

    def put(self, model: nn.Module) -> bool:
        """Give the model the mean.

        Parameters
        ----------
        model : torch.nn.Module
            Which takes it, if there is one.

        Returns
        -------
        bool
            Whether there is one.
        """
        if self.count > 1:
            model.load_state_dict({**model.state_dict(), **self.weights})
        return self.count > 1
