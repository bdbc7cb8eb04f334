"""One label for each step of a record: words of a sentence, steps of measurements."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import numpy as np
import torch
from scipy.special import softmax

from recurra.artifact import take
from recurra.data import ParquetRecords, Preprocessor, SequenceDataset, Stream
from recurra.data.tables.notes import counted, tell
from recurra.data.treatments import Spell, Treatment, Vocabulary
from recurra.errors import DataError, DataWarning, OptionError
from recurra.estimators.learning.options import check_flag
from recurra.estimators.learning.record_checks import check_filled
from recurra.estimators.learning.record_defaults import default_treatments, tell_of_holes
from recurra.estimators.learning.record_inputs import Shape, conform
from recurra.estimators.learning.record_targets import label_array, labels_of_numbers, recode
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import Label, agree
from recurra.estimators.learning.shown import Shown, Sure
from recurra.estimators.records.layer_options import DROPS, LAYERS, check_layer, set_scales
from recurra.estimators.records.record_plan import plan_from_dict, plan_network, plan_to_dict
from recurra.estimators.records.record_states import RecordStates
from recurra.estimators.records.steps import read_step
from recurra.estimators.records.tagger_answers import by_record, judged, measured, step_answers
from recurra.estimators.records.tagger_baseline import most_frequent
from recurra.estimators.records.tagger_inputs import check_one_clock, read_steps
from recurra.estimators.records.tagger_session import TaggerSession
from recurra.estimators.records.wanted import Wanted, chosen_step, log_odds
from recurra.estimators.records.worth_a_look import shown_labels
from recurra.metrics.spans import Span, is_bio, span_scores, spans_of
from recurra.models import NetworkPlan, TaggingNetwork
from recurra.training import Training

if TYPE_CHECKING:
    from torch import Tensor

    from recurra.explaining import Question
    from recurra.types import Array, Floats

__all__ = ["Tagger"]

EPOCHS, FEWEST, MOST = 12, 600, 30_000
UNKNOWN = r"\d+ values? of .* unknown and w"
"""What `Vocabulary` tells of words never seen; a tagger reads those by their letters."""


class Tagger(RecordStates):
    """Says one label for each step of a record: a recurrent network over its steps.

    Records are lists of words, or measurements with holes, irregular times and several streams, as
    `Classifier` reads them. A word is read by itself, in small letters, if it was seen twice in
    training, and by its letters; so a word never seen has a label too. Labels that are unknown
    (None or NaN) count in no loss and no score. A record without steps gets no labels.

    Parameters
    ----------
    layer : {"lstm", "gru", "rnn", "grud"}
        The recurrent layer; ``"grud"`` is for measurements, as in `Classifier`.
    hidden_size, num_layers : int
        Units in a layer (in each direction), and layers on layers.
    bidirectional : bool or "auto"
        Whether it also reads backwards, so that a label depends on what comes after its step.
        ``"auto"`` does so where words are tagged. ``stream()`` needs False.
    crf : bool
        Whether a label also depends on its neighbours: a conditional random field says which
        sequence of labels is the most probable (Huang et al. 2015, arXiv:1508.01991). Of use where
        labels make up spans (B-PER I-PER O).
    encoder_size : int, optional
        Width of embedded words, and of what is made of their letters (96 by default); of a linear
        projection of measurements (by default they go in as they are).
    join : {"concatenate", "gated"}
        How several streams, which have the same steps, are read together.
    input_dropout, dropout, recurrent_dropout, channel_dropout : float
        Probabilities of dropping, while training: a unit of what the layer reads (the same at all
        steps of a record); a unit of words and their letters (likewise), and of what the layer
        says; of the state; and a whole channel of a record.
    memory : int, optional
        The longest dependency that is looked for, in steps: the gates of LSTM and GRU layers begin
        with memories of many lengths up to it (Tallec & Ollivier 2018, arXiv:1804.11188).
    treatments : Preprocessor, sequence of Treatment or "auto"
        What is done to the data first; they must keep the steps.
    validation : float
        Share of the records, or groups, held back to stop the training, by the share of wrong
        labels; 0, or fewer than ten held back, for none.
    training : Training, optional
        How to train; by default twelve times through the records, 64 at a time (16 of fewer than
        1280), with 600 steps at least.
    warm_start : bool
        Whether `fit` goes on from the weights of the last `fit`; all else stays as it was learned.
    seed : int
        Source of all chance.

    Attributes
    ----------
    classes_ : ndarray
        The labels, sorted.
    preprocessor_ : Preprocessor
        The fitted treatments.
    network_ : TaggingNetwork
        The trained network.
    log_ : Log
        What happened in training.
    notes_ : tuple of str
        What the data needed, with counts.

    Examples
    --------
    >>> from recurra import Tagger, Training
    >>> X = [["the", "cat", "sleeps"], ["a", "dog", "barks"], ["Tom", "sleeps"]] * 4
    >>> y = [["DET", "NOUN", "VERB"], ["DET", "NOUN", "VERB"], ["NAME", "VERB"]] * 4
    >>> model = Tagger(hidden_size=8, training=Training(steps=60)).fit(X, y)
    >>> model.predict([["the", "dog", "sleeps"], []])
    [array(['DET', 'NOUN', 'VERB'], dtype=object), array([], dtype=object)]
    """

    network_: TaggingNetwork

    def __init__(
        self,
        layer: Literal["lstm", "gru", "rnn", "grud"] = "lstm",
        *,
        hidden_size: int = 128,
        num_layers: int = 1,
        bidirectional: bool | Literal["auto"] = "auto",
        crf: bool = False,
        encoder_size: int | None = None,
        join: Literal["concatenate", "gated"] = "concatenate",
        input_dropout: float = 0.0,
        dropout: float = 0.4,
        recurrent_dropout: float = 0.0,
        channel_dropout: float = 0.0,
        memory: int | None = None,
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.15,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.crf = crf
        self.encoder_size = encoder_size
        self.join = join
        self.input_dropout = input_dropout
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.channel_dropout = channel_dropout
        self.memory = memory
        self.treatments = treatments
        self.validation = validation
        self.training = training
        self.warm_start = warm_start
        self.seed = seed

    # ------------------------------------------------------------------ answer

    def predict(self, X: Any, **how: Any) -> list[Array]:
        """Say the label of each step.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of ndarray, each of shape (steps,)
            The most probable labels; with ``crf=True`` those of the most probable sequence, which
            need not be the most probable one by one.
        """
        return [self.classes_[codes] for codes in self._each(X, how)]

    def predict_proba(self, X: Any, **how: Any) -> list[Floats]:
        """Say how probable each label is at each step.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of ndarray of float64, each of shape (steps, classes)
            In the order of `classes_`. With ``crf=True`` the marginals: the sum over all sequences
            of labels that have this one there.
        """
        return self._each(X, how, chances=True)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None, **how: Any) -> float:
        """Return the share of steps whose label is right, of those whose label is known.

        Parameters
        ----------
        X : as for `fit`
            The records.
        y : list of array-like, optional
            Their labels; not needed where the data set brings them.
        sample_weight : array-like, shape (records,), optional
            How much the steps of each record count.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        float
            The accuracy, 0 to 1; NaN where no label is known.

        Raises
        ------
        DataError
            If a label was never seen in training; it says where.
        """
        how = {**how, "weights": sample_weight}
        parts = X.blocks() if isinstance(X, ParquetRecords) else (X,)
        counts = [self._counted(self._asked(part, y, how)) for part in parts]
        right, total = np.sum(counts, 0)
        return float(right / total) if total else float("nan")

    def spans(self, X: Any, **how: Any) -> list[list[Span]]:
        """Find the spans that the labels make up, where they are B-kind, I-kind and O.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of list of Span
            ``(start, stop, kind)`` of each span of each record; `recurra.metrics.spans_of` says how
            broken sequences are read.

        Raises
        ------
        OptionError
            If the labels are not of that form.
        """
        self._check_bio()
        return [spans_of(labels) for labels in self.predict(X, **how)]

    def span_f1(self, X: Any, y: Any = None, **how: Any) -> float:
        """Return how many spans were found, as the harmonic mean of precision and recall.

        Parameters
        ----------
        X : as for `fit`
            The records.
        y : list of array-like, optional
            Their labels; not needed where the data set brings them.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        float
            The micro average over all kinds, 0 to 1; `recurra.metrics.span_scores` has it for each.

        Raises
        ------
        OptionError
            If the labels are not B-kind, I-kind and O.
        """
        self._check_bio()
        truth, answers = [], []
        for part in X.blocks() if isinstance(X, ParquetRecords) else (X,):
            dataset = self._asked(part, y, how)
            truth += by_record(dataset, self.classes_, dataset.target.values[:, 0])
            answers += self.predict(dataset)
        return span_scores(truth, answers)["all"].f1

    def stream(self, static: Any = None) -> TaggerSession:
        """Tag a record while it comes.

        Parameters
        ----------
        static : array-like or dict, optional
            What holds for the whole record, where the model learned from such.

        Returns
        -------
        TaggerSession
            ``session.step(word)``, or ``session.step(row, time)``, says how probable each label is
            at this step, shape (classes,): the same as `predict_proba` for the whole record.

        Raises
        ------
        OptionError
            If it cannot: with ``crf=True``, where it also reads backwards (as it does with words
            unless ``bidirectional=False``), or with treatments that look ahead.

        Examples
        --------
        >>> from recurra import Tagger, Training
        >>> X, y = [[1.0, 5.0, 2.0], [4.0, 0.0]] * 6, [["low", "high", "low"], ["high", "low"]] * 6
        >>> model = Tagger(hidden_size=8, training=Training(steps=120)).fit(X, y)
        >>> session = model.stream()
        >>> [model.classes_[session.step(value).argmax()] for value in (5.0, 1.0)]
        ['high', 'low']
        """
        self._check_fitted()
        return TaggerSession(self, static)

    # ------------------------------------------------------------------ inside

    def _step_of(self, shape: Shape, row: Any, time: Any, given: bool) -> Stream:
        """Read one step of one stream."""
        spelt = any(isinstance(each, Spell) for each in self.preprocessor_.treatments)
        if given and spelt and shape.kind == "tokens" and not isinstance(row, str):
            message = f"A step is one word, but a {type(row).__name__} came"
            raise DataError(message, code="no_text", value=row, hint="Give text, word by word.")
        return read_step(shape, row, time, given)

    def _said(self, raw: Mapping[str, Floats]) -> Floats:
        """Turn what the network says of one step into probabilities."""
        (each,) = raw.values()
        return softmax(each[0, 0])

    def _question(
        self,
        X: Any,
        target: Any,
        *,
        step: int | None = None,
        baseline: Any = None,
        **how: Any,
    ) -> Question:
        """See `Learner._question`; `step` is the step whose label is explained."""
        from recurra.estimators.records.record_question import ask

        records, beside = self._one_to_ask(X, how), None
        if baseline is not None:
            beside = self._one_to_ask(baseline, how, "baseline")
        return ask(self, records, beside, partial(self._wanted, target, step))

    def _wanted(self, target: Any, step: int | None, raw: Mapping[str, Tensor]) -> Wanted:
        """Choose the label that is explained."""
        ((name, logits),) = raw.items()
        at = chosen_step(step, logits.shape[1])
        crf = self.network_.crf
        if crf is None:
            return log_odds(name, self.classes_.tolist(), target, logits, step=at)
        labels = self.classes_.tolist()
        chances = crf.marginals(logits[:, :, 0], torch.tensor([logits.shape[1]]))
        return log_odds(name, labels, target, chances[:, :, None], step=at, crf=crf)

    def _steps_shown(self, dataset: SequenceDataset) -> list[Array]:
        return self.predict(dataset)

    def _numbers_for(self, dataset: SequenceDataset) -> dict[str, list[Floats]]:
        """Say how probable each label is at each step."""
        chances = self.predict_proba(dataset)
        labels = self.classes_.tolist()
        return {str(each): [part[:, k] for part in chances] for k, each in enumerate(labels)}

    def _sureness(self, dataset: SequenceDataset) -> list[Sure]:
        """Give the probabilities of all steps, one record after the other."""
        chances = np.concatenate(self.predict_proba(dataset))
        return [Sure("the labels", chances, dataset.target.values[:, 0])]

    def _worth_a_look(self, dataset: SequenceDataset) -> list[Shown]:
        """Choose steps whose labels are explained."""
        (every,) = self._sureness(dataset)
        ends = np.cumsum(next(iter(dataset.streams.values())).lengths)

        def where(answer: int) -> tuple[int, dict[str, Any]]:
            place = int(np.searchsorted(ends, answer, side="right"))
            return place, {"step": int(answer - (ends[place - 1] if place else 0))}

        return shown_labels(every.chances, every.codes, self.classes_.tolist(), where)

    def _steps(self, X: Any, y: Any, how: Mapping[str, Any]) -> SequenceDataset:
        """Read records; empty ones are sentences where sentences were learned from."""
        words = self._fitted and any(each.kind == "tokens" for each in self._shapes.values())
        return read_steps(X, y, words=words, **how)

    def _to_ask(self, X: Any, how: Mapping[str, Any]) -> SequenceDataset:
        """Read records that are asked about; those without steps stay."""
        self._check_fitted()
        dataset = conform(replace(self._steps(X, None, how), targets={}), self._shapes)
        check_one_clock(dataset, self.network_.stream)
        return dataset

    def _asked(self, X: Any, y: Any, how: Mapping[str, Any]) -> SequenceDataset:
        """Read records with labels that are to be compared with."""
        self._check_fitted()
        dataset = self._steps(X, y, how)
        if not dataset.targets:
            message = "There is nothing to compare with: y is missing"
            raise DataError(message, code="no_target", hint="Give score(X, y).")
        return self._recoded(dataset)

    def _counted(self, dataset: SequenceDataset) -> tuple[float, float]:
        """Count the known labels that are answered rightly, and all of them, by weight."""
        codes = np.concatenate([*self._each(dataset, {}), np.zeros(0, np.int64)])
        truth, weights = dataset.target.values[:, 0], dataset.weights
        stream = dataset.streams[str(dataset.target.stream)]
        counts = (truth >= 0) * (1.0 if weights is None else weights[stream.owners])
        return (counts * (codes == truth)).sum(), counts.sum()

    def _each(self, X: Any, how: Mapping[str, Any], chances: bool = False) -> list[Array]:
        """Give the label of each step as a code, or how probable each is, record by record."""
        self._check_fitted()
        if isinstance(X, ParquetRecords):
            return [each for block in X.blocks() for each in self._each(block, how, chances)]
        treated = self._treated_again(self._to_ask(X, how))
        return step_answers(self.network_, treated, chances)

    def _treated_again(self, dataset: SequenceDataset) -> SequenceDataset:
        """Treat new records; words that were never seen are read by their letters, and not told."""
        with warnings.catch_warnings():
            if any(isinstance(each, Spell) for each in self.preprocessor_.treatments):
                warnings.filterwarnings("ignore", UNKNOWN, DataWarning)
            treated = self.preprocessor_.transform(dataset)
        stream = self.network_.stream
        if not np.array_equal(treated.streams[stream].offsets, dataset.streams[stream].offsets):
            raise OptionError(
                "The treatments change the steps, and each step has a label. Use others."
            )
        check_filled(treated, self.layer == "grud")
        return treated

    def _check_bio(self) -> None:
        self._check_fitted()
        if not is_bio(self.classes_):
            some = ", ".join(map(repr, self.classes_[:5].tolist()))
            raise OptionError(f"Spans are made up of labels O, B-kind and I-kind, not of {some}.")

    # ------------------------------------------------------------------ what a task says of itself

    def _check_options(self) -> None:
        super()._check_options()
        if self.bidirectional not in (True, False, "auto"):
            raise OptionError(f"bidirectional={self.bidirectional!r}: it is True, False or 'auto'.")
        check_flag("crf", self.crf)
        if self.join not in ("concatenate", "gated"):
            raise OptionError(f"join={self.join!r}, but it is 'concatenate' or 'gated'.")
        check_layer(self, both=self.bidirectional is True)

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        """Read records to learn from; those without steps have nothing to teach."""
        dataset = self._steps(X, y, how)
        there = dataset.lengths > 0
        if there.all() or not there.any():
            return dataset
        said = f"{counted(int((~there).sum()), 'record has', 'records have')} no steps: left out."
        left = dataset.take(np.flatnonzero(there))
        return replace(left, notes=(*left.notes, tell(said)))

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        """Check that there is one label for each step, of two or more kinds."""
        target = dataset.target
        if target.level != "step" or len(target.outputs) > 1:
            message = (
                f"A Tagger learns one label for each step, but y is one for each {target.level}"
            )
            raise OptionError(f"{message}. Use Classifier or Transcriber, or give a label a step.")
        check_one_clock(dataset, str(target.stream))
        if not target.classes:
            target = labels_of_numbers(target, dataset.ids, type(self).__name__)
        found = np.unique(target.values[target.values >= 0])
        if len(found) < 2:
            raise DataError(
                "Every step has the same label",
                code="one_class",
                value=target.classes[int(found[0])],
                hint="Give steps of two or more.",
            )
        self.classes_ = label_array(target.classes)
        return self._recoded(replace(dataset, targets={next(iter(dataset.targets)): target}))

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        (name,) = dataset.targets
        target = recode(dataset.target, tuple(self.classes_.tolist()), dataset.ids)
        return replace(dataset, targets={name: target})

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:
        decays = self.layer == "grud"
        usual, told = default_treatments(kept, decays), tell_of_holes(kept, decays)
        if not _words(kept):
            return usual, told
        rest = [each for each in usual if not isinstance(each, Vocabulary)]
        return [Spell(), Vocabulary(min_count=2), *rest], told

    def _check_treated(self, treated: SequenceDataset) -> None:
        check_filled(treated, self.layer == "grud")
        if self.layer == "grud" and any(s.kind != "values" for s in treated.streams.values()):
            raise OptionError('layer="grud" reads measurements. Use "lstm" or "gru" for words.')

    def _default_training(self, records: int) -> Training:
        batch_size = 64 if records >= 1280 else 16
        steps = int(np.clip(EPOCHS * -(-records // batch_size), FEWEST, MOST))
        return Training(
            steps=steps,
            batch_size=batch_size,
            learning_rate=5e-3,
            weight_decay=1e-2,
            warmup=50,
            check_every=max(steps // 12, 20),
            patience=6,
        )

    def _plan(self, treated: SequenceDataset) -> NetworkPlan:
        """Plan the network that suits treated data."""
        both = bool(_words(treated)) if self.bidirectional == "auto" else self.bidirectional
        names = ("hidden_size", "num_layers")
        options: dict[str, Any] = {name: getattr(self, name) for name in (*names, *DROPS)}
        join = "late" if len(treated.streams) == 1 else self.join
        options |= {"bidirectional": both, "join": join, "pooling": ("last",)}
        return plan_network(treated, self.encoder_size, options)

    def _network(self, treated: SequenceDataset) -> TaggingNetwork:
        network = self._built(self._plan(treated))
        set_scales(network, treated, self.memory)
        for name, stream in treated.streams.items():
            if stream.kind == "tokens":
                (labels,) = stream.categories.values()
                counts = np.bincount(stream.values[:, 0].astype(np.int64), minlength=len(labels))
                network.set_counts(name, torch.from_numpy(counts))
        return network

    def _network_header(self) -> dict[str, Any]:
        return plan_to_dict(self.network_.plan)

    def _network_from(self, header: Mapping[str, Any]) -> TaggingNetwork:
        return self._built(plan_from_dict(header))

    def _built(self, plan: NetworkPlan) -> TaggingNetwork:
        """Make a network with random weights."""
        return TaggingNetwork(plan, LAYERS[self.layer], self.crf)

    def _mean_loss(self, network: Any, waiting: SequenceDataset) -> float:
        return judged(network, waiting)

    def _scores(self, part: SequenceDataset) -> list[Score]:
        codes = np.concatenate(self._each(part, {}))
        return measured(type(self).__name__, part, self.classes_, codes)

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        model, codes = most_frequent(kept, part)
        return measured(model, part, self.classes_, codes)

    def _state(self) -> dict[str, Any]:
        return {"classes": self.classes_}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        self.classes_ = label_array(take(_State, state, "header.learned")["classes"])
        (answer,) = self.network_.plan.answers.values()
        agree(len(self.classes_), answer.classes, "classes")


class _State(TypedDict):
    """What was learned besides the network, as JSON holds it."""

    classes: list[Label]


def _words(dataset: SequenceDataset) -> list[str]:
    """Name the streams that hold words."""
    found: list[str] = Spell().learn(dataset)["streams"]
    return found
