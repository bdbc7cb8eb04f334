"""A network of records, step by step: what it has read is kept in constant memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from recurra.errors import OptionError
from recurra.layers import GRUD
from recurra.models.records.bags import Bag
from recurra.models.records.encoders import SignalEncoder
from recurra.models.records.fronts import ConvolutionFront
from recurra.models.records.pooling import Pooling
from recurra.models.records.records import StreamBatch
from recurra.models.records.sequence_network import SequenceNetwork

__all__ = ["NetworkStepper", "RunningPool"]


class RunningPool:
    """A `Pooling` whose steps come one by one.

    Parameters
    ----------
    pooling : Pooling
        Of a network that reads forward only.

    Examples
    --------
    >>> pool = RunningPool(Pooling(("last", "mean", "max"), 1))
    >>> for value in (1.0, 3.0):
    ...     pool.read(torch.tensor([[value]]))
    >>> pool.pooled()
    tensor([[3., 2., 3.]])
    """

    def __init__(self, pooling: Pooling) -> None:
        self.pooling = pooling
        self.count = 0
        self.last: Tensor | None = None
        self.sum: Tensor | None = None
        self.highest: Tensor | None = None
        self.attended: tuple[Tensor, Tensor, Tensor] | None = None

    def read(self, output: Tensor) -> None:
        """Take one step in.

        Parameters
        ----------
        output : Tensor, shape (1, width)
            What the layer says.
        """
        self.count += 1
        self.last = output
        self.sum = output.double() if self.sum is None else self.sum + output.double()
        self.highest = output if self.highest is None else torch.maximum(self.highest, output)
        if "attention" in self.pooling.ways:
            self._attend(output)

    def _attend(self, output: Tensor) -> None:
        """Weigh it against those before, by the largest score so far."""
        score = self.pooling.query(torch.tanh(self.pooling.keys(output))).double()
        if self.attended is None:
            self.attended = (score, torch.ones_like(score), output.double())
            return
        top, weights, whole = self.attended
        higher = torch.maximum(top, score)
        before, now = torch.exp(top - higher), torch.exp(score - higher)
        whole = whole * before + output.double() * now
        self.attended = (higher, weights * before + now, whole)

    def pooled(self) -> Tensor:
        """Pool what was read so far.

        Returns
        -------
        Tensor, shape (1, ways · width)
            Zeros before the first step.
        """
        if self.last is None or self.sum is None or self.highest is None:
            return torch.zeros(1, self.pooling.width)
        parts = {"last": self.last, "mean": self.sum / self.count, "max": self.highest}
        if self.attended is not None:
            parts["attention"] = self.attended[2] / self.attended[1]
        return torch.cat([parts[way].to(self.last.dtype) for way in self.pooling.ways], -1)


class NetworkStepper:
    """Reads one record step by step, in constant time and memory.

    Parameters
    ----------
    network : SequenceNetwork
        Trained, in evaluation mode.

    Raises
    ------
    OptionError
        If it reads backwards, or sees stretches of a raw signal at once.
    """

    def __init__(self, network: SequenceNetwork) -> None:
        if network.plan.bidirectional:
            raise OptionError(
                "A network that also reads backwards cannot go step by step: its way back begins "
                "at the end. Fit with bidirectional=False."
            )
        for name, encoder in zip(network.plan.inputs, network.encoders, strict=True):
            if isinstance(encoder, SignalEncoder):
                raise OptionError(
                    f"Stream {name!r} is a raw signal, whose convolutions see stretches of it at "
                    "once. Use treatments=[LogMel(), Scale()] to read it step by step."
                )
        self.network = network
        self.states: dict[str, Any] = dict.fromkeys(network.reads)
        self.fronts: dict[str, Any] = dict.fromkeys(network.reads)
        self.pools = {
            name: RunningPool(pool)  # type: ignore[arg-type]
            for name, pool in zip(network.reads, network.pools, strict=True)
        }
        skipping = [name for name, s in zip(network.reads, network.skipping, strict=True) if s]
        self.skips = {
            name: RunningPool(pool)  # type: ignore[arg-type]
            for name, pool in zip(skipping, network.skips, strict=True)
        }
        self.inputs: dict[str, Tensor] = {}
        self.totals: dict[str, tuple[Tensor, int]] = {}
        self.outputs: dict[str, Tensor] = {}

    @torch.no_grad()
    def read(self, streams: Mapping[str, StreamBatch], aside: Tensor | None) -> None:
        """Read one step.

        Parameters
        ----------
        streams : dict of str to StreamBatch
            One record and one step of each stream that has one now.
        aside : Tensor, shape (1, width), optional
            The static covariates, encoded.
        """
        for name, bag in zip(self.network.counted, self.network.bags, strict=True):
            if name in streams:
                total, count = self.totals.get(name, (torch.zeros((), dtype=torch.float64), 0))
                counted = bag.steps(streams[name].values)[:, 0]  # type: ignore[operator]
                self.totals[name] = (total + counted.double(), count + 1)
        for name, values in self._encoded(streams).items():
            self.inputs[name] = values
            place = self.network.reads.index(name)
            front, fed = self.network.fronts[place], values
            if isinstance(front, ConvolutionFront):
                found, self.fronts[name] = front.step(values, self.fronts[name])
                if found is None:
                    continue
                fed = values if self.network.beside[place] else found
                if name in self.skips:
                    self.skips[name].read(found)
            elif name in self.skips:
                self.skips[name].read(values)
            self._read(name, fed, streams.get(name), aside)

    @torch.no_grad()
    def answer(self, aside: Tensor | None) -> dict[str, Tensor]:
        """Answer for the record so far, and for its last step.

        Parameters
        ----------
        aside : Tensor, shape (1, width), optional
            The static covariates, encoded.

        Returns
        -------
        dict of str to Tensor
            By target, shape (1, outputs), with a last axis of classes for labels.
        """
        network = self.network
        parts = [pool.pooled() for pool in (*self.pools.values(), *self.skips.values())]
        whole = network.joined(parts, aside)
        width = network.plan.hidden_size
        empty = torch.zeros(1, width)
        outputs = {name: self.outputs.get(name, empty) for name in network.reads}
        inputs = [
            self.inputs.get(name, torch.zeros(1, wide))
            for name, wide in zip(network.reads, network.widths, strict=True)
        ]
        return network.answered(whole, outputs, inputs, self._bags())

    def _bags(self) -> list[Tensor]:
        """Say what the tokens so far count."""
        found = []
        for name, bag in zip(self.network.counted, self.network.bags, strict=True):
            if isinstance(bag, Bag):
                total, count = self.totals.get(name, (torch.zeros(1, bag.outputs), 0))
                found.append(bag.scaled(total.float(), torch.tensor([[count]])))
        return found

    def _encoded(self, streams: Mapping[str, StreamBatch]) -> dict[str, Tensor]:
        """Encode what came, and join streams that are read together."""
        network = self.network
        encoded = {
            name: encoder(streams[name])
            for name, encoder in zip(network.plan.inputs, network.encoders, strict=True)
            if name in streams
        }
        if network.join is None:
            return {name: each.values[:, 0] for name, each in encoded.items()}
        lacking = [name for name in network.plan.inputs if name not in encoded]
        if lacking:
            raise OptionError(f"Streams that share one clock come together: {lacking} did not.")
        return {"all": network.join(encoded).values[:, 0]}

    def _read(
        self, name: str, values: Tensor, stream: StreamBatch | None, aside: Tensor | None
    ) -> None:
        """Take a step of one stream into its layer and its pool."""
        layer: Any = self.network.layers[self.network.reads.index(name)]
        if isinstance(layer, GRUD) and stream is not None:
            read, observed = stream.values[:, 0], stream.observed[:, 0]
            if aside is not None:
                read = torch.cat([read, aside], -1)
                observed = torch.cat([observed, torch.ones_like(aside, dtype=torch.bool)], -1)
            times = stream.times[:, 0]
            output, state = layer.step(read, self.states[name], observed=observed, times=times)
        else:
            whole = values if aside is None else torch.cat([values, aside], -1)
            output, state = layer.step(whole, self.states[name])
        self.states[name], self.outputs[name] = state, output
        self.pools[name].read(output)
