"""What is asked of a network of records, for explanations: one number, of one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from recurra.data.batching import pad_records
from recurra.data.sequences import STATIC
from recurra.data.treatments.spell import LETTERS
from recurra.errors import DataError, OptionError
from recurra.estimators.learning.record_checks import answerable
from recurra.estimators.learning.record_inputs import conform
from recurra.estimators.records.record_looks import Looks
from recurra.explaining import Question, Read
from recurra.layers import GRUD
from recurra.models import RecordBatch
from recurra.models.records.changed_steps import changed_steps
from recurra.models.records.encoders import ValueEncoder
from recurra.models.records.looked_up import (
    attended,
    decays,
    look_up,
    read_changed,
    repeated,
)

if TYPE_CHECKING:
    from recurra.data import SequenceDataset
    from recurra.estimators.records.wanted import Wanted
    from recurra.models import SequenceNetwork

__all__ = ["RecordQuestion", "ask", "one_record"]

LONG = 256  # steps from which on it takes long to read a record once for each of them


def one_record(
    model: Any, read: Callable[[Any], SequenceDataset], X: Any, name: str
) -> SequenceDataset:
    """Read the record that is asked about.

    Parameters
    ----------
    model : RecordEstimator or Tagger
        Which has learned what streams there are.
    read : callable
        Reads records as the model does.
    X : as for `predict`
        What came.
    name : str
        What it is called.

    Returns
    -------
    SequenceDataset
        Of one record.

    Raises
    ------
    OptionError
        If there is not exactly one.
    DataError
        If it has no steps.
    """
    dataset = conform(replace(read(X), targets={}), model._shapes)
    if len(dataset) != 1:
        raise OptionError(
            f"{name} holds {len(dataset)} records, but one answer is explained at a time: give "
            f"{name}[:1], a list of one."
        )
    if not answerable(dataset).all():
        message = "The record has no steps, so there is nothing to explain"
        hint = "Rows of missing values at the end are no steps: give a record with a value."
        raise DataError(message, code="empty_series", hint=hint, record=dataset.ids[0])
    return dataset


def ask(
    model: Any,
    dataset: SequenceDataset,
    baseline: SequenceDataset | None,
    choose: Callable[[Mapping[str, Tensor]], Wanted],
) -> RecordQuestion:
    """Ask a fitted model about one record.

    Parameters
    ----------
    model : RecordEstimator or Tagger
        The model.
    dataset : SequenceDataset
        The record.
    baseline : SequenceDataset, optional
        Another record, of the same length, to compare with.
    choose : callable
        Chooses the number by what the network says of the record.

    Returns
    -------
    RecordQuestion
        The question.
    """
    treated = model._treated_again(dataset)
    batch = RecordBatch.of(pad_records(treated, [0]))
    beside = None
    if baseline is not None:
        beside = RecordBatch.of(pad_records(_alike(model, baseline, treated), [0]))
    with torch.no_grad():
        wanted = choose(model.network_(batch))
    looks = Looks.of(dataset, treated, model.preprocessor_)

    def untrained(seed: int) -> SequenceNetwork:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            fresh: SequenceNetwork = model._built(model.network_.plan)
        _keep_scales(model.network_, fresh)
        return fresh.eval()

    return RecordQuestion(model.network_, batch, beside, looks, wanted, untrained)


class RecordQuestion(Question):
    """One number of what a network of records says of one record.

    Parameters
    ----------
    network : SequenceNetwork
        The network.
    batch : RecordBatch
        The record, treated.
    beside : RecordBatch, optional
        The record that is the baseline; None for what is read where nothing is known.
    looks : Looks
        What steps and channels are called, and hold.
    wanted : Wanted
        The number.
    untrained : callable
        Makes a network of the same make from a seed.
    """

    def __init__(
        self,
        network: SequenceNetwork,
        batch: RecordBatch,
        beside: RecordBatch | None,
        looks: Looks,
        wanted: Wanted,
        untrained: Callable[[int], SequenceNetwork],
    ) -> None:
        self.network, self.batch, self.beside, self.looks = network, batch, beside, looks
        self.wanted, self.asked = wanted, wanted.asked
        self.untrained = untrained
        self.smooth = not any(decays(network, name) for name in network.plan.inputs)
        self.parts: dict[str, tuple[str, slice]] = {}
        self.reads = self._reads()

    def answer(self, values: Mapping[str, Tensor]) -> Tensor:
        """See `Question.answer`."""
        count = len(next(iter(values.values())))
        return self.wanted.pick(
            read_changed(self.network, self._numbers(values), repeated(self.batch, count))
        )

    def randomised(self, seed: int) -> RecordQuestion:
        """See `Question.randomised`."""
        beside = (self.batch, self.beside, self.looks, self.wanted, self.untrained)
        return RecordQuestion(self.untrained(seed), *beside)

    def occluded_steps(self, stream: str) -> Tensor | None:
        """See `Question.occluded_steps`: of long records."""
        read = self.reads[stream]
        if stream == STATIC or len(read.values) < LONG:
            return None
        numbers = self._numbers({name: each.values[None] for name, each in self.reads.items()})
        other = read.baseline[None]
        return changed_steps(self.network, numbers, other, self.batch, self.wanted.pick)

    def attention(self) -> dict[str, Tensor] | None:
        """See `Question.attention`."""
        with torch.no_grad():
            found = attended(self.network, self.batch)
        if found is None:
            return None
        none = {name: torch.zeros(len(read.values)) for name, read in self.reads.items()}
        return none | {name: each[0] for name, each in found.items() if name in none}

    def _numbers(self, values: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Give each stream of the network its columns."""
        return {name: values[read][..., columns] for name, (read, columns) in self.parts.items()}

    @torch.no_grad()
    def _reads(self) -> dict[str, Read]:
        """Say what is read of each stream; words and their letters together."""
        numbers, reads = look_up(self.network, self.batch), dict[str, Read]()
        compared = {} if self.beside is None else look_up(self.network, self.beside)
        for name, found in numbers.items():
            base = compared[name][0] if compared else self._nothing(name, found[0])
            read = self.looks.read(
                self._encoder(name), name, found[0], base, decays(self.network, name)
            )
            whole, begun = name, 0
            word = reads.get(name.removesuffix(LETTERS))
            if word is not None and len(word.values) == len(read.values):
                whole, begun = name.removesuffix(LETTERS), word.values.shape[1]
                read = _side_by_side(word, read)
            reads[whole] = read
            self.parts[name] = whole, slice(begun, read.values.shape[1])
        return reads

    def _encoder(self, name: str) -> Any:
        """Find what looks a stream up."""
        if name == STATIC:
            return self.network.static
        return self.network.encoders[list(self.network.plan.inputs).index(name)]

    def _nothing(self, name: str, found: Tensor) -> Tensor:
        """Give what is read where nothing is known, and in columns that say so themselves."""
        encoder = self._encoder(name)
        if decays(self.network, name) or not isinstance(encoder, ValueEncoder):
            return torch.zeros_like(found)
        base, unknown = encoder.nothing(found), self.looks.unknown.get(name, {})
        for column, channel in enumerate(self.looks.plain(encoder, name)):
            if channel in unknown:
                # of a whole record nearly all is known: a network has hardly seen it otherwise
                own = name == STATIC
                base[:, column] = found[:, column] if own else torch.from_numpy(unknown[channel])
        return base


def _side_by_side(first: Read, second: Read) -> Read:
    return replace(
        first,
        values=torch.cat([first.values, second.values], -1),
        baseline=torch.cat([first.baseline, second.baseline], -1),
        columns=(*first.columns, *second.columns),
        shown=None,
    )


def _alike(model: Any, baseline: SequenceDataset, treated: SequenceDataset) -> SequenceDataset:
    """Treat the record to compare with; refuse one of another length."""
    found: SequenceDataset = model._treated_again(baseline)
    for name, stream in treated.streams.items():
        have, must = int(found.streams[name].lengths[0]), int(stream.lengths[0])
        if have != must:
            raise OptionError(
                f"The baseline has {have} steps in stream {name!r}, but the record has {must}. "
                "Give one of the same length."
            )
    return found


def _keep_scales(network: nn.Module, fresh: nn.Module) -> None:
    """Give layers that read times the scales that follow from the data, not from training."""
    for ours, theirs in zip(network.modules(), fresh.modules(), strict=True):
        if isinstance(ours, GRUD) and isinstance(theirs, GRUD):
            theirs.mean.copy_(ours.mean)
            theirs.time_scale.copy_(ours.time_scale)
