"""Optimizers over flat parameters: the same numbers as ``torch.optim``, one operation a step.

One piece of memory on the CPU is moved by the engine; several pieces, and those of a GPU, by the
functions beneath ``torch.optim``. Its classes import torch's compiler when the first of them is
made: a second or more, for nothing that is used here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor

from recurra.errors import OptionError, near
from recurra.kernels import learning
from recurra.training.flat import Flat

__all__ = ["FlatOptimizer"]

KINDS = learning.OPTIMIZERS
MOMENTS = {"adam": 2, "adamw": 2, "rmsprop": 1, "sgd": 1}
TINY = 1e-6  # keeps the shortening finite, as in torch.nn.utils.clip_grad_norm_


class FlatOptimizer:
    """Moves flat parameters along their gradients, with the settings that ``torch.optim`` has.

    Adam and AdamW have betas of 0.9 and 0.999 and an epsilon of 1e-8 (Kingma & Ba 2015,
    arXiv:1412.6980; Loshchilov & Hutter 2019, arXiv:1711.05101), RMSprop an alpha of 0.99 and an
    epsilon of 1e-8, SGD a momentum of 0.9.

    Parameters
    ----------
    flat : Flat
        Parameters and gradients.
    kind : {"adam", "adamw", "rmsprop", "sgd"}
        The optimizer.
    weight_decay : float
        Decay of the weights; decoupled for ``"adamw"``.

    Raises
    ------
    OptionError
        If there is no such optimizer.

    Examples
    --------
    >>> from recurra.training.flat import flatten
    >>> layer = torch.nn.Linear(2, 1)
    >>> flat = flatten(layer)
    >>> optimizer, before = FlatOptimizer(flat, "adam"), layer.bias.item()
    >>> layer(torch.ones(2)).backward()
    >>> optimizer.step(0.1), round(before - layer.bias.item(), 4)
    (True, 0.1)
    """

    def __init__(
        self,
        flat: Flat,
        kind: Literal["adam", "adamw", "rmsprop", "sgd"] = "adamw",
        weight_decay: float = 0.0,
    ) -> None:
        if kind not in KINDS:
            raise OptionError(f"There is no optimizer {kind!r}. {near(str(kind), KINDS)}")
        self.flat, self.kind, self.weight_decay = flat, kind, weight_decay
        self._moments = [
            [torch.zeros_like(each) for each in flat.parameters] for _ in range(MOMENTS[kind])
        ]
        self._steps = [torch.zeros((), device=each.device) for each in flat.parameters]
        pieces = [*flat.parameters, *flat.gradients]
        self._by_engine = len(self._steps) == 1 and learning.able(*pieces)

    def step(self, rate: float, count: int = 1, clip_norm: float | None = None) -> bool:
        r"""Divide the gradient, shorten it, and move.

        .. math:: g \leftarrow \frac{g}{n} \min\Bigl(1, \frac{c}{\lVert g / n \rVert}\Bigr)

        Parameters
        ----------
        rate : float
            The learning rate.
        count : int
            What the summed gradient is divided by: how many targets were counted.
        clip_norm : float, optional
            Gradients longer than this are shortened to it (Pascanu et al. 2013, arXiv:1211.5063).

        Returns
        -------
        bool
            False if the gradient is not finite, and then nothing moves.
        """
        share = 1.0 / max(count, 1)
        if self._by_engine:
            return self._move_by_engine(rate, share, clip_norm)
        length = float(self.flat.norm()) * share
        if not length < float("inf"):
            return False
        if clip_norm is not None:
            share *= min(1.0, clip_norm / (length + TINY))
        if share != 1.0:
            torch._foreach_mul_(self.flat.gradients, share)
        torch._foreach_add_(self._steps, 1.0)
        self._move(rate)
        return True

    def _move_by_engine(self, rate: float, share: float, clip_norm: float | None) -> bool:
        (weights,), (gradients,), (step,) = self.flat.parameters, self.flat.gradients, self._steps
        length = learning.move(
            self.kind, weights, gradients, [moment[0] for moment in self._moments], step,
            rate=rate, decay=self.weight_decay, share=share,
            longest=math.inf if clip_norm is None else clip_norm,
        )  # fmt: skip
        return math.isfinite(length)

    def _move(self, rate: float) -> None:
        parameters, gradients, decay = self.flat.parameters, self.flat.gradients, self.weight_decay
        if self.kind in ("adam", "adamw"):
            move = torch._fused_adamw_ if self.kind == "adamw" else torch._fused_adam_
            for k, steps in enumerate(self._steps):
                first, second = ([moment[k]] for moment in self._moments)
                move(
                    [parameters[k]], [gradients[k]], first, second, [], [steps],
                    lr=rate, beta1=0.9, beta2=0.999, weight_decay=decay, eps=1e-8,
                    amsgrad=False, maximize=False,
                )  # fmt: skip
            return
        if decay:
            torch._foreach_add_(gradients, parameters, alpha=decay)
        (moments,) = self._moments
        if self.kind == "sgd":
            torch._foreach_mul_(moments, 0.9)
            torch._foreach_add_(moments, gradients)
            torch._foreach_add_(parameters, moments, alpha=-rate)
            return
        torch._foreach_mul_(moments, 0.99)
        torch._foreach_addcmul_(moments, gradients, gradients, 1.0 - 0.99)
        spread = torch._foreach_sqrt(moments)
        torch._foreach_add_(spread, 1e-8)
        torch._foreach_addcdiv_(parameters, gradients, spread, -rate)

    def forget(self) -> None:
        """Begin anew: no step was done, and no gradient was seen."""
        for each in self.state().values():
            each.zero_()

    def state(self) -> dict[str, Tensor]:
        """Give what it remembers, to be written down.

        Returns
        -------
        dict of str to Tensor
            The steps done, and moments by number and piece, ``"moment.0.0"``: the memory itself,
            laid out as the parameters are, so that it fits the same model only.
        """
        told = {f"step.{k}": each for k, each in enumerate(self._steps)}
        for n, pieces in enumerate(self._moments):
            told |= {f"moment.{n}.{k}": each for k, each in enumerate(pieces)}
        return told

    def restore(self, told: Mapping[str, Tensor]) -> None:
        """Take up what `state` gave.

        Parameters
        ----------
        told : dict of str to Tensor
            The same names and shapes; they are copied.

        Raises
        ------
        OptionError
            If it is of another optimizer or another model.
        """
        mine = self.state()
        sizes = {name: each.numel() for name, each in mine.items()}
        given = {name: each.numel() for name, each in told.items()}
        if given != sizes:
            raise OptionError(
                f"The state of an optimizer has the sizes {given}, but this {self.kind!r} of this "
                f"model has {sizes}. Go on with the same model and the same optimizer, or begin "
                "anew."
            )
        for name, each in mine.items():
            each.copy_(told[name].reshape(each.shape))
