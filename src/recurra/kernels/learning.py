"""What a step of training does beside the recurrence, by the engine: a head and its loss, a move.

Each is one call where torch takes ten or twenty, and on small networks a call is what costs. Both
add to gradients, or move weights, where they lie; whoever hears False of `able` takes torch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recurra.errors import ShapeError
from recurra.kernels.dispatch import forced
from recurra.kernels.onlookers import onlooker
from recurra.native import engine

__all__ = ["OPTIMIZERS", "able", "answer", "move"]

OPTIMIZERS = ("adam", "adamw", "rmsprop", "sgd")
"""In the engine's order."""


def able(*tensors: Tensor) -> bool:
    """Say whether the engine can read and write some tensors, and nothing wants to look on.

    Parameters
    ----------
    tensors : Tensor
        The tensors, one at least.

    Returns
    -------
    bool
        True if all lie on the CPU in one piece and are of one type, float32 or float64.

    Examples
    --------
    >>> able(torch.ones(2), torch.ones(2, dtype=torch.float64)), able(torch.ones(2, 3).t())
    (False, False)
    """
    kind = tensors[0].dtype
    if engine is None or kind not in (torch.float32, torch.float64):
        return False
    for each in tensors:
        if each.dtype is not kind or not each.is_cpu or not each.is_contiguous():
            return False
    return forced() in (None, "native") and onlooker(tensors[0]) is None


def answer(
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    target: Tensor,
    incoming: Tensor,
    *,
    classes: int = 0,
    mask: Tensor | None = None,
    counts: Tensor | None = None,
    add: bool = False,
) -> tuple[float, int]:
    r"""Apply a linear map, compare what it says with a target, and go back.

    .. math:: L = \sum_i c_i (W x_i + b - y_i)^2 \quad\text{or}\quad
              L = -\sum_i c_i \log \mathrm{softmax}(W x_i + b)_{y_i}

    Parameters
    ----------
    x : Tensor, shape (rows, width)
        What is read; it may be a part of wider rows.
    weight : Tensor, shape (outputs, width)
        :math:`W`; its ``.grad`` grows.
    bias : Tensor or None, shape (outputs,)
        :math:`b`; its ``.grad`` grows.
    target : Tensor, shape (rows, outputs), or of int64, shape (rows, outputs / classes)
        Numbers of the type of x, NaN where unknown; codes, negative where unknown.
    incoming : Tensor, shape (rows, width)
        Where the gradient of x is written.
    classes : int, default 0
        How many classes there are to choose from; 0 for numbers.
    mask : Tensor, shape (rows, width), optional
        Multiplied with x: what dropout leaves.
    counts : Tensor, shape (rows,), optional
        How much each row counts.
    add : bool, default False
        Add to ``incoming`` instead.

    Returns
    -------
    total : float
        The summed loss.
    known : int
        How many targets were known.

    Raises
    ------
    ShapeError
        If the target has another shape.
    IndexError
        If a code is beyond the classes; gradients are then worth nothing.

    Examples
    --------
    >>> weight, slope = torch.nn.Parameter(torch.ones(1, 2)), torch.empty(1, 2)
    >>> weight.grad = torch.zeros(1, 2)
    >>> if able(weight):
    ...     answer(torch.ones(1, 2), weight, None, torch.tensor([[1.0]]), slope), slope
    ((1.0, 1), tensor([[2., 2.]]))
    """
    assert weight.grad is not None
    (outputs, width), rows = weight.shape, x.shape[0]
    if target.shape != (rows, outputs // (classes or 1)):
        raise ShapeError(
            f"target has shape {tuple(target.shape)}, but for {rows} rows and {outputs} outputs of "
            f"{classes or 'no'} classes it is {(rows, outputs // (classes or 1))}."
        )
    x, target = x if x.stride(-1) == 1 else x.contiguous(), target.contiguous()
    counts = None if counts is None else counts.contiguous()
    found: tuple[float, int] = engine.answer(
        x.element_size(), rows, width, outputs, classes,
        x.data_ptr(), x.stride(0), _at(mask),
        weight.data_ptr(), _at(bias), target.data_ptr(), _at(counts),
        weight.grad.data_ptr(), 0 if bias is None else _at(bias.grad),
        incoming.data_ptr(), add,
    )  # fmt: skip
    return found


def move(
    kind: str,
    weights: Tensor,
    gradients: Tensor,
    moments: list[Tensor],
    step: Tensor,
    *,
    rate: float,
    decay: float,
    share: float,
    longest: float,
) -> float:
    """Move weights one step along their gradient.

    Parameters
    ----------
    kind : {"adam", "adamw", "rmsprop", "sgd"}
        The optimizer, with the settings of `recurra.training.flat_optimizer.FlatOptimizer`.
    weights, gradients : Tensor, shape (numbers,)
        The gradients are left multiplied by ``share``, and shortened.
    moments : list of Tensor, each of shape (numbers,)
        What the optimizer remembers: two for Adam, one for others.
    step : Tensor of float32, scalar
        Steps done; one is added.
    rate, decay : float
        Learning rate, decay of the weights.
    share : float
        What the gradient is multiplied by.
    longest : float
        A gradient that is then longer is shortened to this.

    Returns
    -------
    float
        How long the gradient was, multiplied but not shortened; where that is infinite or NaN,
        nothing has moved.

    Examples
    --------
    >>> weights, step = torch.zeros(1), torch.zeros(())
    >>> if able(weights):
    ...     options = {"rate": 0.1, "decay": 0.0, "share": 0.5, "longest": float("inf")}
    ...     move("sgd", weights, torch.ones(1), [torch.zeros(1)], step, **options), weights
    (0.5, tensor([-0.0500]))
    """
    first, second = moments[0], moments[-1]
    length: float = engine.move(
        torch.get_num_threads(), OPTIMIZERS.index(kind), weights.element_size(), weights.numel(),
        weights.data_ptr(), gradients.data_ptr(), first.data_ptr(), second.data_ptr(),
        step.data_ptr(), rate, decay, share, longest,
    )  # fmt: skip
    return length


def _at(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()
