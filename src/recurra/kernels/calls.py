"""What the engine takes of a layer: addresses of torch's tensors, strides and sizes, in its order.

A call is a tuple of integers, the members of the engine's run one after another. `forward_calls`
and `backward_calls` make one for each direction; `Form` makes those of an input that is shaped as
one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, empty_like

from recurra.kernels.recurrence import Masks
from recurra.kernels.stack import Stack
from recurra.native import BFLOAT16, BFLOAT16_TWICE

__all__ = [
    "ACTIVATIONS",
    "CELLS",
    "GATES",
    "Calls",
    "Form",
    "backward_calls",
    "count_weights",
    "forward_calls",
    "operands_of",
]

CELLS = {"elman": 0, "lstm": 1, "gru": 2}
ACTIVATIONS = {"tanh": 0, "relu": 1, "sigmoid": 2}
GATES = {"elman": 1, "lstm": 4, "gru": 3}

# Members of a run, in the engine's order: where y stands, and how many say what the options are.
_Y = 21
_PLAIN = (0,) * 16

_OPERANDS = {"bf16": BFLOAT16, "tf32": BFLOAT16_TWICE}  # "ieee" and "none" are exact


def operands_of(x: Tensor) -> int:
    """Say what products may round what they multiply to.

    Parameters
    ----------
    x : Tensor
        The input.

    Returns
    -------
    int
        `BFLOAT16`, `BFLOAT16_TWICE`, or 0 for nothing.

    Examples
    --------
    >>> operands_of(torch.ones(1)), operands_of(torch.ones(1, dtype=torch.bfloat16))
    (0, 16)
    """
    dtype = x.dtype
    if dtype is torch.float32:
        return BFLOAT16 if torch.is_autocast_enabled("cpu") else _float32_operands()
    return BFLOAT16 if dtype is torch.bfloat16 else 0


def _float32_operands() -> int:
    # What torch.set_float32_matmul_precision sets, without its error where old and new names mix.
    products = torch._C._get_fp32_precision_getter("mkldnn", "rnn")
    if products == "none":
        products = torch._C._get_fp32_precision_getter("mkldnn", "matmul")
    return _OPERANDS.get(products, 0)


def count_weights(stack: Stack) -> int:
    """Count the weights that the engine takes of a direction.

    Parameters
    ----------
    stack : Stack
        The plan.

    Returns
    -------
    int
        Torch's four, one for a projection, one for peepholes.

    Examples
    --------
    >>> count_weights(Stack("lstm", peephole=True))
    5
    """
    return 4 + stack.projected + stack.peephole


Calls = list[tuple[int, ...]]


def forward_calls(
    stack: Stack,
    lengths: Tensor | None,
    x: Tensor,
    rest: Sequence[Tensor | None],
    masks: Sequence[Masks | None] = (),
    operands: int | None = None,
    room: Sequence[Tensor] | None = None,
) -> tuple[tuple[Tensor, ...], Calls, tuple[Tensor | None, ...]]:
    """Prepare the forward calls of one layer, one for each direction.

    Parameters
    ----------
    stack : Stack
        The plan; its layers and chances do not count here.
    lengths : Tensor of int64, shape (batch,), or None
        The real steps of each record.
    x : Tensor, shape (time, batch, inputs)
        The input.
    rest : sequence of Tensor or None
        The state before, each (directions, batch, size) or None, then the weights of each
        direction: torch's four, ``weight_hr`` if projected, ``weight_ch`` if there are peepholes.
        At the end the decay, (directions, time, batch, outputs), if there is one.
    masks : sequence of Masks or None, optional
        What chance decided about each direction.
    operands : int, optional
        0, `BFLOAT16` or `BFLOAT16_TWICE`; without it torch's switches say.
    room : sequence of Tensor, optional
        Memory for output and last state, as they are returned; without it new memory.

    Returns
    -------
    outputs : tuple of Tensor
        Output, (time, batch, directions·outputs), and last state, each (directions, batch, size),
        not yet computed.
    calls : list of tuple of int
        What the engine takes, in the order of its interface.
    held : tuple of Tensor or None
        What the calls point to besides the outputs: to be held until they are done.
    """
    steps, batch, inputs = x.shape
    states = 2 if stack.cell == "lstm" else 1
    x = _rows(x)
    before = [None if part is None else _rows(part) for part in rest[:states]]
    given, decay = _parted(stack, rest)
    weights = [None if one is None else one.contiguous() for one in given[states:]]
    decay = None if decay is None else _rows(decay)
    assert weights[0] is not None
    assert weights[1] is not None
    each, element, directions = count_weights(stack), x.element_size(), stack.directions
    outputs = weights[1].shape[1] * stack.heads
    hidden = weights[0].shape[0] // (GATES[stack.cell] - stack.coupled)
    if room is None:
        room = [x.new_empty(steps, batch, directions * outputs)]
        room += [x.new_empty(directions, batch, size) for size in (outputs, hidden)[:states]]
    y, *after = room
    drawn = [None if one is None else _masks(one) for one in masks] or [None, None]
    operands = operands_of(x) if operands is None else operands
    kind = element if stack.options or stack.projected else element + operands
    fixed = (CELLS[stack.cell], ACTIVATIONS[stack.activation], kind)
    (x_step, x_row, _), (y_step, y_row, _) = x.stride(), y.stride()
    addresses = [*map(_at, weights)]
    x_at, y_at, lengths_at = x.data_ptr(), y.data_ptr(), _at(lengths)
    calls = []
    for way in range(directions):
        of_way = slice(each * way, each * way + each)
        h0, h0_row = _part(before[0], way)
        c0, c0_row = _part(before[1], way) if states > 1 else (0, 0)
        calls.append((
            *fixed, way, steps, batch, inputs, hidden, lengths_at,
            x_at, x_step, x_row,
            h0, c0, h0_row, c0_row,
            *addresses[of_way][:4], 0,
            y_at + way * outputs * element, y_step, y_row,
            _part(after[0], way)[0], _part(after[-1], way)[0],
            *_options(stack, weights[of_way], outputs, drawn[way], decay, way),
        ))  # fmt: skip
    kept = [part for one in drawn if one is not None for part in one]
    return (y, *after), calls, (x, lengths, *before, *weights, *kept, decay)


def _options(
    stack: Stack,
    weights: Sequence[Tensor | None],
    outputs: int,
    masks: Masks | None,
    decay: Tensor | None,
    way: int,
) -> tuple[int, ...]:
    """What a run says of the options of its cell."""
    if masks is None and not (stack.projected or stack.options):
        return _PLAIN
    projection = weights[4] if stack.projected else None
    peepholes = weights[-1] if stack.peephole else None
    mask, kept_h, kept_c = (None, None, None) if masks is None else masks
    return (
        stack.heads, stack.coupled, outputs, _at(projection), _at(peepholes),
        _at(mask), _stride(mask),
        _at(kept_h), *_strides(kept_h), _at(kept_c), *_strides(kept_c),
        *_of_way(decay, way),
    )  # fmt: skip


def _masks(masks: Masks) -> Masks:
    """The masks with numbers side by side; where one number stands for all, a row of it does."""

    def laid_out(mask: Tensor | None) -> Tensor | None:
        if mask is None or not mask.numel():
            return mask
        if not any(mask.stride()):
            return mask.new_full(mask.shape[-1:], mask.flatten()[0].item()).expand(mask.shape)
        return _rows(mask)

    return Masks(*map(laid_out, masks))


def backward_calls(
    stack: Stack,
    calls: Calls,
    x: Tensor,
    y: Tensor,
    rest: Sequence[Tensor | None],
    incoming: Sequence[Tensor | None],
    needed: Sequence[bool],
    room: Sequence[Tensor | None] | None = None,
    *,
    add: bool = False,
) -> tuple[list[Tensor | None], Calls, tuple[Tensor | None, ...]]:
    """Prepare the backward calls of one layer.

    Parameters
    ----------
    stack : Stack
        The plan.
    calls : list of tuple of int
        The forward calls, each with the address of what it saved at its end.
    x, y : Tensor
        Input and output.
    rest : sequence of Tensor or None
        As for `forward_calls`.
    incoming : sequence of Tensor or None
        Gradients of output and last state.
    needed : sequence of bool
        Of x and each of ``rest``: whether its gradient is wanted.
    room : sequence of Tensor or None, optional
        Memory for the gradients that are wanted, as they are returned; without it new memory.
    add : bool, default False
        Whether the gradients of the weights are added to what that memory holds.

    Returns
    -------
    gradients : list of Tensor or None
        Of x and each of ``rest``, not yet computed.
    calls : list of tuple of int
        What the engine takes.
    held : tuple of Tensor or None
        What the calls point to besides the gradients.
    """
    states = 2 if stack.cell == "lstm" else 1
    dy, *dafter = [None if one is None else _rows(one) for one in incoming]
    dx, *gradients = _new_gradients(stack, x, rest, needed) if room is None else room
    (dy_step, dy_row), (dx_step, dx_row) = _strides(dy), _strides(dx)
    each, back = count_weights(stack), []
    dx_at, dy_at, y_at, addresses = _at(dx), _at(dy), y.data_ptr(), [*map(_at, gradients)]
    for way, call in enumerate(calls):
        shift = way * (y.shape[-1] // stack.directions) * x.element_size()
        dhn, dhn_row = _part(dafter[0], way)
        dcn, dcn_row = _part(dafter[1], way) if states > 1 else (0, 0)
        dc0 = _part(gradients[1], way)[0] if states > 1 else 0
        weights = addresses[states + each * way : states + each * way + each]
        if each == 5 and stack.peephole:
            weights.insert(4, 0)  # the place of the projection
        if stack.decay or add:
            decay = gradients[-1] if stack.decay else None
            weights += (*(0,) * (6 - len(weights)), *_of_way(decay, way), add)
        back.append((
            *call[:_Y], y_at + shift, *call[_Y + 1 :],
            dy_at and dy_at + shift, dy_step, dy_row,
            dhn, dcn, dhn_row, dcn_row,
            dx_at, dx_step, dx_row, way,
            _part(gradients[0], way)[0], dc0, *weights,
        ))  # fmt: skip
    return [dx, *gradients], back, (dy, *dafter)


def _new_gradients(
    stack: Stack, x: Tensor, rest: Sequence[Tensor | None], needed: Sequence[bool]
) -> list[Tensor | None]:
    """Memory for the gradients that are wanted."""
    states = 2 if stack.cell == "lstm" else 1
    of_weights, of_decay = _parted(stack, needed[1 + states :])
    wanted = [*needed[1 : 1 + states], *[any(of_weights)] * len(of_weights)]
    wanted += [of_decay] * stack.decay
    return [
        empty_like(_rows(x)) if needed[0] else None,
        *(
            None
            if one is None or not want
            else empty_like(one)
            if one.is_contiguous()
            else one.new_empty(one.shape)
            for one, want in zip(rest, wanted, strict=True)
        ),
    ]


class Form(NamedTuple):
    """What stays the same in the calls of a layer, from input to input of one shape.

    Parameters
    ----------
    output, state : Tensor
        One number expanded to the shape of what comes out: patterns for `torch.empty_like`.
    states : int
        How many tensors the state is.
    ways : list of tuple
        What stands between the addresses in each direction's call, and where its part begins.
    """

    output: Tensor
    state: Tensor
    states: int
    ways: list[tuple[Any, ...]]

    @classmethod
    def of(cls, outputs: Sequence[Tensor], calls: Calls) -> Form:
        """Learn it from calls whose tensors lay in one piece.

        Parameters
        ----------
        outputs : sequence of Tensor
            Output and state, as `forward_calls` gives them.
        calls : list of tuple of int
            The calls.

        Returns
        -------
        Form
            What they have in common with those to come.
        """
        y, h, *c = outputs
        beside, part = y.shape[-1] // len(calls) * y.element_size(), h[0].nbytes
        ways = [
            (
                call[:8],
                call[10:12],
                call[14:_Y],
                n * beside,
                call[_Y + 1 : _Y + 3],
                n * part,
                call[26:],
            )
            for n, call in enumerate(calls)
        ]
        one = y.new_empty(1)
        return cls(one.expand(y.shape), one.expand(h.shape), 1 + len(c), ways)

    def calls(
        self, x: Tensor, rest: Sequence[Tensor | None], lengths: Tensor | None
    ) -> tuple[tuple[Tensor, ...], Calls, tuple[Tensor | None, ...]]:
        """Prepare the forward calls; arguments and results as those of `forward_calls`.

        Parameters
        ----------
        x : Tensor, shape (time, batch, inputs)
            The input.
        rest : sequence of Tensor or None
            The state before, and weights, which are not looked at.
        lengths : Tensor of int64, shape (batch,), or None
            The real steps of each record.

        Returns
        -------
        outputs : tuple of Tensor
            Output and last state, not yet computed.
        calls : list of tuple of int
            What the engine takes.
        held : tuple of Tensor or None
            What the calls point to besides the outputs.
        """
        y, after = empty_like(self.output), [empty_like(self.state) for _ in range(self.states)]
        x_at, y_at, hn, cn = x.data_ptr(), y.data_ptr(), after[0].data_ptr(), after[-1].data_ptr()
        h0, c0, counts = _at(rest[0]), _at(rest[1]) if self.states > 1 else 0, _at(lengths)
        calls = [
            (
                *head, counts, x_at, *x_strides, h0 and h0 + part, c0 and c0 + part, *middle,
                y_at + beside, *y_strides, hn + part, cn + part, *options,
            )
            for head, x_strides, middle, beside, y_strides, part, options in self.ways
        ]  # fmt: skip
        return (y, *after), calls, (x, lengths, *rest)


def _parted(stack: Stack, rest: Sequence[Any]) -> tuple[Sequence[Any], Any]:
    """What stands before the decay, and what stands for it."""
    return (rest[:-1], rest[-1]) if stack.decay else (rest, None)


def _of_way(decay: Tensor | None, way: int) -> tuple[int, int, int]:
    """Where the decay of a direction begins, from step to step and from row to row."""
    if decay is None:
        return 0, 0, 0
    apart, step, row, _ = decay.stride()
    return decay.data_ptr() + way * apart * decay.element_size(), step, row


def _rows(tensor: Tensor) -> Tensor:
    """The tensor with numbers side by side in its last axis."""
    return tensor if tensor.stride(-1) == 1 else tensor.contiguous()


def _at(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _part(state: Tensor | None, way: int) -> tuple[int, int]:
    """Where a direction's part of a state begins, and from row to row."""
    if state is None:
        return 0, 0
    apart, row, _ = state.stride()
    return state.data_ptr() + way * apart * state.element_size(), row


def _stride(rows: Tensor | None) -> int:
    return 0 if rows is None else rows.stride(0)


def _strides(tensor: Tensor | None) -> tuple[int, int]:
    return (0, 0) if tensor is None else (tensor.stride(0), tensor.stride(1))
