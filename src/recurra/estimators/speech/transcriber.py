"""Speech to text: learns from recordings and what was said in them, without any alignment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal, Self, final

import numpy as np
from torch import nn

from recurra import layers
from recurra.artifact import closed, take
from recurra.data import Preprocessor, SequenceDataset
from recurra.data.reading.transcripts import frames_needed
from recurra.data.tables.notes import tell
from recurra.data.treatments import LogMel, Scale, Treatment
from recurra.errors import FileError, OptionError, check_count
from recurra.estimators.learning.learner import Learner
from recurra.estimators.learning.options import check_choice, check_share
from recurra.estimators.learning.record_batches import endless, mean_loss
from recurra.estimators.learning.record_checks import check_filled
from recurra.estimators.learning.record_defaults import default_treatments
from recurra.estimators.learning.record_inputs import as_dataset
from recurra.estimators.learning.record_targets import recode
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import agree
from recurra.estimators.speech.learned_text import as_text_model
from recurra.estimators.speech.recordings import (
    STREAM,
    TARGET,
    is_one,
    read_recordings,
    read_said,
    said_in,
)
from recurra.estimators.speech.transcription_answers import (
    error_rate,
    log_probabilities,
    rated,
    states_of,
)
from recurra.estimators.speech.transcription_stream import TranscriptionStream
from recurra.metrics import character_error_rate, word_error_rate
from recurra.models import TranscriptionNetwork, TranscriptionPlan
from recurra.models.speech.ctc_decoding import Prior, best_path, prefix_beam_search
from recurra.training import Callback, Training

if TYPE_CHECKING:
    from recurra.explaining import Question
    from recurra.types import Array, Booleans, Floats

__all__ = ["Transcriber"]

LAYERS = {"gru": layers.GRU, "lstm": layers.LSTM, "rnn": layers.RNN}
AHEAD, AROUND = 20, 3
"""Steps after a frame that a network sees which reads forwards only: 0.2 s. One that reads both
ways sees as many as before it."""
TRIFLE = 1e-3  # of the loss, which decides where the rates of errors are equal
NOTHING = "nothing"  # what a frame is called in which no symbol is said
WIDE = 16  # beams, where a language model is given


@final
class Transcriber(Learner):
    r"""Writes down what is said in recordings: log-mel bands, a recurrent network, CTC.

    A convolution and recurrent layers say at each frame how probable each symbol is, or a blank.
    Where in a recording a symbol was said is not told to them: connectionist temporal
    classification sums over all ways the transcript could lie in it (Graves et al. 2006). The text
    is the most probable symbol of each frame, or the best found by a prefix beam search, in which a
    language model may have its say (Hannun et al. 2014, arXiv:1408.2873).

    Parameters
    ----------
    layer : {"gru", "lstm", "rnn"}
        The recurrent layer.
    unit : {"char", "word"}
        What a symbol is: characters spell words never heard before; words are for small
        vocabularies, and for labels that are parted by spaces, such as phones.
    hidden_size, num_layers : int
        Units in a layer, and layers on layers.
    bidirectional : bool
        Whether it also reads backwards. It learns faster and is right more often so; but only
        ``bidirectional=False`` can `stream`.
    stride : int
        How many steps of 10 ms make a frame; each frame can say one symbol. Two equal ones in a row
        need a third frame between them.
    dropout : float
        Probability of dropping a value before, between and after the recurrent layers in training.
    augment : bool
        Whether recordings are distorted in training: stretched, with bands and stretches of time
        hidden (SpecAugment, arXiv:1904.08779).
    beam : int
        How many texts the search follows; 1 for the most probable symbol of each frame.
    treatments : Preprocessor, sequence of Treatment, or "auto"
        What is done to the recordings; by default `LogMel` and `Scale`.
    validation : float
        Share of the recordings held back to stop the training; with fewer than ten of them, none.
    training : Training, optional
        How to train; by default forty rounds, eighty if it reads forwards only, of 600 to 6000
        steps, of 32 recordings (8 where there are fewer than 320).
    warm_start : bool
        Whether `fit` goes on from what was learned.
    seed : int
        Same seed, same data, same machine: same bits.

    Attributes
    ----------
    symbols_ : tuple of str
        What it can write, sorted.
    rate_ : float or None
        Samples a second of the recordings it learned from; None for streams of numbers.
    preprocessor_ : Preprocessor
        The fitted treatments.
    network_ : TranscriptionNetwork
        The trained network.
    log_ : Log
        What happened in training.
    notes_ : tuple of str
        What the data needed, with counts.

    Notes
    -----
    - Recordings at another rate than `rate_` are resampled, with a note; channels are averaged.
    - A recording that is cut off, or no sound, is refused by name; so is one without a sample to
      learn from. Asked about, one without a sample gets the text ``""``, with a note.
    - An empty transcript is one: nothing is said there. Those longer than their frames allow cannot
      be learned, and are left out, with a note.
    - White space within transcripts is one space; signs are put in the form NFC of Unicode. Signs
      never learned cannot be written, and count as errors where they are scored.

    Examples
    --------
    >>> chance = np.random.default_rng(0)
    >>> def tone(letter):  # a low one for a, a high one for b, then silence
    ...     wave = np.sin(np.arange(800) * (0.3 if letter == "a" else 1.5))
    ...     return np.concatenate([wave, np.zeros(400)]) + chance.normal(0, 0.01, 1200)
    >>> said = ["".join(chance.choice(["a", "b"], chance.integers(1, 4))) for _ in range(40)]
    >>> heard = [np.concatenate([tone(letter) for letter in text]) for text in said]
    >>> quick = Training(steps=150, batch_size=8, learning_rate=1e-2)
    >>> sizes = {"hidden_size": 16, "num_layers": 1, "dropout": 0.0, "augment": False}
    >>> model = Transcriber(**sizes, training=quick)
    >>> model.fit(heard, said, rate=8000).transcribe(heard[0]) == said[0]
    True
    """

    network_: TranscriptionNetwork

    def __init__(
        self,
        layer: Literal["gru", "lstm", "rnn"] = "gru",
        *,
        unit: Literal["char", "word"] = "char",
        hidden_size: int = 128,
        num_layers: int = 2,
        bidirectional: bool = True,
        stride: int = 2,
        dropout: float = 0.2,
        augment: bool = True,
        beam: int = 1,
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.1,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.unit = unit
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.stride = stride
        self.dropout = dropout
        self.augment = augment
        self.beam = beam
        self.treatments = treatments
        self.validation = validation
        self.training = training
        self.warm_start = warm_start
        self.seed = seed

    def fit(self, X: Any, y: Any = None, **how: Any) -> Self:
        """Learn from recordings and their transcripts.

        Parameters
        ----------
        X : list of paths, list of ndarray, a folder, or SequenceDataset
            Files of sound; samples, shape (steps,) each, with ``rate=``; or what
            `recurra.data.from_audio` read.
        y : list of str, optional
            What is said in each; not needed where the data set brings it (`read_transcripts`).
        **how
            ``rate``: of arrays, their samples a second; of files, to what they are resampled. And
            ``sample_weight``, ``groups`` (such as speakers, who are held back as a whole),
            ``validation`` and ``callbacks``, as for every estimator.

        Returns
        -------
        Transcriber
            Itself.

        Raises
        ------
        FileError
            If a file is missing, damaged, or no sound; it is named.
        DataError
            If something is wrong with samples or transcripts; the message says where.
        OptionError
            If an option is impossible, or the rate of arrays is missing.
        """
        return super().fit(X, y, **how)

    # ------------------------------------------------------------------ answer

    def predict(self, X: Any, *, rate: float | None = None) -> list[str]:
        """Write down what is said in each recording.

        Parameters
        ----------
        X : as for `fit`
            The recordings.
        rate : float, optional
            Of arrays: samples a second; by default `rate_`.

        Returns
        -------
        list of str
            One text for each.
        """
        return self._texts(self._heard(X, rate), self.beam, None)

    def transcribe(
        self,
        X: Any,
        *,
        rate: float | None = None,
        beam: int | None = None,
        language_model: Any = None,
        language_weight: float = 0.5,
        length_bonus: float = 1.0,
    ) -> Any:
        r"""Write down what is said, with the help of a language model where there is one.

        The search looks for the text :math:`w` with the greatest

        .. math:: \log P(w \mid x) + α \log P(w) + β \, |w|

        Parameters
        ----------
        X : path, ndarray of shape (steps,), or as for `fit`
            One recording, or several.
        rate : float, optional
            Of arrays: samples a second; by default `rate_`.
        beam : int, optional
            How many texts are followed; by default the model's own, or 16 with a language model.
        language_model : LanguageModel, NGrams or TextModel, optional
            What says how texts go on: with ``unit`` ``"char"`` or ``"word"`` and
            ``log_probabilities(prefix)``.
        language_weight : float
            α, how much it counts.
        length_bonus : float
            β, what each of its units gains, since longer texts are less probable.

        Returns
        -------
        str or list of str
            One text for one recording, a list for several.
        """
        prior = None
        self._check_fitted()
        if language_model is not None:
            text = as_text_model(language_model)
            between = self._separator
            prior = Prior(text, self.symbols_, between, language_weight, length_bonus)
            beam = beam or (self.beam if self.beam > 1 else WIDE)
        check_count("beam", beam, optional=True)
        texts = self._texts(self._heard(X, rate), beam or self.beam, prior)
        return texts[0] if is_one(X) else texts

    def predict_proba(self, X: Any, *, rate: float | None = None) -> list[Floats]:
        """Say at each frame how probable each symbol is.

        Parameters
        ----------
        X : as for `fit`
            The recordings.
        rate : float, optional
            Of arrays: samples a second; by default `rate_`.

        Returns
        -------
        list of ndarray of float64, shape (frames, 1 + symbols)
            One for each recording: first the blank, then `symbols_`.
        """
        return [np.exp(each) for each in self._log_probabilities(self._heard(X, rate))]

    def score(self, X: Any, y: Any = None, *, rate: float | None = None) -> float:
        """Return 1 minus the error rate in the model's own unit: the higher, the better.

        Parameters
        ----------
        X, y, rate
            As for `word_error_rate`.

        Returns
        -------
        float
            1 at best; below 0 where far too much is written.
        """
        rate_of = character_error_rate if self.unit == "char" else word_error_rate
        return 1.0 - rate_of(*self._compared(X, y, rate))

    def word_error_rate(self, X: Any, y: Any = None, *, rate: float | None = None) -> float:
        """Return the share of words that have to be changed, over all recordings together.

        Parameters
        ----------
        X : as for `fit`
            The recordings.
        y : list of str, optional
            What is said in each; not needed where the data set brings it.
        rate : float, optional
            Of arrays: samples a second; by default `rate_`.

        Returns
        -------
        float
            See `recurra.metrics.word_error_rate`.
        """
        return word_error_rate(*self._compared(X, y, rate))

    def character_error_rate(self, X: Any, y: Any = None, *, rate: float | None = None) -> float:
        """Return the share of characters that have to be changed, over all recordings together.

        Parameters
        ----------
        X, y, rate
            As for `word_error_rate`.

        Returns
        -------
        float
            See `recurra.metrics.character_error_rate`.
        """
        return character_error_rate(*self._compared(X, y, rate))

    def stream(self, rate: float | None = None) -> TranscriptionStream:
        """Listen to a recording while it is made, in constant time and memory for each sample.

        Parameters
        ----------
        rate : float, optional
            Samples a second that will come; it must be `rate_`.

        Returns
        -------
        TranscriptionStream
            ``step(samples)`` returns the text so far, ``finish()`` the whole.

        Raises
        ------
        OptionError
            If the network reads backwards too, or the rate is another.

        Examples
        --------
        >>> clicks = [np.tile([0.0, 1.0], 400 * n) for n in (1, 2, 3)] * 2
        >>> once = Training(steps=1, batch_size=2)
        >>> model = Transcriber(bidirectional=False, hidden_size=4, training=once)
        >>> session = model.fit(clicks, ["a", "b", "c"] * 2, rate=8000).stream()
        >>> for k in range(0, 800, 100):
        ...     text = session.step(clicks[0][k : k + 100])
        >>> session.finish() == model.transcribe(clicks[0])
        True
        """
        self._check_fitted()
        if self.network_.plan.bidirectional:
            message = "This Transcriber also reads backwards, from an end that has not come yet"
            raise OptionError(f"{message}. Learn one with bidirectional=False.")
        if self.rate_ is None:
            raise OptionError("stream() hears samples, but this Transcriber reads other numbers.")
        if rate is not None and rate != self.rate_:
            message = f"The model hears {self.rate_:g} samples a second, not {rate:g}"
            raise OptionError(f"{message}. Record at that rate, or resample before.")
        return TranscriptionStream(
            self.network_, self.preprocessor_, self.rate_, self.symbols_, self._separator
        )

    # ------------------------------------------------------------------ inside

    @property
    def _separator(self) -> str:
        return " " if self.unit == "word" else ""

    def _heard(self, X: Any, rate: float | None) -> SequenceDataset:
        """Read what is to be transcribed."""
        data = self._to_ask(X, {"rate": rate})
        empty = np.flatnonzero(data.stream.lengths == 0)
        if empty.size:
            said = f"{empty.size} of {len(data)} recordings have no sound and get the text ''"
            tell(f"{said}: the first is {data.ids[empty[0]]!r}.")
        return data

    def _texts(self, dataset: SequenceDataset, beam: int, prior: Prior | None) -> list[str]:
        texts = []
        for told in self._log_probabilities(dataset):
            codes = _written(told, beam, prior)
            text = self._separator.join(self.symbols_[code] for code in codes)
            texts.append(text)
        return texts

    def _log_probabilities(self, dataset: SequenceDataset) -> list[Floats]:
        """Treat recordings, and let the network read them."""
        return log_probabilities(self.network_, self._treated_again(dataset))

    def _treated_again(self, dataset: SequenceDataset) -> SequenceDataset:
        """Treat new recordings as those learned from."""
        treated = self.preprocessor_.transform(dataset)
        check_filled(treated, decays=False)
        return treated

    def _states(self, dataset: SequenceDataset, layer: str) -> list[Floats]:  # noqa: ARG002
        return states_of(self.network_, self._treated_again(dataset))

    def _steps_shown(self, dataset: SequenceDataset) -> list[Array]:
        """Say the most probable symbol of each frame."""
        names = np.array([NOTHING, *self.symbols_], object)
        return [names[each.argmax(1)] for each in self._log_probabilities(dataset)]

    def _codes(self, told: Floats) -> Sequence[int]:
        """Find the symbols that the model writes."""
        return _written(told, self.beam, None)

    def _question(
        self,
        X: Any,
        target: Any,
        *,
        rate: float | None = None,
        baseline: Any = None,
        **asked: Any,
    ) -> Question:
        """See `Learner._question`; `target` is a part of what is written, or another transcript."""
        from recurra.estimators.speech.speech_question import ask

        if asked:
            raise OptionError(f"{next(iter(asked))}= is nothing that a recording is asked with.")
        return ask(self, X, target, rate, baseline)

    def _compared(self, X: Any, y: Any, rate: float | None) -> tuple[Any, list[str]]:
        """Give what was said, and what the model writes."""
        data = self._heard(X, rate)
        truth = (
            said_in(X if isinstance(X, SequenceDataset) else data, self.unit) if y is None else y
        )
        return truth, self._texts(data, self.beam, None)

    # ------------------------------------------------------------------ what a task says of itself

    def _check_options(self) -> None:
        super()._check_options()
        check_choice("layer", self.layer, LAYERS)
        check_choice("unit", self.unit, ("char", "word"))
        for name in ("hidden_size", "num_layers", "stride", "beam"):
            check_count(name, getattr(self, name))
        check_share("dropout", self.dropout)

    def _begin(
        self,
        X: Any,
        y: Any,
        how: Mapping[str, Any],
        validation: Any,
        callbacks: Sequence[Callback],
        rounds: int | None,
    ) -> None:
        self.__dict__.pop("rate_", None)  # what is read now decides
        super()._begin(X, y, how, validation, callbacks, rounds)

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        data = read_recordings(X, how.pop("rate", None), getattr(self, "rate_", None))
        if y is not None or data.targets:
            said = said_in(data, self.unit) if y is None else y
            data = replace(data, targets={TARGET: read_said(said, self.unit, data.ids)})
        return as_dataset(data, None, **how)

    def _with_known_targets(self, dataset: SequenceDataset) -> SequenceDataset:
        return dataset  # an empty transcript is known to be empty

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        self.symbols_ = tuple(str(each) for each in dataset.target.classes)
        self.rate_ = dataset.stream.rate
        return dataset

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        target = recode(dataset.target, self.symbols_, dataset.ids)
        return replace(dataset, targets={TARGET: target})

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:
        if kept.stream.kind == "signal":
            return [LogMel(), Scale()], []
        return default_treatments(kept, decays=False), []

    def _check_treated(self, treated: SequenceDataset) -> None:
        check_filled(treated, decays=False)
        if treated.stream.kind != "values":
            message = "The treatments left the signal as it was, sample by sample"
            raise OptionError(f"{message}. Put LogMel() first.")

    def _treated(self, kept: SequenceDataset) -> tuple[SequenceDataset, Preprocessor]:
        treated, preprocessor = super()._treated(kept)
        fits = self._fits(treated)
        if not fits.all():
            short = np.flatnonzero(~fits)
            said = f"{short.size} of {len(fits)} transcripts are longer than their frames allow"
            rest = "left out. Is it the right transcript? If so, lower stride"
            note = tell(f"{said}, the first that of {treated.ids[short[0]]!r}: {rest}.")
            if not fits.any():
                raise OptionError(note)
            treated = treated.take(np.flatnonzero(fits))
            treated = replace(treated, notes=(*treated.notes, note))
        return treated, preprocessor

    def _fits(self, treated: SequenceDataset) -> Booleans:
        """Say which transcripts have frames enough: one a symbol, and one between equal ones."""
        frames, target = treated.stream.lengths // self.stride, treated.target
        assert target.offsets is not None
        fits: Booleans = frames_needed(target.values, target.offsets) <= frames
        return fits & (frames > 0)

    def _default_training(self, records: int) -> Training:
        batch_size = 32 if records >= 320 else 8
        rounds = 40 if self.bidirectional else 80
        steps = int(np.clip(rounds * -(-records // batch_size), 600, 6000))
        return Training(
            steps=steps,
            batch_size=batch_size,
            learning_rate=3e-3,
            weight_decay=1e-2,
            check_every=max(steps // 40, 5),
            patience=None,
        )

    def _network(self, treated: SequenceDataset) -> TranscriptionNetwork:
        plan = TranscriptionPlan(
            STREAM,
            len(treated.stream.channels),
            len(self.symbols_),
            self.hidden_size,
            self.num_layers,
            self.bidirectional,
            width=self.hidden_size,
            stride=self.stride,
            before=AROUND,
            ahead=AROUND if self.bidirectional else AHEAD,
            dropout=self.dropout,
            augment=self.augment,
        )
        return self._built(plan)

    def _built(self, plan: TranscriptionPlan) -> TranscriptionNetwork:
        """Make a network with random weights."""
        return TranscriptionNetwork(plan, LAYERS[self.layer])

    def _network_header(self) -> dict[str, Any]:
        return asdict(self.network_.plan)

    def _network_from(self, header: Mapping[str, Any]) -> TranscriptionNetwork:
        return self._built(take(TranscriptionPlan, header, "header.network"))

    def _batches(self, treated: SequenceDataset, size: int, seed: int) -> Iterator[Any]:
        return endless(treated.take(np.flatnonzero(self._fits(treated))), size, seed)

    def _mean_loss(self, network: nn.Module, waiting: SequenceDataset) -> float:
        return error_rate(network, waiting) + TRIFLE * mean_loss(network, waiting)

    def _scores(self, part: SequenceDataset) -> list[Score]:
        data = replace(part, targets={})
        return rated("Transcriber", said_in(part, self.unit), self._texts(data, 1, None))

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        most = Counter(said_in(kept, self.unit)).most_common(1)[0][0]
        return rated("most frequent transcript", said_in(part, self.unit), [most] * len(part))

    def _state(self) -> dict[str, Any]:
        return {"symbols": self.symbols_, "rate": self.rate_}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        told = closed({"symbols": tuple[str, ...], "rate": float}, state, "header.learned")
        self.symbols_, self.rate_ = told["symbols"], told["rate"]
        agree(len(self.symbols_), self.network_.plan.symbols, "symbols")
        if not self.rate_ > 0:
            raise FileError(f"header.learned.rate is {self.rate_}, but it must be positive.")


def _written(told: Floats, beam: int, prior: Prior | None) -> Sequence[int]:
    """Find the symbols of a text, without blanks."""
    if beam > 1 or prior is not None:
        return prefix_beam_search(told, beam, prior)[0].symbols
    return best_path(told)[0]
