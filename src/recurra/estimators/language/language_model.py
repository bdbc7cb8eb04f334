"""Learns a text, and says what may follow: letter by letter, byte by byte, word by word."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal, Self, final

import numpy as np
import torch

from recurra.artifact import closed, take
from recurra.data import ParquetRecords, Preprocessor, SequenceDataset, Vocabulary
from recurra.data.treatments import Subwords, Treatment
from recurra.data.units import UNITS, TextUnit
from recurra.errors import OptionError, check_count
from recurra.estimators.language.generation import (
    Sampling,
    draw_codes,
    hold_back_stops,
    join_codes,
    list_stops,
)
from recurra.estimators.language.language_data import (
    END,
    count_letters,
    documents,
    endless_end,
    endless_rows,
    last_part,
    part_end,
    read_documents,
)
from recurra.estimators.language.language_defaults import (
    TRUNCATION,
    default_embedding_size,
    default_hidden_size,
    default_min_count,
    default_training,
    end_training,
)
from recurra.estimators.language.language_scores import (
    log_likelihoods,
    mean_loss,
    measures,
    n_gram_log_likelihoods,
)
from recurra.estimators.language.text_session import TextSession
from recurra.estimators.language.text_states import most_probable, states_of
from recurra.estimators.learning.learner import Learner
from recurra.estimators.learning.options import check_choice, check_flag, check_seed, check_share
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import Label, agree
from recurra.metrics import bits_per_character, perplexity
from recurra.models import LanguageBatch, LanguageNetwork, LanguagePlan
from recurra.training import Callback, Training, train

if TYPE_CHECKING:
    from recurra.explaining import Question
    from recurra.types import Array, Floats, Integers

__all__ = ["LanguageModel"]

MOST_WORDS = 10_000


@final
class LanguageModel(Learner):
    """Foretells the next token of a text, and writes text of its own.

    The text is laid out in rows, which are read a stretch at a time with the state carried on
    (truncated backpropagation through time), documents parted by a sign for their end. The end of
    the text is held back to stop the training by; then it is learned too.

    Parameters
    ----------
    layer : {"lstm", "gru", "rnn"}
        The recurrent layer.
    unit : {"char", "byte", "word", "subword"}
        What a token is: a letter, a Chinese character among them; a byte of UTF-8; a word, a sign
        or an end of line; a piece of a word, learned from the text by byte-pair encoding (needs
        ``recurra[text]``).
    vocabulary_size : int, optional
        The most tokens there may be: the commonest letters or words, 10 000 words if None; the
        pieces of words, from 256 on, if None as many as `recurra.data.treatments.Subwords` learns.
    min_count : int, optional
        A letter or word that is rarer in the training text is unknown. If None, 1; for words of a
        text of 10 000 or more, 2.
    hidden_size : int, optional
        Units in a layer; if None about half the root of the number of tokens, from 64 to 512.
    num_layers : int
        Layers on layers.
    embedding_size : int, optional
        Width of a token; if None 128, or 256 where there are more than 512 tokens.
    tie_weights : bool
        Whether a token is foretold by the weights it is read by (arXiv:1608.05859), behind a
        projection where a token is not as wide as a layer.
    input_dropout : float
        Probability that a channel of the embedding is dropped, at all steps of a stretch together.
    dropout : float
        The same for what each layer says, to the next and to the answer.
    recurrent_dropout : float
        The same for the state that is fed back.
    weight_dropout : float
        Probability that a weight of the fed back state is dropped (arXiv:1708.02182).
    treatments : Preprocessor, sequence of Treatment, or "auto"
        What is done to the tokens; by default `Vocabulary`, or `Subwords`, or nothing to bytes.
    validation : float
        Share of the tokens held back, the last of the text; at most 50 000, and none where they
        would be less than 100. The report is of that part, or of the last 50 000 tokens.
    refit : bool
        Whether what was held back is learned in the end: it is read as often as the rest was, at
        half the learning rate, falling to 0, with as much of the rest beside it. Text that `fit`
        was given for validation never is.
    training : Training, optional
        How to train; if None as `default_training` of ``language_defaults`` says. Its
        batch size is the number of rows; with ``truncation=None`` stretches have 100 steps.
    warm_start : bool
        Whether `fit` goes on from what was learned.
    seed : int
        Same seed, same text, same machine: same bits.

    Attributes
    ----------
    vocabulary_ : tuple
        All tokens: None is the unknown one, ``"\\0"``, the last, the end of a document.

    Notes
    -----
    A sign that was not in the training text is read as the unknown token, and told. If the training
    text had no unknown token, it is never foretold (probability 0), and not counted in scores; if
    it had, it is counted as any other. It is never generated.

    References
    ----------
    S. Merity, N. S. Keskar, R. Socher, Regularizing and optimizing LSTM language models,
    arXiv:1708.02182.

    Examples
    --------
    >>> text = "to be or not to be, that is the question. " * 40
    >>> model = LanguageModel(hidden_size=32, training=Training(steps=150, batch_size=4)).fit(text)
    >>> model.generate("to be or ", n=9, temperature=0)
    'not to be'
    >>> model.perplexity("that is the question. to be") < 3
    True
    """

    learns_alone = True
    network_: LanguageNetwork

    def __init__(
        self,
        layer: Literal["lstm", "gru", "rnn"] = "lstm",
        *,
        unit: TextUnit = "char",
        vocabulary_size: int | None = None,
        min_count: int | None = None,
        hidden_size: int | None = None,
        num_layers: int = 1,
        embedding_size: int | None = None,
        tie_weights: bool = True,
        input_dropout: float = 0.1,
        dropout: float = 0.3,
        recurrent_dropout: float = 0.0,
        weight_dropout: float = 0.3,
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.1,
        refit: bool = True,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.unit = unit
        self.vocabulary_size = vocabulary_size
        self.min_count = min_count
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.embedding_size = embedding_size
        self.tie_weights = tie_weights
        self.input_dropout = input_dropout
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.weight_dropout = weight_dropout
        self.treatments = treatments
        self.validation = validation
        self.refit = refit
        self.training = training
        self.warm_start = warm_start
        self.seed = seed

    # ------------------------------------------------------------------ learn

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        groups: Any = None,
        validation: Any = None,
        callbacks: Sequence[Callback] = (),
        **how: Any,
    ) -> Self:
        """Learn from a text.

        Parameters
        ----------
        X : str, Path, list of str, list of Path, or SequenceDataset
            A text; a file; several of either, a document each; or tokens that are parted already,
            as `recurra.data.from_text` and `from_tokens` part them. Empty documents are left out.
        y, sample_weight, groups
            There are none.
        validation : as X, optional
            Text to stop the training by, instead of the end of `X`.
        callbacks : sequence of callable
            Each is called after every step with a `recurra.training.Moment`; one that returns True
            ends the training.
        **how
            Nothing.

        Returns
        -------
        LanguageModel
            Itself.

        Raises
        ------
        DataError
            If something is wrong with the text; the message says where, and what to do.
        OptionError
            If an option is impossible.
        TrainingError
            If the training diverges.
        """
        told = {"sample_weight": sample_weight, "groups": groups, **how}
        self._learns_end = self.refit and validation is None
        return super().fit(_in_memory(X), y, validation=validation, callbacks=callbacks, **told)

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
        **how: Any,
    ) -> Self:
        """Go once through a text, and learn from it on top of what was learned.

        The first call learns the vocabulary too. Later ones learn weights alone, at a tenth of the
        learning rate, so that what was learned before is not lost at once.

        Parameters
        ----------
        X : str, Path, list of str, list of Path, or SequenceDataset
            As for `fit`; what is not in the vocabulary is read as the unknown token.
        y, sample_weight
            There are none.
        callbacks : sequence of callable
            As for `fit`.
        **how
            Nothing.

        Returns
        -------
        LanguageModel
            Itself.
        """
        told = {"sample_weight": sample_weight, **how}
        return super().partial_fit(_in_memory(X), y, callbacks=callbacks, **told)

    # ------------------------------------------------------------------ answer

    def predict_proba(self, X: str | Sequence[str]) -> Floats:
        """Say how probable each token is as the next one.

        Parameters
        ----------
        X : str or list of str
            Beginnings of documents; ``""`` is one.

        Returns
        -------
        ndarray of float64, shape (vocabulary,) or (texts, vocabulary)
            In the order of ``vocabulary_``.
        """
        if isinstance(X, str) or not isinstance(X, Iterable):
            return self.stream(X).probabilities
        return np.stack([self.stream(each).probabilities for each in X])

    def log_likelihoods(self, X: Any) -> list[Floats]:
        """Say how well each token of a text was foretold, from all before it in its document.

        Parameters
        ----------
        X : str, Path, list of str, or SequenceDataset
            Documents, as for `fit`.

        Returns
        -------
        list of ndarray of float64, each shape (tokens + 1,)
            The natural logarithm of the probability that each token was given; the last is the end
            of the document. NaN for a token that is not counted.
        """
        self._check_fitted()
        return log_likelihoods(self.network_, self._documents_of(self._read_again(X)))

    def score(self, X: Any, y: None = None) -> float:  # noqa: ARG002
        """Return the mean log-likelihood of a token, in nats: the higher, the better.

        Parameters
        ----------
        X : str, Path, list of str, or SequenceDataset
            Documents, as for `fit`.
        y : None
            There is none.

        Returns
        -------
        float
            At most 0.
        """
        return float(np.nanmean(np.concatenate(self.log_likelihoods(X))))

    def perplexity(self, X: Any) -> float:
        """Return among how many tokens the model was to choose: exp(-score).

        Parameters
        ----------
        X : str, Path, list of str, or SequenceDataset
            Documents, as for `fit`.

        Returns
        -------
        float
            From 1 on; see `recurra.metrics.perplexity`.
        """
        return perplexity(np.concatenate(self.log_likelihoods(X)))

    def bits_per_character(self, X: Any) -> float:
        """Return how many bits each letter of a text costs, whatever the tokens.

        Parameters
        ----------
        X : str, Path, list of str, or SequenceDataset
            Documents, as for `fit`.

        Returns
        -------
        float
            See `recurra.metrics.bits_per_character`; the ends of documents are paid for, too.
        """
        self._check_fitted()
        read = self._read_again(X)
        return bits_per_character(self._said_of(read), count_letters(read, self.unit))

    # ------------------------------------------------------------------ write

    def generate(
        self,
        prompt: str = "",
        n: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        stop: str | Sequence[str] | None = None,
        seed: int | None = None,
    ) -> str:
        """Go on writing.

        Parameters
        ----------
        prompt : str
            What stands before; ``""`` for the beginning of a document.
        n : int
            The most tokens to write.
        temperature : float
            Below 1 the likely becomes likelier; 0 takes the likeliest.
        top_k : int, optional
            Draw among the so many likeliest tokens.
        top_p : float, optional
            Draw among the fewest tokens that have this probability together (arXiv:1904.09751).
        repetition_penalty : float
            Above 1, tokens that were there before become less likely (arXiv:1909.05858).
        stop : str or list of str, optional
            The text ends before the first of these.
        seed : int, optional
            Source of chance; that of the model if None. Same seed, same text.

        Returns
        -------
        str
            What follows the prompt; less than `n` tokens where the document ended.
        """
        options = Sampling(temperature, top_k, top_p, repetition_penalty)
        return "".join(self._write(prompt, n, options, stop, seed))

    def generate_stream(
        self,
        prompt: str = "",
        n: int = 200,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        top_p: float | None = None,
        repetition_penalty: float = 1.0,
        stop: str | Sequence[str] | None = None,
        seed: int | None = None,
    ) -> Iterator[str]:
        """Go on writing, and hand out the text as it comes.

        Parameters
        ----------
        prompt, n, temperature, top_k, top_p, repetition_penalty, stop, seed
            As for `generate`.

        Returns
        -------
        iterator of str
            Pieces of what `generate` returns, each of whole letters.
        """
        options = Sampling(temperature, top_k, top_p, repetition_penalty)
        return self._write(prompt, n, options, stop, seed)

    def stream(self, prompt: str = "") -> TextSession:
        """Read on token by token, in constant time and memory.

        Parameters
        ----------
        prompt : str
            What stands before.

        Returns
        -------
        TextSession
            Its ``step(token)`` says how probable each token is as the next one.
        """
        self._check_fitted()
        if not isinstance(prompt, str):
            raise OptionError(f"A prompt is text, but a {type(prompt).__name__} came.")
        session = TextSession(self.network_, self.vocabulary_, self._codes_of)
        session.read(prompt)
        return session

    def _write(
        self,
        prompt: str,
        n: int,
        options: Sampling,
        stop: str | Sequence[str] | None,
        seed: int | None,
    ) -> Iterator[str]:
        """Check the arguments now, write later."""
        check_count("n", n)
        stops = list_stops(stop)
        session = self.stream(prompt)
        random = np.random.default_rng(self.seed if seed is None else check_seed(seed))
        before = self._codes_of(prompt) if prompt else np.zeros(0, np.int64)
        codes = draw_codes(session, n, options, before.tolist(), random)
        return hold_back_stops(join_codes(codes, before, self.unit, self.vocabulary_), stops)

    def _states(self, dataset: SequenceDataset, layer: str) -> list[Floats]:  # noqa: ARG002
        return states_of(self.network_, self._documents_of(dataset))

    def _answers_shown(self, dataset: SequenceDataset) -> list[object]:
        """Say the token that most probably comes next."""
        return self._expected(self._remembered(dataset))

    def _steps_shown(self, dataset: SequenceDataset) -> list[Array]:
        """Say the token that most probably comes after each."""
        states = self._states(dataset, "text")
        return [np.array(self._expected(each), object) for each in states]

    def _expected(self, states: Floats) -> list[object]:
        """Name the tokens that states foretell."""
        from recurra.estimators.language.text_question import named

        codes = most_probable(self.network_, states, self.vocabulary_)
        tokens = [self.vocabulary_[code] for code in codes]
        return ["the end" if each == END else named(each, self.unit) for each in tokens]

    def _question(self, X: Any, target: Any, **asked: Any) -> Question:
        """See `Learner._question`; `target` is what comes next, a token or a text of several."""
        from recurra.estimators.language.text_question import ask

        if asked:
            raise OptionError(f"{next(iter(asked))}= is nothing that a text is asked with.")
        return ask(self, X, target)

    # ------------------------------------------------------------------ what a task says of itself

    def _check_options(self) -> None:
        super()._check_options()
        check_choice("layer", self.layer, ("lstm", "gru", "rnn"))
        check_choice("unit", self.unit, UNITS)
        for name in ("vocabulary_size", "min_count", "hidden_size", "embedding_size", "num_layers"):
            check_count(name, getattr(self, name), optional=name != "num_layers")
        for name in ("input_dropout", "dropout", "recurrent_dropout", "weight_dropout"):
            check_share(name, getattr(self, name))
        for name in ("tie_weights", "refit"):
            check_flag(name, getattr(self, name))
        if self.unit == "subword" and self.vocabulary_size in range(256):
            raise OptionError(
                f"vocabulary_size={self.vocabulary_size}, but there are 256 bytes, which are all "
                "pieces of words. Use 256 or more."
            )

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        given = [name for name, value in {"y": y, **how}.items() if value is not None]
        if given:
            raise OptionError(
                f"A language model learns from the text alone, but {given[0]} came. Leave it out."
            )
        return read_documents(X, self.unit)

    def _parted(self, dataset: SequenceDataset) -> tuple[SequenceDataset, SequenceDataset | None]:
        return part_end(dataset, self.validation)

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:
        if self.unit == "byte":
            return [], []
        if self.unit == "subword":
            return [Subwords(self.vocabulary_size)], []
        fewest, most = self.min_count or 1, self.vocabulary_size
        if self.unit == "word":
            fewest = self.min_count or default_min_count(kept.stream.rows)
            most = most or MOST_WORDS
        return [Vocabulary(fewest, most)], []

    def _amount(self, treated: SequenceDataset) -> int:
        self._tokens = treated.stream.rows
        return self._tokens

    def _cuts_time(self) -> bool:
        return True

    def _training_for(self, amount: int, rounds: int | None) -> Training:
        hidden = self.network_.plan.hidden_size if self._fitted else self._hidden(amount)
        usual = default_training(amount, hidden)
        options = self.training or replace(usual, **self.training_changes)
        steps = options.truncation or TRUNCATION
        options = replace(options, truncation=steps)
        if rounds is None:
            return options
        count = rounds * -(-amount // (options.batch_size * steps))
        rate = options.learning_rate * (0.1 if self._fitted else 1.0)
        options = replace(options, steps=max(count, 1), learning_rate=rate, warmup=0)
        return replace(options.without_checks(), schedule="constant", patience=None)

    def _hidden(self, tokens: int) -> int:
        return self.hidden_size or default_hidden_size(tokens)

    def _network(self, treated: SequenceDataset) -> LanguageNetwork:
        stream = treated.stream
        known = stream.categories[stream.channels[0]]
        self.vocabulary_ = (*known, END)
        size, hidden = len(self.vocabulary_), self._hidden(stream.rows)
        silent: tuple[int, ...] = ()
        if None in known and not (stream.values[:, 0] == known.index(None)).any():
            silent = (known.index(None),)
        names = ("layer", "num_layers", "tie_weights")
        drops = ("input_dropout", "dropout", "recurrent_dropout", "weight_dropout")
        return LanguageNetwork(
            LanguagePlan(
                vocabulary=size,
                hidden_size=hidden,
                embedding_size=self.embedding_size or default_embedding_size(size, hidden),
                silent=silent,
                **{name: getattr(self, name) for name in (*names, *drops)},
            )
        )

    def _network_header(self) -> dict[str, Any]:
        return asdict(self.network_.plan)

    def _network_from(self, header: Mapping[str, Any]) -> LanguageNetwork:
        return LanguageNetwork(take(LanguagePlan, header, "header.network"))

    def _state(self) -> dict[str, Any]:
        return {"vocabulary": self.vocabulary_}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        told = closed({"vocabulary": tuple[Label, ...]}, state, "header.learned")
        self.vocabulary_ = told["vocabulary"]
        agree(len(self.vocabulary_), self.network_.plan.vocabulary, "tokens")

    def _batches(self, treated: SequenceDataset, size: int, seed: int) -> Iterator[LanguageBatch]:
        text = self._rest = documents(treated, self.vocabulary_)
        return endless_rows(text, min(size, max(treated.stream.rows // 2, 1)), seed)

    def _losses_by_step(self, batch: LanguageBatch) -> tuple[Floats, Floats]:
        with torch.no_grad():
            costs, counted, _ = self.network_.costs(batch)
        return costs.double().numpy(), counted.double().numpy()

    def _mean_loss(self, network: Any, waiting: SequenceDataset) -> float:
        text = documents(waiting, self.vocabulary_)
        return mean_loss(network, text, len(self.vocabulary_))

    def _after_training(self, held: SequenceDataset | None) -> None:
        """Score what was held back, and then learn it too."""
        rest = self.__dict__.pop("_rest")
        if held is None or not self._learns_end:
            return
        text = self._documents_of(held)
        self._foretold = self._said_of(last_part(held))
        plan = end_training(self._training_for(self._tokens, None), self.log_, self._tokens, text)
        torch.manual_seed(self.seed + self._rounds)
        batches = endless_end(text, rest, plan.batch_size, self.seed)
        train(self.network_, batches, plan, checkpoints=self._kept_in, part="end")

    def _scores(self, part: SequenceDataset) -> list[Score]:
        said, part = self.__dict__.pop("_foretold", None), last_part(part)
        if said is None:
            said = self._said_of(part)
        return measures("LanguageModel", said, count_letters(part, self.unit))

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        part = last_part(part)
        learned, text = self._documents_of(kept), self._documents_of(part)
        said = n_gram_log_likelihoods(learned, text, self.vocabulary_)
        return measures("5-gram (Witten-Bell)", said, count_letters(part, self.unit))

    # ------------------------------------------------------------------ inside

    def _documents_of(self, dataset: SequenceDataset) -> list[Integers]:
        """Give the codes of documents as they were read."""
        return documents(self.preprocessor_.transform(dataset), self.vocabulary_)

    def _said_of(self, dataset: SequenceDataset) -> Floats:
        """Give the log-likelihoods of all tokens, one document after the other."""
        return np.concatenate(log_likelihoods(self.network_, self._documents_of(dataset)))

    def _codes_of(self, text: str) -> Integers:
        """Give the codes of one text, without ends."""
        return self._documents_of(read_documents(text, self.unit))[0][1:-1]


def _in_memory(X: Any) -> Any:
    """Refuse files of records, which are larger than memory."""
    if isinstance(X, ParquetRecords):
        raise OptionError(
            "A language model reads a text as a whole. Give it as str, or the paths of text files."
        )
    return X
