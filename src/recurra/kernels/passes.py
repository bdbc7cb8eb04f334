"""A stack forward and back without autograd: for training loops that know what they want.

Autograd builds a graph at every step, allocates every result and every gradient, and adds them up.
`Passes` calls the engine with the same numbers and keeps its memory from step to step: same values,
same gradients, a fraction of the time where networks are small. What the engine is told is worked
out once for every shape of input. It runs what the native backend runs plainly; `Passes.able` says
so, and whoever hears False takes the usual way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
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

MOST = 512  # shapes whose calls are kept


class Workspace:
    """Memory that is taken again at every step instead of allocated.

    Attributes
    ----------
    grown : int
        How often something had to be allocated: what was taken before lies elsewhere since.

    Examples
    --------
    >>> space = Workspace()
    >>> first = space.take("output", (2, 3), torch.float32)
    >>> first.data_ptr() == space.take("output", (3, 1), torch.float32).data_ptr()
    True
    """

    def __init__(self) -> None:
        self.grown = 0
        self._rooms: dict[Any, Tensor] = {}
        self._blocks: dict[Any, tuple[int, Any]] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Nothing in it outlives a step: a copy takes memory of its own."""
        return {"grown": 0, "_rooms": {}, "_blocks": {}}

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
            self.grown += 1
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
            self.grown += 1
        address: int = block.address
        return address

    def seen(self, name: Any, size: int, dtype: torch.dtype) -> Tensor:
        """View the beginning of a block that was taken.

        Parameters
        ----------
        name : hashable
            What it is for.
        size : int
            Bytes.
        dtype : torch.dtype
            Type of its numbers.

        Returns
        -------
        Tensor, of one axis
            The same memory.
        """
        return torch.frombuffer(self._blocks[name][1], dtype=dtype, count=size // dtype.itemsize)


class Passes:
    """Runs a stack over whole records and back, in memory of its own.

    Parameters
    ----------
    stack : Stack
        The plan.
    weights : sequence of Weights
        One for each layer and direction; they are to stay where they are.

    Examples
    --------
    >>> weights = [Weights(torch.ones(12, 3), torch.ones(12, 4))]
    >>> passes, x = Passes(Stack("gru"), weights), torch.ones(2, 5, 3)
    >>> if passes.able(x):
    ...     output, _ = passes.forward(x)
    ...     passes.backward([torch.zeros_like(w) for w in weights[0][:2]], torch.ones_like(output))
    """

    def __init__(self, stack: Stack, weights: Sequence[Weights]) -> None:
        self._stack, self._weights = stack, weights
        self._known: Any = None  # of the last input that it was found able to run
        self._space = Workspace()
        self._routes: dict[Any, _Route] = {}
        self._grown = 0  # of the workspace, when the routes were made
        self._gone: _Route | None = None  # forward, and not yet back

    def __getstate__(self) -> dict[str, Any]:
        """What a forward pass has left is not for a copy to spend."""
        return {**self.__dict__, "_routes": {}, "_grown": 0, "_gone": None}

    def able(self, x: Tensor) -> bool:
        """Say whether the engine runs an input, and nothing wants to see each operation.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The input.

        Returns
        -------
        bool
            False where only `recurra.kernels.run`, with autograd, can tell: options, an input that
            wants a gradient, another backend, autocast, a lower precision, a trace, a
            transformation.
        """
        if forced() not in (None, "native") or x.requires_grad or not x.numel():
            return False
        if torch.is_autocast_enabled("cpu") or operands_of(x) or onlooker(x) is not None:
            return False
        known = (x.shape[2:], x.dtype, x.device)
        if self._known != known and self._suits(x):
            self._known = known
        return self._known == known

    def _suits(self, x: Tensor) -> bool:
        """Whether all that stays as it is suits the engine."""
        stack, weights, seen = self._stack, self._weights, x.transpose(0, 1)
        if stack.options or stack.projected or stack.recompute or stack.dropout >= 1.0:
            return False
        if x.dtype not in (torch.float32, torch.float64) or onlooker(x, weights) is not None:
            return False
        whole = all(one.is_contiguous() for run in weights for one in run if one is not None)
        return whole and refuse(stack, seen) is None and fits(stack, seen, None, weights)

    def forward(
        self,
        x: Tensor,
        state: State | None = None,
        lengths: Tensor | None = None,
        *,
        training: bool = False,
    ) -> tuple[Tensor, State]:
        """Run an input that it is `able` to run, and keep what `backward` needs.

        Parameters
        ----------
        x : Tensor, shape (batch, steps, inputs)
            The input.
        state : tuple of Tensor, each (layers·directions, batch, size), optional
            Before the first step; without it zeros.
        lengths : Tensor of int64, shape (batch,), optional
            The real steps of each record.
        training : bool, default False
            Whether the dropout between layers acts; it draws as `recurra.kernels.run` does.

        Returns
        -------
        output : Tensor, shape (batch, longest, directions·outputs)
            Of the last layer, 0 beyond a record's length; the steps end with the longest record.
        state : tuple of Tensor, each (layers·directions, batch, size)
            After each record's own last step. Output and state are lost at the next forward pass,
            which may begin with that state.
        """
        if lengths is not None:
            x, lengths = _trimmed(x, lengths)
        route = self._route(x, state, lengths, training and self._stack.dropout > 0)
        route.x.copy_(x)
        if lengths is not None:
            route.lengths.copy_(lengths)
        if state is not None:
            for room, part in zip(route.before, state, strict=True):
                room.copy_(part)
        threads = torch.get_num_threads()
        for layer in route.layers:
            if layer.mask is not None:
                chance = self._stack.dropout  # as torch.nn.functional.dropout draws
                layer.mask.bernoulli_(1 - chance).div_(1 - chance)
                torch.mul(layer.below, layer.mask, out=layer.x)
            engine.forward(threads, *layer.calls)
        self._gone = route
        return route.layers[-1].y, route.after

    def incoming(self) -> tuple[Tensor, Tensor]:
        """Give room for what `backward` reads, to be filled; other tensors are copied there.

        Returns
        -------
        incoming : Tensor, shape (batch, longest, directions·outputs)
            Of unknown content.
        last : Tensor, shape (directions, batch, outputs)
            Of unknown content.
        """
        assert self._gone is not None
        return self._gone.dy, self._gone.dh

    def backward(
        self,
        gradients: Sequence[Tensor],
        incoming: Tensor | None = None,
        last: Tensor | None = None,
        *,
        inputs: bool = False,
    ) -> Tensor | None:
        """Go back through the last forward pass, which can be done once.

        Parameters
        ----------
        gradients : sequence of Tensor
            Of all weights, in order, those of each layer and direction together: what is found is
            added to them.
        incoming : Tensor, shape (batch, longest, directions·outputs), optional
            The gradient of the output; without it 0.
        last : Tensor, shape (directions, batch, outputs), optional
            The gradient of what the last layer said at each record's own last step, its last h;
            without it 0.
        inputs : bool, default False
            Whether the gradient of the input is wanted.

        Returns
        -------
        Tensor or None, shape (batch, longest, inputs)
            The gradient of the input, lost at the next backward pass.
        """
        route, self._gone = self._gone, None
        assert route is not None
        if incoming is not None and incoming is not route.dy:
            route.dy.copy_(incoming)
        if last is not None and last is not route.dh:
            route.dh.copy_(last)
        threads = torch.get_num_threads()
        back = route.back(self._stack, incoming is not None, last is not None, inputs, gradients)
        for layer, calls in zip(reversed(route.layers), back, strict=True):
            engine.backward(threads, *calls)
            if layer.mask is not None:
                layer.dx.mul_(layer.mask)
        return route.layers[0].dx if inputs else None

    def first_layer(self, incoming: Tensor) -> FirstLayer:
        """Go back through the last forward pass, of one record, for what its first layer did.

        No gradient of a weight is found.

        Parameters
        ----------
        incoming : Tensor, shape (1, steps, directions·outputs)
            The gradient of the output.

        Returns
        -------
        FirstLayer
            Its gates and their gradients.
        """
        route, self._gone = self._gone, None
        assert route is not None
        assert len(route.x) == 1
        route.dy.copy_(incoming)
        first, directions = route.layers[0], range(self._stack.directions)
        gates = [self._kept(route, way).clone() for way in directions]
        calls = route.back(self._stack, True, False, False, None)
        for call in calls:
            engine.backward(torch.get_num_threads(), *call)
        dy = route.layers[1].dx if len(route.layers) > 1 else route.dy
        slopes = [self._kept(route, way) for way in directions]
        return FirstLayer(first.y[0], dy[0], gates, slopes)

    def _kept(self, route: _Route, way: int) -> Tensor:
        """View what the engine keeps of the first layer: shape (steps, parts, hidden)."""
        first, parts = route.layers[0], PARTS[self._stack.cell]
        room = self._space.seen((0, way), first.kept, first.y.dtype)
        _, steps, width = first.y.shape
        return room.view(steps, parts, -1)[..., : width // self._stack.directions]

    def _route(
        self,
        x: Tensor,
        state: State | None,
        lengths: Tensor | None,
        drops: bool,
    ) -> _Route:
        """Take up, or work out, the calls for an input of this shape."""
        key = (x.shape, x.dtype, state is None, lengths is None, drops, engine.isa())
        route = self._routes.get(key)
        if route is None:
            route = self._new_route(x, state, lengths, drops)
            if self._grown != self._space.grown or len(self._routes) == MOST:
                self._routes, self._grown = {}, self._space.grown
            self._routes[key] = route
        return route

    def _new_route(
        self,
        x: Tensor,
        state: State | None,
        lengths: Tensor | None,
        drops: bool,
    ) -> _Route:
        stack, weights, take, kind = self._stack, self._weights, self._space.take, x.dtype
        (batch, steps, _), runs = x.shape, stack.directions
        hidden = weights[0].weight_hh.shape[1]
        states = 2 if stack.cell == "lstm" else 1
        whole = (stack.runs, batch, hidden)
        after = tuple(take(("after", n), whole, kind) for n in range(states))
        before = tuple(take(("before", n), whole, kind) for n in range(states if state else 0))
        dy, dh = (batch, steps, runs * hidden), (runs, batch, hidden)
        route = _Route(
            take("x", tuple(x.shape), kind),
            take("lengths", (batch,), torch.int64),
            before,
            after,
            take("dy", dy, kind),
            take("dh", dh, kind),
        )
        below = route.x
        for layer in range(stack.num_layers):
            here = slice(layer * runs, (layer + 1) * runs)
            parts: list[Tensor | None] = [part[here] for part in before]
            parts = parts or [None] * states
            rest = [*parts, *(weight for one in weights[here] for weight in one[:4])]
            read, mask = below, None
            if layer and drops:
                read, mask = (
                    take((name, layer), (steps, batch, below.shape[-1]), kind).transpose(0, 1)
                    for name in ("dropped", "mask")
                )
            y = take(("y", layer), dy, kind)
            room = [y.transpose(0, 1), *(part[here] for part in after)]
            counts = None if lengths is None else route.lengths
            _, calls, held = forward_calls(
                stack, counts, read.transpose(0, 1), rest, operands=0, room=room
            )
            size = engine.saved_size((*calls[0][:_COUNTS], 0, *calls[0][_COUNTS + 1 :]))
            calls = [
                (*call, self._space.block((layer, way), size)) for way, call in enumerate(calls)
            ]
            dx = take(("dx", layer), tuple(read.shape), kind)
            route.layers.append(_Layer(below, read, y, rest, calls, held, mask, dx, size))
            below = y
        return route


class FirstLayer(NamedTuple):
    """What the first layer did with one record, step by step as each direction reads it.

    Attributes
    ----------
    y, dy : Tensor, shape (steps, directions·outputs)
        What it said, and the gradient of that.
    gates : list of Tensor, each of shape (steps, parts, hidden)
        Of each direction: LSTM i, f, g, o and c; GRU the new value, r, z and what the state gives
        to the new value; RNN nothing of meaning.
    slopes : list of Tensor, each of shape (steps, parts, hidden)
        The gradients of the sums of these gates (not of c; of a GRU's last part as of a sum): lost
        at the next forward pass.
    """

    y: Tensor
    dy: Tensor
    gates: list[Tensor]
    slopes: list[Tensor]


PARTS = {"elman": 1, "gru": 4, "lstm": 5}  # of a cell, kept at each step

_COUNTS = 8  # where a call has the address of the lengths, which bound what is kept


@dataclass
class _Layer:
    """One layer on a route."""

    below: Tensor  # what the layer beneath says
    x: Tensor  # what this one reads: that, or what dropout leaves of it
    y: Tensor
    rest: list[Tensor | None]
    calls: Calls
    held: tuple[Tensor | None, ...]
    mask: Tensor | None
    dx: Tensor
    kept: int  # bytes that each direction keeps


@dataclass
class _Route:
    """All that is the same for inputs of one shape: where everything lies, and the calls."""

    x: Tensor
    lengths: Tensor
    before: State
    after: State
    dy: Tensor
    dh: Tensor
    layers: list[_Layer] = field(default_factory=list)
    way_back: tuple[Any, list[Calls]] = (None, [])  # the last, and what it was worked out for

    def back(
        self,
        stack: Stack,
        outputs: bool,
        last: bool,
        inputs: bool,
        gradients: Sequence[Tensor] | None,
    ) -> list[Calls]:
        """Take up, or work out, the calls of the way back, from the last layer to the first."""
        key = (outputs, last, inputs, *map(Tensor.data_ptr, gradients or ()))
        known, found = self.way_back
        if known != key:
            dy, dh, found = self.dy if outputs else None, self.dh if last else None, []
            grows = None if gradients is None else [*gradients]
            for number, layer in reversed([*enumerate(self.layers)]):
                wanted = inputs or number > 0
                found.append(_back(stack, layer, dy, dh, wanted, grows))
                dy, dh = layer.dx, None
            self.way_back = key, found
        return found


def _back(
    stack: Stack,
    layer: _Layer,
    dy: Tensor | None,
    dh: Tensor | None,
    inputs: bool,
    grows: list[Tensor] | None,
) -> Calls:
    """Work out the calls back through one layer; its gradients are the last of those that grow."""
    states = 2 if stack.cell == "lstm" else 1
    seen = layer.x.transpose(0, 1)
    incoming = [None if dy is None else dy.transpose(0, 1), dh, None][: 1 + states]
    wanted, weights = grows is not None, layer.rest[states:]
    added = [grows.pop() if grows and one is not None else None for one in reversed(weights)]
    room = [layer.dx.transpose(0, 1) if inputs else None, *(None,) * states, *reversed(added)]
    needed = (inputs, *(False,) * states, *(wanted,) * len(weights))
    y = layer.y.transpose(0, 1)
    _, calls, _ = backward_calls(
        stack, layer.calls, seen, y, layer.rest, incoming, needed, room, add=wanted
    )
    return calls


def _trimmed(x: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor | None]:
    """Cut the steps at the longest record; drop the lengths if all fill them then."""
    batch, steps, _ = x.shape
    shortest, longest = check_lengths(lengths, steps, batch)
    x = x[:, :longest] if longest < steps else x
    return x, None if shortest == longest else lengths
