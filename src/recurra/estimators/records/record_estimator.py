"""What estimators that answer by `SequenceNetwork` have in common: options, treatments, answers."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recurra.artifact import take
from recurra.data import ParquetRecords, Preprocessor, SequenceDataset, Stream
from recurra.data.tables.notes import tell
from recurra.data.treatments import Fill, Grams, Indicators, SinceObserved, Treatment
from recurra.errors import OptionError
from recurra.estimators.learning.diagnosed import padded
from recurra.estimators.learning.options import check_choice
from recurra.estimators.learning.record_batches import answers
from recurra.estimators.learning.record_checks import (
    answerable,
    check_filled,
    tell_of_copies,
    tell_of_new_holes,
)
from recurra.estimators.learning.record_defaults import (
    choose_fronts,
    default_treatments,
    holds_grams,
    tell_of_holes,
    text_training,
)
from recurra.estimators.learning.record_inputs import Shape, as_dataset
from recurra.estimators.learning.text_units import UNITS, Unit, Units
from recurra.estimators.records.calibration import chances_of
from recurra.estimators.records.imitated import Imitated
from recurra.estimators.records.layer_options import DROPS, LAYERS, check_layer, set_scales
from recurra.estimators.records.record_plan import plan_from_dict, plan_network, plan_to_dict
from recurra.estimators.records.session import RecordSession
from recurra.estimators.records.steps import read_step
from recurra.models import Answer, NetworkPlan, SequenceNetwork
from recurra.training import Training
from recurra.types import Floats

if TYPE_CHECKING:
    from torch import Tensor

    from recurra.diagnosing import Examined
    from recurra.estimators.records.wanted import Wanted
    from recurra.explaining import Question

__all__ = ["RecordEstimator"]

FRONTS = ("auto", "convolution")
HIDDEN = 0.1  # of the tokens, while training, where their n-grams are counted


class RecordEstimator(Imitated):
    """Reads records with recurrent layers; see `Classifier`, `Regressor` and `Tagger`."""

    network_: SequenceNetwork

    def __init__(
        self,
        layer: Literal["lstm", "gru", "rnn", "grud"] = "gru",
        *,
        hidden_size: int = 64,
        num_layers: int = 1,
        bidirectional: bool = False,
        pooling: str | Sequence[str] = ("last", "mean", "max"),
        encoder_size: int | None = None,
        shortcut: bool = False,
        front: Literal["auto", "convolution"] | None = "auto",
        skip: bool | Literal["auto"] = "auto",
        join: Literal["late", "concatenate", "gated"] = "late",
        input_dropout: float = 0.1,
        dropout: float = 0.3,
        recurrent_dropout: float = 0.0,
        channel_dropout: float = 0.0,
        memory: int | None = None,
        unit: Unit = "auto",
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float | Literal["auto"] = 0.15,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.encoder_size = encoder_size
        self.shortcut = shortcut
        self.front = front
        self.skip = skip
        self.join = join
        self.input_dropout = input_dropout
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.channel_dropout = channel_dropout
        self.memory = memory
        self.unit = unit
        self.treatments = treatments
        self.validation = validation
        self.training = training
        self.warm_start = warm_start
        self.seed = seed

    # ------------------------------------------------------------------ answer

    def _raw(self, X: Any, **how: Any) -> dict[str, Any]:
        """Answer for each record, as the network says it; NaN where nothing is known of it."""
        if isinstance(X, ParquetRecords):
            self._check_fitted()
            parts = [self._raw(block) for block in X.blocks()]
            return {name: _together([part[name] for part in parts]) for name in parts[0]}
        dataset = self._to_ask(X, how)
        there = answerable(dataset)
        if there.all():
            return self._answered(dataset)
        first = dataset.ids[int(np.argmin(there))]
        count = int((~there).sum())
        said = f"{count} of {len(there)} records have no steps and get no answer (NaN or None)"
        tell(f"{said}: the first is {first!r}.")
        found: dict[str, Any] = {
            name: _nothing(each, len(there)) for name, each in self.network_.plan.answers.items()
        }
        if there.any():
            places = np.flatnonzero(there)
            for name, raw in self._answered(dataset.take(places)).items():
                for place, each in zip(places, raw, strict=True):
                    found[name][place] = each
        return found

    def _answered(self, dataset: SequenceDataset) -> dict[str, Any]:
        """Treat records, each with something known, and answer for them."""
        return answers(self.network_, self._treated_again(dataset))

    def _treated_again(self, dataset: SequenceDataset) -> SequenceDataset:
        """Treat new records as those learned from."""
        kinds = {type(each) for each in self.preprocessor_.treatments}
        if Fill in kinds and not kinds & {Indicators, SinceObserved}:
            tell_of_new_holes(dataset)
        treated = self.preprocessor_.transform(dataset)
        check_filled(treated, self.layer == "grud")
        return treated

    def stream(self, static: Any = None) -> RecordSession:
        """Begin a record that comes step by step.

        Parameters
        ----------
        static : array-like or dict, optional
            What holds for the whole record, where the model learned from such.

        Returns
        -------
        RecordSession
            Its ``step(row, time)`` answers for the record so far, in constant time and memory.

        Raises
        ------
        OptionError
            If the model reads backwards, or a treatment looks ahead.
        """
        self._check_fitted()
        return RecordSession(self, static)

    # ------------------------------------------------------------------ inside

    def _step_of(self, shape: Shape, row: Any, time: Any, given: bool) -> Stream:
        """Read one step of a stream as one row, or as none."""
        return read_step(shape, row, time, given)

    @abstractmethod
    def _said(self, raw: dict[str, Floats]) -> Any:
        """Put what the network says of one record, by target, in the words of the task."""

    def _question(
        self,
        X: Any,
        target: Any,
        *,
        answer: str | None = None,
        step: int | None = None,
        baseline: Any = None,
        **how: Any,
    ) -> Question:
        """See `Learner._question`; `answer` is one of several targets."""
        from recurra.estimators.records.record_question import ask

        records, beside = self._one_to_ask(X, how), None
        if baseline is not None:
            beside = self._one_to_ask(baseline, how, "baseline")
        return ask(self, records, beside, partial(self._wanted, target, answer, step))

    @abstractmethod
    def _wanted(
        self, target: Any, answer: str | None, step: int | None, raw: Mapping[str, Tensor]
    ) -> Wanted:
        """Choose the number that is explained, of what the network says of the record."""

    def _begin(self, *data: Any, **more: Any) -> None:
        """Learn everything; what a step of a text is, too."""
        self._units = Units(self.unit)
        super()._begin(*data, **more)

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        return as_dataset(X, y, units=self._units, **how)

    def _ready(self, kept: SequenceDataset) -> tuple[str, ...]:
        """Tell of channels that are the answer itself, and how texts are read."""
        words = {"word": "word by word", "char": "character by character"}
        found = self._units.found.items()
        read = (f"The texts of {name!r} are read {words[unit]}." for name, unit in found)
        return (*tell_of_copies(kept), *read)

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:
        decays = self.layer == "grud"
        return default_treatments(kept, decays), tell_of_holes(kept, decays)

    def _check_treated(self, treated: SequenceDataset) -> None:
        check_filled(treated, self.layer == "grud")

    def _network(self, treated: SequenceDataset) -> SequenceNetwork:
        network = self._built(self._plan(treated))
        set_scales(network, treated, self.memory)
        return network

    def _default_training(self, records: int) -> Training:
        if self._counts_tokens:
            return text_training(records)
        return super()._default_training(records)

    @property
    def _counts_tokens(self) -> bool:
        """Whether n-grams are read, which are soon learned by heart."""
        return any(isinstance(each, Grams) for each in self.preprocessor_.treatments)

    def _network_header(self) -> dict[str, Any]:
        return plan_to_dict(self.network_.plan)

    def _network_from(self, header: Mapping[str, Any]) -> SequenceNetwork:
        return self._built(plan_from_dict(header))

    def _built(self, plan: NetworkPlan) -> SequenceNetwork:
        """Make a network with random weights."""
        return SequenceNetwork(plan, LAYERS[self.layer])

    def _plan(self, treated: SequenceDataset) -> NetworkPlan:
        """Plan the network that suits treated data."""
        names = ("hidden_size", "num_layers", "bidirectional", "shortcut", "join")
        options = {name: getattr(self, name) for name in (*names, *DROPS)}
        pooling = (self.pooling,) if isinstance(self.pooling, str) else tuple(self.pooling)
        fronts = {}
        if self.front is not None and self.layer != "grud":
            fronts = choose_fronts(treated, self.join != "late", self.front == "auto")
        skip = bool(fronts) if self.skip == "auto" else self.skip
        own = {"pooling": pooling, "fronts": fronts, "skip": skip}
        if holds_grams(treated):
            own |= {"bag": True, "token_dropout": HIDDEN}
        return plan_network(treated, self.encoder_size, {**options, **own})

    def _with_answers(self, shown: Examined, treated: SequenceDataset) -> Examined:
        """Show what was answered for whole records, and what of it was wrong."""
        from recurra.diagnosing import Answers, Chances

        read = padded(treated)
        raw = answers(self.network_, treated) if shown.hole is None else {}
        found, chances = [], []
        for name, answer in self.network_.plan.answers.items():
            if answer.level != "record" or name not in raw:
                continue
            wanted, said = treated.targets[name].values, np.asarray(raw[name], np.float64)
            if answer.classes:
                codes, said = wanted[:, 0], chances_of(said[:, 0], self._temperature)
                wanted = np.where(codes[:, None] >= 0, np.eye(answer.classes)[codes], np.nan)
                if answer.outputs == 1:
                    chances.append(Chances(said, codes))
            if read is not None:
                spread = np.nanvar(wanted, axis=0)
                found.append(Answers(wanted - said, spread, *read))
        one = chances[0] if len(chances) == 1 else None
        return replace(shown, answers=tuple(found), chances=one)

    @property
    def _temperature(self) -> float:
        """What logits are divided by, where that was learned."""
        return float(getattr(self, "temperature_", 1.0))

    def _state(self) -> dict[str, Any]:
        return {"units": self._units.found}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        units = dict[str, Literal["word", "char"]]
        self._units = Units(self.unit, take(units, state.get("units", {}), "header.learned.units"))

    def _check_options(self) -> None:
        super()._check_options()
        check_choice("unit", self.unit, UNITS)
        if self.front is not None:
            check_choice("front", self.front, FRONTS)
        if not (isinstance(self.skip, bool) or self.skip == "auto"):
            raise OptionError(f"skip={self.skip!r}, but it is True, False or 'auto'.")
        if self.layer == "grud" and self.front == "convolution":
            raise OptionError(
                'layer="grud" reads the mask and the times of its input, which convolutions do not '
                'keep: front=None, or layer="gru".'
            )
        check_layer(self, both=bool(self.bidirectional))


def _together(parts: list[Any]) -> Any:
    """Put the answers for several parts of the records one after the other."""
    if isinstance(parts[0], list):
        return [each for part in parts for each in part]
    return np.concatenate(parts)


def _nothing(answer: Answer, records: int) -> Any:
    """Give what is answered where nothing is known: NaN, or no steps."""
    size = (answer.outputs, answer.classes) if answer.classes else (answer.outputs,)
    if answer.level == "step":
        return [np.zeros((0, *size)) for _ in range(records)]
    return np.full((records, *size), np.nan)
