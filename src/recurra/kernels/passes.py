"""A stack forward and back without autograd: for training loops that know what they want.

Autograd builds a graph at every step, allocates every result and every gradient, and adds them up.
`Passes` calls the engine with the same numbers and keeps its memory from step to step: same values,
same gradients, a fraction of the time where networks are small. It runs what the native backend
runs plainly; `Passes.able` says so, and whoever hears False takes the usual way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from recurra.kernels.calls import Calls, backward_calls, forward_calls, operands_of
from recurra.kernels.dispatch import forced
from recurra.kernels.native import refuse
from recurra.kernels.onlookers import onlooker
from recurra.kernels.operators import check_lengths, fits
from recurra.kernels.recurrence import State, Weights
from recurra.kernels.stack import Stack
from recurra.native import engine

__all__ = ["Passes", "Workspace"]


class Workspace:
    """Memory that is taken again at every step instead of allocated.

    Examples
    --------
    >>> space = Workspace()
    >>> first = space.take("output", (2, 3), torch.float32)
    >>> first.data_ptr() == space.take("output", (3, 1), torch.float32).data_ptr()
    True
    """

    def __init__(self) -> None:
        self._rooms: dict[Any, Tensor] = {}
        self._blocks: dict[Any, tuple[int, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Nothing in it outlives a step: a copy takes memory of its own."""
        return {"_rooms": {}, "_blocks": {}}

    def take(self, name: Any, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
        """Take a tensor of unknown content, contiguous; what bore this name before is lost.

        Parameters
        ----------
        name : hashable
            What it is for.
        shape : tuple of int
            Its shape.
        dtype : torch.dtype
            Its type.

        Returns
        -------
        Tensor
            On the CPU.
        """
        count = 1
        for size in shape:
            count *= size
        room = self._rooms.get(name)
        if room is None or room.numel() < count or room.dtype is not dtype:
            room = self._rooms[name] = torch.empty(count, dtype=dtype)
        return room[:count].view(shape)

    def block(self, name: Any, size: int) -> int:
        """Take a block of the engine's memory; what bore this name before is lost.

        Parameters
        ----------
        name : hashable
            What it is for.
        size : int
            Bytes at least.

        Returns
        -------
        int
            Its address.
        """
        held, block = self._blocks.get(name, (-1, None))
        if held < size:
            block = engine.block(size)
            self._blocks[name] = size, block
        address: int = block.address
        return address


class Passes:
    """Runs a stack over whole records and back, in memory of its own.

    Parameters
    ----------
    stack : Stack
        The plan.

    Examples
    --------
    >>> weights = [Weights(torch.ones(12, 3), torch.ones(12, 4))]
    >>> passes, x = Passes(Stack("gru")), torch.ones(2, 5, 3)
    >>> if passes.able(x, weights):
    ...     output, _ = passes.forward(x, weights)
    ...     passes.backward(torch.ones_like(output), [torch.zeros_like(w) for w in weights[0][:2]])
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._space = Workspace()
        self._kept: list[_Kept] = []

    def __getstate__(self) -> dict[str, Any]:
        """What a forward pass has left is not for a copy to spend."""
        return self.__dict__ | {"_kept": []}

    def able(self, x: Tensor, weights: Sequence[Weights]) -> bool:
        """Say whether the engine runs an input, and nothing wants to see each operation.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The input.
        weights : sequence of Weights
            One for each layer and direction.

        Returns
        -------
        bool
            False where only `recurra.kernels.run`, with autograd, can tell.
        """
        stack, seen = self._stack, x.transpose(0, 1)
        if stack.options or stack.projected or stack.recompute or not x.numel():
            return False
        if stack.dropout >= 1.0 or forced() not in (None, "native"):
            return False
        plain = x.dtype in (torch.float32, torch.float64) and operands_of(x) == 0
        if not plain or torch.is_autocast_enabled("cpu") or onlooker(x, weights) is not None:
            return False
        whole = all(one.is_contiguous() for run in weights for one in run if one is not None)
        return whole and refuse(stack, seen) is None and fits(stack, seen, None, weights)

    def forward(
        self,
        x: Tensor,
        weights: Sequence[Weights],
        state: State | None = None,
        lengths: Tensor | None = None,
        *,
        training: bool = False,
    ) -> tuple[Tensor, State]:
        """Run an input that it is `able` to run, and keep what `backward` needs.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The input; it must not change until `backward` is done.
        weights : sequence of Weights
            One for each layer and direction.
        state : tuple of Tensor, each (layers·directions, batch, size), optional
            Before the first step; without it zeros.
        lengths : Tensor of int64, shape (batch,), optional
            The real steps of each record.
        training : bool, default False
            Whether the dropout between layers acts; it draws as `recurra.kernels.run` does.

        Returns
        -------
        output : Tensor, shape (batch, longest, directions·outputs)
            Of the last layer, 0 beyond a record's length; the steps end with the longest record. It
            is lost at the next forward pass.
        state : tuple of Tensor, each (layers·directions, batch, size)
            After each record's own last step.
        """
        stack, runs = self._stack, self._stack.directions
        if lengths is not None:
            x, lengths = _trimmed(x, lengths)
        self._kept, finals = [], []
        for layer in range(stack.num_layers):
            mask = None
            if layer and training and stack.dropout:
                batch, steps, width = x.shape
                mask = _dropout_mask((steps, batch, width), stack.dropout, x.dtype).transpose(0, 1)
                x = torch.mul(x, mask, out=self._space.take(("x", layer), x.shape, x.dtype))
            here = slice(layer * runs, (layer + 1) * runs)
            before: list[Tensor | None] = [None] * (2 if stack.cell == "lstm" else 1)
            if state is not None:
                before = [part[here] for part in state]
            flat = [weight for one in weights[here] for weight in one[:4]]
            x, *after = self._forward_layer(layer, x, [*before, *flat], lengths, mask)
            finals.append(tuple(after))
        if len(finals) == 1:
            return x, finals[0]
        return x, tuple(torch.cat(parts) for parts in zip(*finals, strict=True))

    def _forward_layer(
        self,
        layer: int,
        x: Tensor,
        rest: list[Tensor | None],
        lengths: Tensor | None,
        mask: Tensor | None,
    ) -> tuple[Tensor, ...]:
        """Run one layer, both ways."""
        stack, space, seen = self._stack, self._space, x.transpose(0, 1)
        recurrent = rest[3 if stack.cell == "lstm" else 2]
        assert recurrent is not None
        shape = (*x.shape[:2], stack.directions * recurrent.shape[1])
        y = space.take(("y", layer), shape, x.dtype)
        outputs, calls, held = forward_calls(
            stack, lengths, seen, rest, operands=0, output=y.transpose(0, 1)
        )
        size = engine.saved_size(calls[0])
        calls = [(*call, space.block((layer, way), size)) for way, call in enumerate(calls)]
        engine.forward(torch.get_num_threads(), *calls)
        self._kept.append(_Kept(seen, outputs[0], rest, calls, held, mask))
        return y, *outputs[1:]

    def backward(
        self, incoming: Tensor, gradients: Sequence[Tensor], *, inputs: bool = False
    ) -> Tensor | None:
        """Go back through the last forward pass, which can be done once.

        Parameters
        ----------
        incoming : Tensor, shape (batch, longest, directions·outputs)
            The gradient of the output; that of the last state is 0.
        gradients : sequence of Tensor
            Of all weights, in order, those of each layer and direction together: what is found is
            added to them.
        inputs : bool, default False
            Whether the gradient of the input is wanted.

        Returns
        -------
        Tensor or None, shape (batch, longest, inputs)
            The gradient of the input, lost at the next backward pass.
        """
        kept, self._kept = self._kept, []
        found: list[Tensor] = []
        going: Tensor | None = incoming
        for layer in reversed(range(len(kept))):
            assert going is not None
            going, own = self._backward_layer(kept[layer], going, inputs or layer > 0)
            found = own + found
        torch._foreach_add_([*gradients], found)
        return going

    def _backward_layer(
        self, past: _Kept, incoming: Tensor, inputs: bool
    ) -> tuple[Tensor | None, list[Tensor]]:
        """Go back through one layer; give the gradients of its input and of its weights."""
        states = 2 if self._stack.cell == "lstm" else 1
        weights = len(past.rest) - states
        (dx, *found), calls, held = backward_calls(
            self._stack,
            past.calls,
            past.x,
            past.y,
            past.rest,
            (incoming.transpose(0, 1), *(None,) * states),
            (inputs, *(False,) * states, *(True,) * weights),
        )
        engine.backward(torch.get_num_threads(), *calls)
        del held
        if dx is not None:
            dx = dx.transpose(0, 1)
            if past.mask is not None:
                dx.mul_(past.mask)
        return dx, [one for one in found if one is not None]


class _Kept(NamedTuple):
    """What a forward pass leaves of a layer for the way back."""

    x: Tensor
    y: Tensor
    rest: list[Tensor | None]
    calls: Calls
    held: tuple[Tensor | None, ...]
    mask: Tensor | None


def _dropout_mask(shape: tuple[int, ...], chance: float, dtype: torch.dtype) -> Tensor:
    """What `torch.nn.functional.dropout` multiplies by, with the same draws."""
    return torch.empty(shape, dtype=dtype).bernoulli_(1 - chance).div_(1 - chance)


def _trimmed(x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
    """Cut the steps at the longest record; drop the lengths if all fill them then."""
    batch, steps, _ = x.shape
    shortest, longest = check_lengths(lengths, steps, batch)
    x = x[:, :longest]
    return x, None if shortest == longest else lengths.to("cpu", torch.int64).contiguous()
