"""From one sequence to another: texts to texts, measurements to symbols."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from operator import eq
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np

from recurra import layers
from recurra.artifact import take
from recurra.data import Preprocessor, SequenceDataset
from recurra.data.tables.notes import tell
from recurra.data.treatments import Treatment
from recurra.errors import DataError, OptionError, check_count
from recurra.estimators.learning.learner import Learner
from recurra.estimators.learning.options import check_choice, check_share
from recurra.estimators.learning.record_checks import check_filled
from recurra.estimators.learning.record_defaults import default_treatments, tell_of_holes
from recurra.estimators.learning.record_inputs import as_dataset
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import Label, agree
from recurra.estimators.learning.simple_models import sample
from recurra.estimators.translation.decoding import (
    Codes,
    attention,
    decode,
    probabilities,
    states_of,
    summaries,
    symbol_by_symbol,
)
from recurra.estimators.translation.sequence_answers import (
    Form,
    Symbols,
    check_answers,
    coded,
    form_of,
    read_answers,
    symbols_of,
    written,
)
from recurra.estimators.translation.sequence_sources import check_sources, nearest, read_sources
from recurra.models import Input
from recurra.models.translation.sequence_to_sequence_network import (
    ATTENTIONS,
    SequenceToSequenceNetwork,
    SequenceToSequencePlan,
)
from recurra.training import Training

if TYPE_CHECKING:
    from recurra.explaining import Question
    from recurra.types import Booleans, Floats

__all__ = ["SequenceToSequence"]

LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU}
UNITS = ("char", "word")
ROUNDS, SIZE = 30, 64  # through the data, and records in a batch
FEWEST, MOST = 500, 20000  # steps
SCORED = 1000  # records that the report is of
LONGER = 1.5  # an answer may be this much longer than the longest that was learned from
EXACT = "exact answers"


class SequenceToSequence(Learner):
    r"""Answers a sequence with another, of a length of its own: an encoder, attention, a decoder.

    .. math:: p(y \mid x) = \prod_u p(y_u \mid y_{<u}, x)

    The encoder reads the source both ways; the decoder says one symbol after the other, reads each
    again, and attends to all steps of the source. After Bahdanau et al. 2014 (arXiv:1409.0473) and
    Luong et al. 2015 (arXiv:1508.04025).

    Parameters
    ----------
    layer : {"gru", "lstm"}
        The recurrent layer of both.
    hidden_size, num_layers : int
        Units in a layer, and layers on layers.
    bidirectional : bool
        Whether the source is also read backwards.
    attention : {"dot", "additive"}
        How steps of the source are scored: by a scaled product, or by a small network, which is
        slower on long sources.
    input_feeding : bool
        Whether the decoder also reads what it attended to the step before: where it has been tells
        it where to go. Without, training is faster, above all on long answers.
    dropout : float
        Probability of dropping a unit of what is read, and before a symbol is said.
    label_smoothing : float
        Share of each target that is spread over all symbols.
    scheduled_sampling : float
        Share of the decoder's own symbols, instead of the right ones, that it reads while training;
        it rises to this over the first thousand steps (Bengio et al. 2015, arXiv:1506.03099; all
        steps at once, as in arXiv:1906.04331).
    unit : {"char", "word"}
        What texts are parted in, those of X and of y.
    treatments : Preprocessor, sequence of Treatment or "auto"
        What is done to the sources first.
    validation : float
        Share of the records, or groups, held back to stop the training.
    training : Training, optional
        How to train.
    warm_start : bool
        Whether `fit` goes on from the weights that are there.
    seed : int
        Source of all chance.

    Attributes
    ----------
    symbols_ : tuple
        What answers are made of.
    longest_ : int
        The most symbols an answer may have: half as many again as the longest learned from. So
        every answer ends.
    preprocessor_, network_, log_, notes_
        The fitted treatments, the trained network, what happened in training, what the data needed.

    Notes
    -----
    A symbol of a source that was not learned is read as nothing (a vector of zeros), and told of
    with a count. A symbol of a given answer that was not learned is refused by `fit` and
    `partial_fit` once symbols are learned; `score` counts such an answer as wrong. An empty answer
    is one as any other; an empty source is refused.

    Examples
    --------
    >>> from recurra import Training
    >>> from recurra.estimators.translation.sequence_to_sequence import SequenceToSequence
    >>> X = ["ab", "ba", "abb", "bab", "aab", "bba", "a", "b"] * 5
    >>> y = [text[::-1] for text in X]
    >>> training = Training(steps=120, learning_rate=0.01)
    >>> model = SequenceToSequence(hidden_size=16, validation=0, training=training).fit(X, y)
    >>> model.predict(["bba", "ab"])
    ['abb', 'ba']
    """

    network_: SequenceToSequenceNetwork
    _came: Form = "list"
    """How the answers read last are written."""

    def __init__(
        self,
        layer: Literal["gru", "lstm"] = "gru",
        *,
        hidden_size: int = 128,
        num_layers: int = 1,
        bidirectional: bool = True,
        attention: Literal["dot", "additive"] = "dot",
        input_feeding: bool = True,
        dropout: float = 0.0,
        label_smoothing: float = 0.0,
        scheduled_sampling: float = 0.0,
        unit: Literal["char", "word"] = "char",
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.1,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.attention = attention
        self.input_feeding = input_feeding
        self.dropout = dropout
        self.label_smoothing = label_smoothing
        self.scheduled_sampling = scheduled_sampling
        self.unit = unit
        self.treatments = treatments
        self.validation = validation
        self.training = training
        self.warm_start = warm_start
        self.seed = seed

    # ------------------------------------------------------------------ answer

    def predict(
        self, X: Any, *, beam: int = 1, length_penalty: float = 1.0, **how: Any
    ) -> list[str] | list[list[Any]]:
        """Answer.

        Parameters
        ----------
        X : list of str, list of list, list of array-like, or SequenceDataset
            The sources.
        beam : int
            How many answers are followed at once; 1 takes the most probable symbol each time.
        length_penalty : float
            Of `beam_search`: 0 ranks answers by probability alone, which favours short ones.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of str or list of list
            As the answers learned from were: texts, or lists of labels.
        """
        options = {"beam": beam, "length_penalty": length_penalty}
        found = self._found(self._sources(X, **how), **options)
        return [written(each, self._form) for each in found]  # type: ignore[return-value]

    def predict_proba(self, X: Any, y: Any = None, **how: Any) -> Floats:
        """Say how probable a whole answer is: a given one, or that of `predict`.

        Parameters
        ----------
        X : as for `predict`
            The sources.
        y : list of str or list of list, optional
            Answers, one for each; 0 is the probability of one with a symbol never learned.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        ndarray of float64, shape (records,)
            The product over all symbols, and the end.
        """
        sources = self._sources(X, **how)
        answers, known = self._answers(sources, y)
        found: Floats = np.where(known, probabilities(self.network_, sources, answers), 0.0)
        return found

    def attend(self, X: Any, y: Any = None, **how: Any) -> list[Floats]:
        """Show what of the source each symbol of an answer attended to.

        Parameters
        ----------
        X : as for `predict`
            The sources.
        y : list of str or list of list, optional
            Answers, one for each; those of `predict` by default.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of ndarray of float64, shape (symbols, steps)
            One for each record; each row adds up to 1. A signal has as many steps as its encoder
            makes of it.

        Raises
        ------
        DataError
            If a given answer has a symbol that was not learned.
        """
        sources = self._sources(X, **how)
        answers, known = self._answers(sources, y)
        if not known.all():
            message = "An answer is unknown, or has a symbol that was not learned"
            record = sources.ids[int(np.argmin(known))]
            hint = f"Give answers made of {list(self.symbols_)!r}."
            raise DataError(message, code="unseen_label", record=record, hint=hint)
        return attention(self.network_, sources, answers)

    def stream(self, source: Any, **how: Any) -> Iterator[Any]:
        """Answer one source, symbol by symbol, as they come.

        The source is read when this is called; each symbol then takes constant time and memory, and
        those of `predict` come, one after the other.

        Parameters
        ----------
        source : str, list or array-like
            One record, as `fit` learned from many; or a data set of one.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        iterator
            Over the symbols of the answer.
        """
        one = source if isinstance(source, SequenceDataset) else [source]
        sources = self._sources(one, **how)
        if len(sources) != 1:
            raise OptionError(f"One source is streamed, but {len(sources)} came. Use predict.")
        coming = symbol_by_symbol(self.network_, sources, self.longest_)
        return (self.symbols_[code] for code in coming)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Return the share of answers that are right, from the first symbol to the last.

        Parameters
        ----------
        X : as for `predict`
            The sources.
        y : list of str or list of list, optional
            The right answers; not needed where the data set brings them.
        sample_weight : array-like, shape (records,), optional
            How much each record counts.

        Returns
        -------
        float
            0 to 1. An answer with a symbol never learned is never right.
        """
        self._check_fitted()
        dataset = self._read(X, y)
        if not dataset.targets:
            message = "There is nothing to compare with: y is missing"
            raise DataError(message, code="no_target", hint="Give score(X, y).")
        wanted = symbols_of(check_answers(dataset))
        right = np.array([*map(eq, self._found(self._sources(dataset)), wanted)])
        return float(np.average(right, weights=sample_weight))

    def _question(self, X: Any, target: Any, *, step: int | None = None, **asked: Any) -> Question:
        """See `Learner._question`; `step` is which symbol of the answer is asked for."""
        from recurra.estimators.translation.translation_question import ask

        return ask(self, X, target, step, asked)

    def _sources(self, X: Any, **how: Any) -> SequenceDataset:
        """Read and treat what is to be answered."""
        dataset = check_sources(self._to_ask(X, how))
        treated = self.preprocessor_.transform(dataset)
        self._check_treated(treated)
        return treated

    def _states(self, dataset: SequenceDataset, layer: str) -> list[Floats]:  # noqa: ARG002
        return states_of(self.network_, self._sources(dataset))

    def _remembered(self, dataset: SequenceDataset) -> Floats:
        return summaries(self.network_, self._sources(dataset))

    def _found(self, sources: SequenceDataset, **options: Any) -> list[Symbols]:
        """Answer treated sources."""
        found = decode(self.network_, sources, self.longest_, **options)
        return [tuple(self.symbols_[code] for code in each[0].symbols) for each in found]

    def _answers(self, sources: SequenceDataset, y: Any) -> tuple[list[Codes], Booleans]:
        """Write given answers, or those found, as codes; say which can be written so."""
        if y is None:
            found = decode(self.network_, sources, self.longest_)
            return [each[0].symbols for each in found], np.ones(len(found), bool)
        place = {symbol: code for code, symbol in enumerate(self.symbols_)}
        answers: list[Codes] = []
        known = np.ones(len(sources), bool)
        for k, each in enumerate(symbols_of(read_answers(y, sources.ids, self.unit))):
            known[k] = each is not None and all(symbol in place for symbol in each)
            answers.append([place[symbol] for symbol in each or ()] if known[k] else [])
        return answers, known

    # ------------------------------------------------------------------ what a task says of itself

    def _check_options(self) -> None:
        super()._check_options()
        check_choice("layer", self.layer, LAYERS)
        check_choice("attention", self.attention, ATTENTIONS)
        check_choice("unit", self.unit, UNITS)
        for name in ("hidden_size", "num_layers"):
            check_count(name, getattr(self, name))
        for name in ("dropout", "label_smoothing", "scheduled_sampling"):
            check_share(name, getattr(self, name))

    def _read(self, X: Any, y: Any = None, **how: Any) -> SequenceDataset:
        """Read sources of any kind, and answers if they are there."""
        told = {name: how.pop(name, None) for name in ("weights", "groups")}
        dataset = read_sources(X, self.unit, how)
        self._came = form_of(y, self.unit)
        if y is not None:
            dataset = replace(dataset, targets={"y": read_answers(y, dataset.ids, self.unit)})
        return as_dataset(dataset, **told)

    def _with_known_targets(self, dataset: SequenceDataset) -> SequenceDataset:
        """Leave out records whose answer is unknown, or unknown in part."""
        if not dataset.targets:
            return dataset
        given = symbols_of(check_answers(dataset))
        known = np.array([each is not None for each in given], bool)
        if known.all():
            return dataset
        said = f"{int((~known).sum())} of {len(dataset)} records have no known answer: left out."
        left = dataset.take(np.flatnonzero(known))
        return replace(left, notes=(*left.notes, tell(said)))

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        """Check the sources, and learn the symbols of the answers."""
        if len(dataset.streams) != 1 or dataset.static is not None:
            names = [*dataset.streams, *(["static covariates"] if dataset.static else [])]
            message = f"One stream is answered with a sequence, but there are {', '.join(names)}"
            raise OptionError(f"{message}. Leave the others out, or Align them to one.")
        target = check_answers(dataset)
        used = np.unique(target.values)
        self.symbols_ = tuple(target.classes[code] for code in used)
        self._form = self._came
        return self._recoded(dataset)

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        (name,) = dataset.targets
        target = coded(check_answers(dataset), self.symbols_, dataset.ids)
        return replace(dataset, targets={name: target})

    def _ready(self, kept: SequenceDataset) -> tuple[str, ...]:
        """Learn how long an answer may be."""
        assert kept.target.offsets is not None
        self.longest_ = math.ceil(LONGER * int(np.diff(kept.target.offsets).max()))
        return ()

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:
        return default_treatments(kept, False), tell_of_holes(kept, False)

    def _check_treated(self, treated: SequenceDataset) -> None:
        check_filled(treated, False)

    def _default_training(self, records: int) -> Training:
        steps = int(np.clip(ROUNDS * -(-records // SIZE), FEWEST, MOST))
        return Training(
            steps=steps,
            batch_size=SIZE,
            learning_rate=4e-3,
            weight_decay=1e-2,
            check_every=max(steps // 40, 5),
            patience=10,
        )

    def _network(self, treated: SequenceDataset) -> SequenceToSequenceNetwork:
        stream = treated.stream
        codes = {
            k: len(stream.categories[name])
            for k, name in enumerate(stream.channels)
            if name in stream.categories
        }
        names = ("hidden_size", "num_layers", "bidirectional", "attention", "input_feeding")
        drops = ("dropout", "label_smoothing", "scheduled_sampling")
        options = {name: getattr(self, name) for name in (*names, *drops)}
        source = Input(stream.kind, stream.channels, codes)
        plan = SequenceToSequencePlan(source, len(self.symbols_), **options)
        return self._built(plan)

    def _built(self, plan: SequenceToSequencePlan) -> SequenceToSequenceNetwork:
        """Make a network with random weights."""
        return SequenceToSequenceNetwork(plan, LAYERS[self.layer])

    def _network_header(self) -> dict[str, Any]:
        return asdict(self.network_.plan)

    def _network_from(self, header: Mapping[str, Any]) -> SequenceToSequenceNetwork:
        return self._built(take(SequenceToSequencePlan, header, "header.network"))

    def _scores(self, part: SequenceDataset) -> list[Score]:
        part = _few(part)
        found = self._found(self._sources(part))
        right = [*map(eq, found, symbols_of(part.target))]
        return [Score(type(self).__name__, EXACT, float(np.mean(right)))]

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        kept, part = sample(kept), _few(part)
        answers, wanted = symbols_of(kept.target), symbols_of(part.target)
        common, _ = Counter(answers).most_common(1)[0]
        always = [each == common for each in wanted]
        near = [answers[place] for place in nearest(kept, part)]
        return [
            Score("most frequent answer", EXACT, float(np.mean(always))),
            Score("answer of the nearest source", EXACT, float(np.mean([*map(eq, near, wanted)]))),
        ]

    def _state(self) -> dict[str, Any]:
        return {"symbols": self.symbols_, "longest": self.longest_, "form": self._form}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        told = take(_State, state, "header.learned")
        self.symbols_, self.longest_ = told["symbols"], told["longest"]
        self._form = told["form"]
        agree(len(self.symbols_), self.network_.plan.symbols, "symbols")


class _State(TypedDict):
    """What was learned besides the network, as JSON holds it."""

    symbols: tuple[Label, ...]
    longest: int
    form: Form


def _few(part: SequenceDataset) -> SequenceDataset:
    """Take some hundred records, evenly spread."""
    if len(part) <= SCORED:
        return part
    return part.take(np.linspace(0, len(part) - 1, SCORED).astype(np.int64))
