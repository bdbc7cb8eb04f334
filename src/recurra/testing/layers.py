"""The laws of a recurrent layer, each a function that raises if a layer breaks it.

A layer here is any module that is called ``output, state = layer(x, state, lengths=lengths)``, has
``input_size`` and ``batch_first``, and takes and gives its state as a tensor or a tuple of tensors
with the batch on axis 1. With ``bidirectional=True`` the laws of time do not apply to it; without
a method ``step`` the law of stepping does not.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from recurra.testing.strategies import RaggedBatch, over_ragged_batches

__all__ = [
    "LAWS",
    "check_layer",
    "cutting_anywhere_changes_nothing",
    "neighbours_change_nothing",
    "padding_changes_no_bit",
    "stepping_is_the_same_as_reading",
    "the_empty_record_keeps_its_state",
    "the_future_does_not_touch_the_past",
]

Law = Callable[[nn.Module, RaggedBatch], None]


def padding_changes_no_bit(layer: nn.Module, batch: RaggedBatch) -> None:
    """Check that amount and content of the padding leave output, state and gradients as they are.

    Parameters
    ----------
    layer : Module
        The layer.
    batch : RaggedBatch
        An input.
    """
    plain = _Reading(layer, _padded(batch, extra=0, content=0.0), batch.lengths)
    steps = batch.values.shape[1]
    for extra in (0, 1, 5):
        for content in (0.0, 1e30, float("inf"), float("nan")):
            values = _padded(batch, extra=extra, content=content)
            other = _Reading(layer, values, batch.lengths)
            padding = ~torch.nn.functional.pad(batch.real, (0, extra))
            said = f"with {extra} more steps of padding that hold {content}"
            assert not other.output[padding].any(), f"the output is not 0 in the padding {said}"
            assert not other.values_gradient[padding].any(), f"the padding has a gradient {said}"
            pairs = [
                ("output", other.output[:, :steps], plain.output),
                ("gradient of x", other.values_gradient[:, :steps], plain.values_gradient),
                *(("state", *pair) for pair in zip(other.state, plain.state, strict=True)),
                *(
                    ("gradient", *pair)
                    for pair in zip(other.gradients, plain.gradients, strict=True)
                ),
            ]
            for name, ours, theirs in pairs:
                assert ours.isfinite().all(), f"the {name} is not finite {said}"
                assert torch.equal(ours, theirs), f"the {name} changes {said}"


def neighbours_change_nothing(layer: nn.Module, batch: RaggedBatch) -> None:
    """Check that a record's answer is the same alone as in a batch.

    Parameters
    ----------
    layer : Module
        The layer.
    batch : RaggedBatch
        An input.
    """
    together = _Reading(layer, batch.values, batch.lengths)
    for record in range(len(batch.lengths)):
        one = slice(record, record + 1)
        alone = _Reading(layer, batch.values[one], batch.lengths[one])
        _close(layer, together.output[record], alone.output[0], f"output of record {record}")
        for ours, theirs in zip(together.state, alone.state, strict=True):
            _close(layer, ours[:, record], theirs[:, 0], f"state of record {record}")


def cutting_anywhere_changes_nothing(layer: nn.Module, batch: RaggedBatch) -> None:
    """Check that two halves, the state carried, give what the whole gives, gradients included.

    Parameters
    ----------
    layer : Module
        The layer; one that reads both ways is let be.
    batch : RaggedBatch
        An input.
    """
    if _reads_both_ways(layer):
        return
    whole = _Reading(layer, batch.values, batch.lengths)
    for cut in range(1, batch.values.shape[1]):
        halves = _Reading(layer, batch.values, batch.lengths, cut=cut)
        _close(layer, halves.output, whole.output, f"output after a cut at step {cut}")
        for ours, theirs in zip(halves.state, whole.state, strict=True):
            _close(layer, ours, theirs, f"state after a cut at step {cut}")
        for ours, theirs in zip(halves.gradients, whole.gradients, strict=True):
            _close(layer, ours, theirs, f"a gradient after a cut at step {cut}")


def stepping_is_the_same_as_reading(layer: nn.Module, batch: RaggedBatch) -> None:
    """Check that ``layer.step``, one step after another, gives what the whole gives.

    Parameters
    ----------
    layer : Module
        The layer; one that reads both ways, or has no ``step``, is let be.
    batch : RaggedBatch
        An input; its lengths are not used.
    """
    if _reads_both_ways(layer) or not hasattr(layer, "step"):
        return
    step: Any = layer.step
    full = torch.full_like(batch.lengths, batch.values.shape[1])
    whole = _Reading(layer, batch.values, full)
    state = None
    for t in range(batch.values.shape[1]):
        with torch.no_grad():
            y, state = step(batch.values[:, t], state)
        _close(layer, y, whole.output[:, t], f"output of step {t}")
    for ours, theirs in zip(_parts(state), whole.state, strict=True):
        _close(layer, ours, theirs, "state after the last step")


def the_future_does_not_touch_the_past(layer: nn.Module, batch: RaggedBatch) -> None:
    """Check that no output changes when what comes after it does, be it to NaN.

    Parameters
    ----------
    layer : Module
        The layer; one that reads both ways is let be.
    batch : RaggedBatch
        An input.
    """
    if _reads_both_ways(layer):
        return
    whole = _Reading(layer, batch.values, batch.lengths)
    for now in range(batch.values.shape[1]):
        values = batch.values.clone()
        values[:, now:] = float("nan")
        with torch.no_grad():
            output, _ = _read(layer, values, None, batch.lengths)
        _close(layer, output[:, :now], whole.output[:, :now], f"output before step {now}")


def the_empty_record_keeps_its_state(layer: nn.Module, batch: RaggedBatch) -> None:
    """Check that a state passes through a record of length 0 without losing a bit.

    Parameters
    ----------
    layer : Module
        The layer.
    batch : RaggedBatch
        An input; some of its records, and then all, are taken for empty.
    """
    before = _Reading(layer, batch.values, batch.lengths).state
    before = tuple(part + 0.5 for part in before)
    for counts in (batch.lengths, torch.zeros_like(batch.lengths)):
        with torch.no_grad():
            _, after = _read(layer, batch.values, before, counts)
        for ours, theirs in zip(_parts(after), before, strict=True):
            kept = counts == 0
            assert torch.equal(ours[:, kept], theirs[:, kept]), "an empty record's state changes"


LAWS: tuple[Law, ...] = (
    padding_changes_no_bit,
    neighbours_change_nothing,
    cutting_anywhere_changes_nothing,
    stepping_is_the_same_as_reading,
    the_future_does_not_touch_the_past,
    the_empty_record_keeps_its_state,
)
"""Every law of a layer."""


def check_layer(make_layer: Callable[[], nn.Module], *, examples: int = 20) -> None:
    """Check every law over ragged batches that hypothesis draws.

    Parameters
    ----------
    make_layer : callable
        Builds the layer, without chance: no dropout, or not training. Make it small.
    examples : int, default 20
        Batches for each law.

    Raises
    ------
    AssertionError
        With the law that does not hold and the smallest batch found that shows it.

    Examples
    --------
    >>> from recurra.layers import GRU
    >>> check_layer(lambda: GRU(2, 3), examples=2)
    """
    layer = make_layer()
    dtype = next(layer.parameters()).dtype
    inputs: Any = layer.input_size
    for law in LAWS:
        over_ragged_batches(partial(law, layer), inputs, dtype=dtype, examples=examples)


class _Reading:
    """One pass of a layer forth and back, batch first: output, state and all gradients."""

    def __init__(
        self, layer: nn.Module, values: Tensor, lengths: Tensor, cut: int | None = None
    ) -> None:
        values = values.clone().requires_grad_()
        if cut is None:
            output, state = _read(layer, values, None, lengths)
        else:
            early = lengths.clamp(max=cut)
            first, state = _read(layer, values[:, :cut], None, early)
            second, state = _read(layer, values[:, cut:], state, lengths - early)
            output = torch.cat([first, second], dim=1)
        self.output = output.detach()
        self.state = tuple(part.detach() for part in _parts(state))
        sources = [values, *(one for one in layer.parameters() if one.requires_grad)]
        weighed = [(one * _coefficients(one)).sum() for one in (output, *_parts(state))]
        loss = torch.stack(weighed).sum()
        if loss.requires_grad:
            gradients = torch.autograd.grad(loss, sources, materialize_grads=True)
        else:  # not a single real step
            gradients = tuple(torch.zeros_like(one) for one in sources)
        self.values_gradient, *self.gradients = gradients


def _read(layer: nn.Module, values: Tensor, state: Any, lengths: Tensor) -> tuple[Tensor, Any]:
    """Call a layer with the batch first, whatever it likes itself."""
    if getattr(layer, "batch_first", False):
        output, state = layer(values, state, lengths=lengths)
        return output, state
    output, state = layer(values.transpose(0, 1), state, lengths=lengths)
    return output.transpose(0, 1), state


def _parts(state: Any) -> tuple[Tensor, ...]:
    return (state,) if isinstance(state, Tensor) else tuple(state)


def _padded(batch: RaggedBatch, *, extra: int, content: float) -> Tensor:
    """The values with ``extra`` more steps, and ``content`` wherever there is no real step."""
    values = torch.nn.functional.pad(batch.values, (0, 0, 0, extra))
    real = torch.nn.functional.pad(batch.real, (0, extra))
    return torch.where(real[..., None], values, content)


def _coefficients(tensor: Tensor) -> Tensor:
    """A different weight for each place, the same however far the axes go."""
    axes = [torch.arange(size, dtype=tensor.dtype) for size in tensor.shape]
    angles = sum(
        (axis + 1).sqrt().reshape([-1 if one == place else 1 for one in range(tensor.dim())])
        * (place + 1)
        for place, axis in enumerate(axes)
    )
    return torch.cos(torch.as_tensor(angles))


def _close(layer: nn.Module, ours: Tensor, theirs: Tensor, what: str) -> None:
    """Within 1e-12 in float64 and 1e-6 in lower precision, of the scale of the values.

    A layer norm divides by a spread that may be near 0, and magnifies what rounding did before it.
    """
    normalised = getattr(getattr(layer, "stack", None), "layer_norm", False)
    tolerance = 1e-12 if ours.dtype == torch.float64 else 5e-5 if normalised else 1e-6
    scale = max(1.0, float(theirs.abs().max())) if theirs.numel() else 1.0
    apart = float((ours - theirs).abs().max()) if theirs.numel() else 0.0
    assert apart <= tolerance * scale, f"{what} differs by {apart:.2e}"


def _reads_both_ways(layer: nn.Module) -> bool:
    return bool(getattr(layer, "bidirectional", False))
