"""What all recurrent layers share: parameters, the checks at the door, a sequence, a step."""

from __future__ import annotations

import inspect
import os
import warnings
from abc import ABC
from collections.abc import Callable, Sequence
from dataclasses import replace
from operator import itemgetter
from typing import Any, ClassVar, Self

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from recurra import kernels
from recurra.artifact import write_model
from recurra.errors import OptionError, ShapeError
from recurra.kernels import Choice, Stack, State, Weights
from recurra.kernels.aten import flatten
from recurra.kernels.shortcuts import Repeating, Stepping
from recurra.layers.door import check_input, check_lengths, check_sizes, check_state
from recurra.layers.initialisation import check_initialisation, initialise

__all__ = ["LayerState", "Lengths", "Recurrent"]

_PLACE = ("device", "dtype")  # not of the layer, but of where it is

Lengths = Tensor | Sequence[int]
LayerState = Tensor | tuple[Tensor, ...]


class Recurrent(nn.Module, ABC):
    """The abstract base of the recurrent layers: a stack of one cell, over time.

    Use `RNN`, `LSTM`, `GRU` or `Jordan`. A subclass names the gates and the state of its cell and
    may add parameters in `shapes`. It holds no arithmetic: that lives in `recurra.kernels`.

    Parameters
    ----------
    stack : Stack
        Cell, layers, directions, dropout, and what else the cell can do.
    input_size, hidden_size : int
        Width of the input and of the hidden layer.
    state_sizes : tuple of int
        Width of each tensor of the state; the first is also that of one direction's output.
    bias : bool
        Whether there are biases.
    batch_first : bool
        Whether ``x`` is (batch, time, inputs) or (time, batch, inputs).
    learn_initial_state : bool
        Whether the state before the first step is learned; else it is 0.
    initialisation : {"torch", "orthogonal"}
        How the weights begin; see `recurra.layers.initialisation.initialise`.
    device : device, optional
        Of the parameters.
    dtype : dtype, optional
        Of the parameters.
    """

    gates: int
    """Gates of the cell: ``weight_ih`` has ``gates * hidden_size`` rows."""
    letters: ClassVar[tuple[str, ...]]
    """One letter for each tensor of the state: ``("h", "c")`` for LSTM."""

    def __init__(
        self,
        stack: Stack,
        input_size: int,
        hidden_size: int,
        state_sizes: tuple[int, ...],
        *,
        bias: bool,
        batch_first: bool,
        learn_initial_state: bool,
        initialisation: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        check_sizes(stack, input_size, hidden_size, state_sizes[0])
        if stack.dropout and stack.num_layers == 1:
            warnings.warn(
                "dropout acts between layers, and num_layers=1 has no such place: nothing drops.",
                stacklevel=3,
            )
        self.stack = stack
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.state_sizes = state_sizes
        self.bias = bias
        self.batch_first = batch_first
        self.learn_initial_state = learn_initial_state
        self.initialisation = check_initialisation(initialisation)
        self._stepping = Stepping(stack)
        self._repeating = Repeating(stack)
        self._plain_weights: list[Callable[[Any], tuple[Tensor, ...]]] = []
        self._weight_names: list[tuple[str | None, ...]] = []
        self._initial_names: list[list[str]] = []
        self._register(lambda shape: nn.Parameter(torch.empty(shape, device=device, dtype=dtype)))
        self.reset_parameters()
        self.flatten_parameters()

    def _register(self, new: Callable[[tuple[int, ...]], nn.Parameter]) -> None:
        """Create the parameters under torch's names, in torch's order."""
        directions = ("", "_reverse")[: self.stack.directions]
        suffixes = [f"_l{k}{direction}" for k in range(self.num_layers) for direction in directions]
        for run, suffix in enumerate(suffixes):
            above_first = run >= self.stack.directions
            shapes = self.shapes(self.output_size if above_first else self.input_size)
            for field, shape in shapes.items():
                self.register_parameter(field + suffix, new(shape))
            names = (field + suffix if field in shapes else None for field in Weights._fields)
            self._weight_names.append(tuple(names))
            self._plain_weights.append(
                itemgetter(*(f + suffix for f in Weights._fields[:4] if f in shapes))
            )
        if self.learn_initial_state:
            for letter, size in zip(self.letters, self.state_sizes, strict=True):
                self._initial_names.append([f"initial_{letter}{suffix}" for suffix in suffixes])
                for name in self._initial_names[-1]:
                    self.register_parameter(name, new((size,)))

    def shapes(self, inputs: int) -> dict[str, tuple[int, ...]]:
        """Shapes of one layer's weights in one direction, by field of `Weights`.

        Parameters
        ----------
        inputs : int
            Width of what the layer reads.

        Returns
        -------
        dict of str to tuple of int
            In the order of the fields.
        """
        rows = self.gates * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, inputs),
            "weight_hh": (rows, self.state_sizes[0] // self.stack.heads),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.stack.layer_norm:
            shapes |= {"gain_ih": (rows,), "gain_hh": (rows,)}
        return shapes

    def reset_parameters(self) -> None:
        """Draw the weights anew, as the constructor did; a learned initial state becomes 0."""
        names = [name for run in self._weight_names for name in run if name is not None]
        weights = {name: getattr(self, name) for name in names}
        initialise(self.initialisation, weights, self.hidden_size, self.stack.heads)
        for name in (name for letter in self._initial_names for name in letter):
            nn.init.zeros_(getattr(self, name))

    def flatten_parameters(self) -> None:
        """Lay the weights side by side on a GPU, as cuDNN wants them; done after every move."""
        flatten(self.stack, self._weights())

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        super()._apply(fn, recurse)
        self.flatten_parameters()
        return self

    @property
    def num_layers(self) -> int:
        """Layers on layers."""
        return self.stack.num_layers

    @property
    def bidirectional(self) -> bool:
        """Whether each layer reads both ways."""
        return self.stack.bidirectional

    @property
    def dropout(self) -> float:
        """Probability of dropping a value between two layers while training."""
        return self.stack.dropout

    @property
    def output_size(self) -> int:
        """Width of the output, both directions together."""
        return self.stack.directions * self.state_sizes[0]

    def initial_state(self, batch: int) -> LayerState:
        """Return the state before the first step: zeros, or what was learned.

        Parameters
        ----------
        batch : int
            How many records.

        Returns
        -------
        Tensor or tuple of Tensor, each (layers·directions, batch, size)
            As `forward` takes and gives it.

        Examples
        --------
        >>> import recurra.layers
        >>> recurra.layers.GRU(3, 8, num_layers=2).initial_state(5).shape
        torch.Size([2, 5, 8])
        """
        return self._public(self._initial(batch, self._weights()[0].weight_ih))

    def forward(
        self,
        x: Tensor | PackedSequence,
        state: LayerState | None = None,
        *,
        lengths: Lengths | None = None,
    ) -> tuple[Tensor | PackedSequence, LayerState]:
        """Read whole sequences.

        Parameters
        ----------
        x : Tensor, shape (time, batch, inputs), or PackedSequence
            (batch, time, inputs) with ``batch_first=True``; (time, inputs) for a single record.
        state : Tensor or tuple of Tensor, each (layers·directions, batch, size), optional
            The state to go on from; without it that of `initial_state`.
        lengths : Tensor or sequence of int, shape (batch,), optional
            The real steps of each record, 0 to ``time``. What stands beyond is never felt.

        Returns
        -------
        output : Tensor, shape (time, batch, directions·outputs), or PackedSequence
            Of the last layer, laid out as ``x``; exactly 0 beyond a record's length.
        state : Tensor or tuple of Tensor, each (layers·directions, batch, size)
            After each record's own last step; the state before, if it has none.

        Examples
        --------
        >>> import torch, recurra.layers
        >>> layer = recurra.layers.LSTM(3, 8, batch_first=True)
        >>> output, (h, c) = layer(torch.ones(2, 5, 3), lengths=[5, 2])
        >>> output.shape, output[1, 2:].any().item()
        (torch.Size([2, 5, 8]), False)
        """
        if isinstance(x, PackedSequence):
            return self._forward_packed(x, state, lengths)
        if type(x) is Tensor and x.dim() == 3:
            found = self._stepped(x, state) if lengths is None else None
            found = found or self._repeated(x, state, lengths)
            if found is not None:
                return found
        weights = self._weights()
        check_input(self, x, weights[0].weight_ih, ragged=lengths is not None)
        if x.dim() == 2:
            return self._forward_one(x, state)
        x = x.transpose(0, 1) if self.batch_first else x
        steps, batch, _ = x.shape
        before: State | None = None  # zeros, which cost the native kernels nothing
        if state is not None:
            before = check_state(self, state, (batch,), x)
        elif self._initial_names:
            before = self._initial(batch, x)
        counts = None if lengths is None else check_lengths(lengths, batch, steps)
        plan, training = self._plan(), self.training
        output, after = kernels.run(plan, x, before, weights, counts, training=training)
        if not self._initial_names and (short := self._short()) is not None:
            self._repeating.learn(x, before, short, counts)
        return (output.transpose(0, 1) if self.batch_first else output), self._public(after)

    def step(self, x_t: Tensor, state: LayerState | None = None) -> tuple[Tensor, LayerState]:
        """Read one step of each record, in constant time and memory.

        Parameters
        ----------
        x_t : Tensor, shape (batch, inputs)
            The input of this step.
        state : Tensor or tuple of Tensor, each (layers, batch, size), optional
            The state after the step before; without it that of `initial_state`.

        Returns
        -------
        y_t : Tensor, shape (batch, outputs)
            The output of this step.
        state : Tensor or tuple of Tensor, each (layers, batch, size)
            The state after it.

        Raises
        ------
        OptionError
            If the layer reads both ways: the way back begins at the end. Or if it drops, while
            training, units of what is fed back: it does so for all of a record.

        Notes
        -----
        Zoneout and dropout between layers draw anew at each step, here as in `forward`, so that
        steps train the layer as whole records do. ``layer.eval()`` first, to forecast.

        Examples
        --------
        >>> import torch, recurra.layers
        >>> layer = recurra.layers.GRU(3, 8)
        >>> state = layer.initial_state(batch=2)
        >>> for x_t in torch.ones(5, 2, 3):
        ...     y_t, state = layer.step(x_t, state)
        >>> y_t.shape
        torch.Size([2, 8])
        """
        found = self._stepped(x_t, state) if x_t.dim() == 2 else None
        if found is not None:
            return found
        self._check_step(x_t)
        time = 1 if self.batch_first else 0
        y, state = self.forward(x_t.unsqueeze(time), state)
        assert isinstance(y, Tensor)
        return y.squeeze(time), state

    def _check_step(self, x_t: Tensor) -> None:
        """Check that the layer can step, and that this is one."""
        name = type(self).__name__
        if self.bidirectional:
            raise OptionError(
                f"A bidirectional {name} cannot step: its way back begins at the end. "
                "Use bidirectional=False, or layer(x) on whole records."
            )
        if self.training and self.stack.recurrent_dropout:
            raise OptionError(
                f"{name} cannot step while recurrent_dropout acts: it drops the same units all "
                "along a record. Use layer.eval() first, or layer(x) on whole records to train."
            )
        if x_t.dim() != 2:
            raise ShapeError(
                f"x_t has shape {tuple(x_t.shape)}, but {name}.step reads "
                f"(batch, {self.input_size}). Use x_t.unsqueeze(0) for a single record, "
                "layer(x) for more than one step."
            )

    def _stepped(self, x_t: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState] | None:
        """One step by the shortest way; None where the usual way has to look at it."""
        if state is None or torch.is_grad_enabled():
            return None
        if x_t.dim() == 3 and x_t.shape[1 if self.batch_first else 0] != 1:
            return None
        before = (state,) if isinstance(state, Tensor) else state
        if len(before) != len(self.letters) or (weights := self._short()) is None:
            return None
        found = self._stepping.step(x_t, before, weights)
        return None if found is None else (found[0], self._public(found[1]))

    def _repeated(
        self, x: Tensor, state: LayerState | None, lengths: Lengths | None
    ) -> tuple[Tensor, LayerState] | None:
        """Whole records by the shortest way, if they are shaped as those before."""
        if self._initial_names or (weights := self._short()) is None:
            return None
        before = (state,) if isinstance(state, Tensor) else state
        if before is not None and len(before) != len(self.letters):
            return None
        x = x.transpose(0, 1) if self.batch_first else x
        if not self._repeating.expects(x, before, weights, ragged=lengths is not None):
            return None
        counts = None if lengths is None else check_lengths(lengths, x.shape[1], x.shape[0])
        y, after = self._repeating.run(x, before, weights, counts)
        return (y.transpose(0, 1) if self.batch_first else y), self._public(after)

    def _short(self) -> list[tuple[Tensor, ...]] | None:
        """The weights as the short ways take them; None where only the usual way is right."""
        if torch.compiler.is_compiling() or (self.training and self.stack.dropout):
            return None
        held: Any = self._parameters
        try:
            return [weights_of(held) for weights_of in self._plain_weights]
        except KeyError:  # pruned, say, or parametrised
            return None

    def choice(self, x: Tensor, *, lengths: Lengths | None = None) -> Choice:
        """Say which backend would run an input, and why.

        Parameters
        ----------
        x : Tensor
            As for `forward`.
        lengths : Tensor or sequence of int, shape (batch,), optional
            As for `forward`.

        Returns
        -------
        Choice
            The backend and the reason.

        Examples
        --------
        >>> import torch, recurra.layers
        >>> print(recurra.layers.Jordan(3, 8).choice(torch.ones(5, 2, 3)))
        reference: ...torch has no Jordan kernel; ...
        """
        check_input(self, x, self._weights()[0].weight_ih, ragged=lengths is not None)
        if x.dim() == 2:
            x = x.unsqueeze(1)
        elif self.batch_first:
            x = x.transpose(0, 1)
        counts = None if lengths is None else check_lengths(lengths, x.shape[1], x.shape[0])
        return kernels.choose(self._plan(), x, counts)

    def arguments(self) -> dict[str, Any]:
        """Return the arguments that build a layer of the same kind, but for device and dtype.

        Returns
        -------
        dict of str to object
            Of the constructor, by name.

        Examples
        --------
        >>> import recurra.layers
        >>> layer = recurra.layers.GRU(3, 8, zoneout=0.1)
        >>> recurra.layers.GRU(**layer.arguments())
        GRU(3, 8, zoneout=0.1)
        """
        names = [name for name in inspect.signature(type(self)).parameters if name not in _PLACE]
        homes = (self.stack if hasattr(self.stack, name) else self for name in names)
        return {name: getattr(home, name) for name, home in zip(names, homes, strict=True)}

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the layer into one file: its arguments and its weights, and nothing that runs.

        Parameters
        ----------
        path : str or path-like
            The file; `recurra.layers.load` builds the layer again, and `recurra.runtime.load`
            runs it without torch.

        Raises
        ------
        OptionError
            If the weights are of a type that NumPy lacks, such as bfloat16.
        FileError
            If the file cannot be written.

        Notes
        -----
        The weights are written as they act: pruned, say, or normalised by a parametrisation.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import recurra.layers
        >>> with TemporaryDirectory() as folder:
        ...     recurra.layers.GRU(3, 8).save(f"{folder}/gru.recurra")
        ...     recurra.layers.load(f"{folder}/gru.recurra")
        GRU(3, 8)
        """
        weights = {name: getattr(self, name).detach().cpu() for name in self._saved_names()}
        for name, weight in weights.items():
            if weight.dtype not in (torch.float16, torch.float32, torch.float64):
                raise OptionError(
                    f"{name} is {weight.dtype}, which a file cannot hold. "
                    "Use layer.float() before layer.save()."
                )
        # not the class that a parametrisation puts in its place
        own = next(one for one in type(self).__mro__ if "__init__" in vars(one))
        header = {"layer": own.__name__, "arguments": self.arguments()}
        write_model(path, header, {name: weight.numpy() for name, weight in weights.items()})

    def extra_repr(self) -> str:
        """Describe the layer as ``torch.nn`` does: the sizes, and what is not as usual.

        Returns
        -------
        str
            What stands between the brackets of ``repr``.
        """
        usual = {
            "proj_size": 0,
            "nonlinearity": "tanh",
            "num_layers": 1,
            "bias": True,
            "batch_first": False,
            "dropout": 0,
            "bidirectional": False,
            "learn_initial_state": False,
        }
        shown = {name: getattr(self, name, value) for name, value in usual.items()}
        unusual = {name: value for name, value in shown.items() if value != usual[name]}
        unusual |= {name: getattr(self.stack, name) for name in self.stack.options}
        unusual |= {"recompute": True} if self.stack.recompute else {}
        said = (f"{name}={value}" for name, value in unusual.items())
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *said])

    def _plan(self) -> Stack:
        """The stack as it acts now."""
        return self.stack if self.training else _resting(self.stack)

    def _weights(self) -> list[Weights]:
        """The weights as they are now: replaced, parametrised and pruned ones included."""
        held = self._parameters
        return [
            Weights(
                *(
                    None if name is None else held[name] if name in held else getattr(self, name)
                    for name in names
                )  # type: ignore[arg-type]
            )
            for names in self._weight_names
        ]

    def _saved_names(self) -> list[str]:
        """The names of what a file holds: all parameters, and buffers if there are any."""
        names = [name for run in self._weight_names for name in run if name is not None]
        return names + [name for letter in self._initial_names for name in letter]

    def _initial(self, batch: int, like: Tensor) -> State:
        if not self._initial_names:
            runs = self.stack.runs
            return tuple(like.new_zeros(runs, batch, size) for size in self.state_sizes)
        return tuple(
            torch.stack([getattr(self, name) for name in names])[:, None].repeat(1, batch, 1)
            for names in self._initial_names
        )

    def _public(self, state: State) -> LayerState:
        """The state as a caller sees it: a tensor, or an LSTM's pair."""
        return state if len(self.letters) > 1 else state[0]

    def _forward_one(self, x: Tensor, state: LayerState | None) -> tuple[Tensor, LayerState]:
        """Read a single record (time, inputs): torch's unbatched call."""
        batch_axis = 0 if self.batch_first else 1
        if state is not None:
            parts = check_state(self, state, (), x)
            state = self._public(tuple(part.unsqueeze(1) for part in parts))
        output, after = self.forward(x.unsqueeze(batch_axis), state)
        assert isinstance(output, Tensor)
        parts = (after,) if isinstance(after, Tensor) else after
        return output.squeeze(batch_axis), self._public(tuple(part.squeeze(1) for part in parts))

    def _forward_packed(
        self, x: PackedSequence, state: LayerState | None, lengths: Lengths | None
    ) -> tuple[PackedSequence, LayerState]:
        """Read a PackedSequence and give one back, in the same order."""
        if lengths is not None:
            raise ShapeError("A PackedSequence holds its own lengths. Leave lengths= away.")
        padded, counts = pad_packed_sequence(x, batch_first=self.batch_first)
        output, after = self.forward(padded, state, lengths=counts)
        assert isinstance(output, Tensor)
        if x.sorted_indices is not None:
            output = output.index_select(0 if self.batch_first else 1, x.sorted_indices)
            counts = counts[x.sorted_indices.cpu()]
        data = pack_padded_sequence(output, counts, batch_first=self.batch_first).data
        return PackedSequence(data, x.batch_sizes, x.sorted_indices, x.unsorted_indices), after


def _resting(stack: Stack) -> Stack:
    """The stack without recurrent dropout, as it is when not training: torch's kernels know it."""
    return replace(stack, recurrent_dropout=0.0) if stack.recurrent_dropout else stack
