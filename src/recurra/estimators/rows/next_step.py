"""The next row of vectors: what each channel will be, given all rows so far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypedDict

import numpy as np
import torch
from torch import Tensor

from recurra import layers
from recurra.artifact import take
from recurra.data import Preprocessor, SequenceDataset, Stream
from recurra.data.treatments import Scale, Treatment
from recurra.errors import DataError, OptionError, check_count
from recurra.estimators.learning.learner import FEWEST_HELD
from recurra.estimators.learning.options import check_choice, check_share
from recurra.estimators.learning.remembered import in_place
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import agree
from recurra.estimators.learning.supposed import Supposed
from recurra.estimators.rows.next_step_baselines import kept_values, of_flags, of_numbers
from recurra.estimators.rows.next_step_data import (
    are_flags,
    as_rows,
    check_flags,
    check_rows,
    endless_rows,
    has_row_before,
    held_ends,
    in_pieces,
    rows_in_order,
    slopes_back,
    states_after,
    values_back,
)
from recurra.estimators.rows.row_session import NextRow, RowReader, RowSession
from recurra.models.rows.next_step_network import NextStepNetwork, NextStepPlan, RowBatch
from recurra.training import Training

if TYPE_CHECKING:
    from torch import nn

    from recurra.explaining import Question
    from recurra.types import Array, Booleans, Floats

__all__ = ["NextStep"]

LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.RNN}
LIKELIHOODS = ("auto", "bernoulli", "gaussian", "student")
MEASURE = "log-likelihood"
PIECE = 100  # steps between two steps of the optimizer
BATCH, ROUNDS = 8, 100
FEWEST_STEPS, MOST_STEPS = 300, 9000


class NextStep(Supposed):
    r"""Says how the next row of a record is distributed: a recurrent network over the rows so far.

    Rows may be flags (the keys of a piano, frame by frame) or numbers (several measurements side by
    side). What is learned is the rows themselves: ``fit(X)``. The likelihood of a record is

    .. math:: p(x_1 … x_T) = \prod_t \prod_k p(x_{tk} \mid x_1 … x_{t-1}),

    where channels :math:`k` are independent given the rows before. The first row has a distribution
    too, but does not count in `score`, as in Bai et al. (2018, arXiv:1803.01271), so that figures
    compare with theirs.

    Parameters
    ----------
    layer : {"lstm", "gru", "rnn"}
        The recurrent layer.
    likelihood : {"auto", "bernoulli", "gaussian", "student"}
        How a channel is distributed: 0 or 1; normal; Student's t with 4 degrees of freedom, for
        numbers with outliers. ``"auto"`` takes ``"bernoulli"`` where all values are 0 or 1, else
        ``"gaussian"``.
    hidden_size, num_layers : int
        Units in a layer, and layers on layers.
    input_dropout, dropout, recurrent_dropout : float
        Probabilities of dropping, while training: a channel of what the layer reads, the same at
        all steps of a record; a unit of its output; a unit of its state.
    treatments : Preprocessor, sequence of Treatment or "auto"
        What is done to the data first; by default numbers are scaled. A value that is missing is
        read as the mean, with a flag, and has no part in the loss.
    validation : float
        Share of the records held back to stop the training; where there are too few records, of the
        rows of each, at its end. 0 for none.
    training : Training, optional
        How to train. By default long records are cut in pieces of 100 steps, and the state is
        carried from piece to piece.
    warm_start : bool
        Whether `fit` goes on from what was learned before.
    seed : int
        Source of all chance.

    Attributes
    ----------
    likelihood_ : str
        The likelihood that was chosen.
    channels_ : tuple of str
        What is foretold.
    preprocessor_, network_, log_, notes_
        As those of `Classifier`.

    Notes
    -----
    `explain` takes one record and a channel, ``explain([rows], "heat")``: why its next value, or of
    flags the log odds of 1, is expected to be what it is. With ``step=`` it explains instead the
    log-likelihood of that row, of all channels or of one, by the rows before it.

    References
    ----------
    N. Boulanger-Lewandowski et al., Modeling temporal dependencies in high-dimensional sequences,
    ICML 2012, arXiv:1206.6392.

    Examples
    --------
    >>> from recurra import Training
    >>> from recurra.estimators import NextStep
    >>> X = [[[1, 0], [0, 1]] * 10, [[0, 1], [1, 0]] * 8]
    >>> model = NextStep(hidden_size=16, training=Training(steps=60)).fit(X)
    >>> model.likelihood_, model.predict([[[1, 0], [0, 1], [1, 0]]])
    ('bernoulli', array([[0., 1.]]))
    """

    learns_alone: ClassVar[bool] = True
    network_: NextStepNetwork

    def __init__(
        self,
        layer: Literal["lstm", "gru", "rnn"] = "lstm",
        *,
        likelihood: Literal["auto", "bernoulli", "gaussian", "student"] = "auto",
        hidden_size: int = 320,
        num_layers: int = 1,
        input_dropout: float = 0.1,
        dropout: float = 0.35,
        recurrent_dropout: float = 0.25,
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.15,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.likelihood = likelihood
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.input_dropout = input_dropout
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.treatments = treatments
        self.validation = validation
        self.training = training
        self.warm_start = warm_start
        self.seed = seed

    # ------------------------------------------------------------------ answer

    def predict(self, X: Any, *, return_std: bool = False, **how: Any) -> Any:
        """Say the row after each record.

        Parameters
        ----------
        X : as for `fit`
            The records; one without rows gets what is expected at the beginning.
        return_std : bool
            Whether to return the spread, too.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        mean : ndarray of float64, shape (records, channels)
            The mean of numbers, in the units of `X`; of flags, the more probable value.
        spread : ndarray of float64, shape (records, channels)
            The standard deviation of each; only with `return_std`.
        """
        found = self._expected(self._raw_after(self._to_ask(X, how)))
        mean = (found.mean >= 0.5).astype(np.float64) if self._of_flags else found.mean
        return (mean, found.spread) if return_std else mean

    def predict_proba(self, X: Any, **how: Any) -> Floats:
        """Say how probable a 1 is, of each channel of the row after each record.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        ndarray of float64, shape (records, channels)
            Probabilities.

        Raises
        ------
        OptionError
            If the channels are numbers.
        """
        self._check_fitted()
        if not self._of_flags:
            raise OptionError(
                f"The likelihood is {self.likelihood_!r}: numbers have no probability. Use "
                "predict(X, return_std=True)."
            )
        return self._expected(self._raw_after(self._to_ask(X, how))).mean

    def log_likelihood(self, X: Any, **how: Any) -> list[Floats]:
        """Say how probable each row was, given those before it.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of ndarray of float64, shape (steps,)
            For each record the natural logarithms, summed over the channels that were observed, of
            probabilities, or of densities in the units of `X`; NaN for a row where nothing was.
        """
        return self._likelihoods(self._to_ask(X, how))

    def score(self, X: Any, y: None = None, **how: Any) -> float:
        """Return the mean log-likelihood of a row, over all rows that have one before them.

        Parameters
        ----------
        X : as for `fit`
            The records.
        y : None
            There is none.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        float
            Higher is better. Its negative is the loss per frame of the literature on music.

        Raises
        ------
        DataError
            If no record has two rows.
        """
        if y is not None:
            raise OptionError("The rows themselves are scored. Leave y out: score(X).")
        return self._mean_likelihood(self._to_ask(X, how))

    def sample(
        self, n: int, prompt: Any = None, *, seed: int | None = None, temperature: float = 1.0
    ) -> Floats:
        """Draw rows, each given those before it.

        Parameters
        ----------
        n : int
            How many.
        prompt : array-like, shape (steps, channels), optional
            Rows that come first; they are not returned.
        seed : int, optional
            Source of chance; that of the model by default.
        temperature : float
            Below 1 for what is more probable, above 1 for what is less so.

        Returns
        -------
        ndarray of float64, shape (n, channels)
            In the units of the data.

        Raises
        ------
        OptionError
            If the network reads channels that are not foretold, such as the hour of the day.
        """
        check_count("n", n)
        if isinstance(temperature, bool) or not (temperature > 0):
            raise OptionError(f"temperature={temperature!r}, but it must be positive.")
        session = self.stream()
        if self.network_.plan.extras:
            raise OptionError(
                "The network reads channels that it does not foretell, so it cannot go on by "
                "itself. Leave out treatments that add channels."
            )
        for row in () if prompt is None else prompt:
            session.step(row)
        generator = torch.Generator().manual_seed(self.seed if seed is None else seed)
        rows = []
        for _ in range(n):
            rows.append(session.draw(temperature, generator))
            session.read_scaled(rows[-1])
        drawn = torch.stack(rows).double().numpy()
        return values_back(drawn, self.preprocessor_, self.channels_)

    def stream(self) -> RowSession:
        """Stand before the first row of a record, to read it row by row.

        Returns
        -------
        RowSession
            ``session.step(row)`` says what is expected of the row after it, in constant time and
            memory; ``session.next`` is what is expected now.

        Raises
        ------
        OptionError
            If a treatment looks at other rows.
        """
        self._check_fitted()
        (name,) = self._shapes
        reader = RowReader(self.preprocessor_, name, self._shapes[name])
        return RowSession(self.network_, reader, self._expected)

    # ------------------------------------------------------------------ hooks of Learner

    def _check_options(self) -> None:
        super()._check_options()
        check_choice("layer", self.layer, LAYERS)
        check_choice("likelihood", self.likelihood, LIKELIHOODS)
        check_count("hidden_size", self.hidden_size)
        check_count("num_layers", self.num_layers)
        for name in ("input_dropout", "dropout", "recurrent_dropout"):
            check_share(name, getattr(self, name))

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        return as_rows(X, y, how, type(self).__name__)

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        check_rows(dataset)
        stream = dataset.stream
        chosen = "bernoulli" if are_flags(stream) else "gaussian"
        self.likelihood_ = chosen if self.likelihood == "auto" else self.likelihood
        self.channels_ = stream.channels
        return self._recoded(dataset)

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        if self._of_flags:
            check_flags(dataset)
        return dataset

    def _parted(self, dataset: SequenceDataset) -> tuple[SequenceDataset, SequenceDataset | None]:
        units = len(dataset) if dataset.groups is None else len(np.unique(dataset.groups))
        if round(self.validation * units) < FEWEST_HELD:
            return held_ends(dataset, self.validation)
        return super()._parted(dataset)

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:  # noqa: ARG002
        return ([] if self._of_flags else [Scale("standard")]), []

    def _check_treated(self, treated: SequenceDataset) -> None:
        if treated.stream.channels[: self._width] != self.channels_:
            raise OptionError(
                f"The treatments left the channels {treated.stream.channels}, but those that are "
                f"foretold have to come first: {self.channels_}."
            )
        if _scales_each_record(self.treatments):
            raise OptionError(
                'Scale(per="record") looks ahead in each record, and a row that is foretold could '
                "not be scaled back. Use the same scale for all records."
            )

    def _cuts_time(self) -> bool:
        return True

    def _default_training(self, records: int) -> Training:
        steps = int(np.clip(ROUNDS * -(-records // BATCH), FEWEST_STEPS, MOST_STEPS))
        return Training(
            steps=steps,
            batch_size=BATCH,
            learning_rate=4e-3,
            weight_decay=1e-2,
            warmup=min(50, steps // 10),
            truncation=PIECE,
            check_every=max(steps // 20, 5),
            patience=8,
        )

    def _network(self, treated: SequenceDataset) -> nn.Module:
        names = ("layer", "hidden_size", "num_layers", "input_dropout", "dropout")
        options = {name: getattr(self, name) for name in (*names, "recurrent_dropout")}
        stream = treated.stream
        extras = len(stream.channels) - self._width
        holes = not bool(stream.mask[:, : self._width].all())
        plan = NextStepPlan(self._width, extras, holes, self.likelihood_, **options)
        network = NextStepNetwork(plan, LAYERS[self.layer])
        network.begin_with(torch.from_numpy(_usual(stream, self._width, self._of_flags)).float())
        return network

    def _network_header(self) -> dict[str, Any]:
        return asdict(self.network_.plan)

    def _network_from(self, header: Mapping[str, Any]) -> nn.Module:
        return NextStepNetwork(take(NextStepPlan, header, "header.network"), LAYERS[self.layer])

    def _batches(self, treated: SequenceDataset, size: int, seed: int) -> Iterator[RowBatch]:
        return endless_rows(treated, size, seed)

    def _losses_by_step(self, batch: RowBatch) -> tuple[Floats, Floats]:
        network: Any = self.network_
        with torch.no_grad():
            likelihood, there = network.likelihood(network(batch)[0], batch)
        return -likelihood.double().numpy(), there.double().numpy()

    def _mean_loss(self, network: Any, waiting: SequenceDataset) -> float:
        total, count = 0.0, 0
        for _, batch in rows_in_order(waiting):
            for piece, raw, _ in in_pieces(network, batch):
                summed, counted = network.summed(raw, piece)
                total, count = total + float(summed), count + int(counted)
        return total / max(count, 1)

    def _scores(self, part: SequenceDataset) -> list[Score]:
        return [Score(type(self).__name__, MEASURE, self._mean_likelihood(part))]

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        simple = of_flags if self._of_flags else of_numbers
        found = simple(kept.stream, part.stream)
        return [Score(model, MEASURE, value) for model, value in found.items()]

    def _state(self) -> dict[str, Any]:
        return {"likelihood": self.likelihood_, "channels": self.channels_}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        told = take(_State, state, "header.learned")
        self.likelihood_, self.channels_ = told["likelihood"], told["channels"]
        agree(self._width, self.network_.plan.channels, "channels")

    # ------------------------------------------------------------------ inside

    @property
    def _of_flags(self) -> bool:
        return self.likelihood_ == "bernoulli"

    @property
    def _width(self) -> int:
        return len(self.channels_)

    def _to_ask(self, X: Any, how: Mapping[str, Any]) -> SequenceDataset:
        return self._recoded(super()._to_ask(X, how))

    def _question(self, X: Any, target: Any, *, step: int | None = None, **how: Any) -> Question:
        """See `Learner.explain`: a channel of the next row, or the likelihood of row `step`."""
        from recurra.estimators.rows.row_reads import about_next_row

        return about_next_row(self, X, target, step, how)

    def _states(self, dataset: SequenceDataset, layer: str) -> list[Floats]:  # noqa: ARG002
        treated = self.preprocessor_.transform(dataset)
        parts = ((k, states_after(self.network_, batch)) for k, batch in rows_in_order(treated))
        return in_place(len(treated), parts)

    def _answers_shown(self, dataset: SequenceDataset) -> list[object]:
        """Say the next row; of one channel a number."""
        rows = self.predict(dataset)
        return [*(rows[:, 0] if self._width == 1 else rows)]

    def _numbers_for(self, dataset: SequenceDataset) -> dict[str, Floats]:
        """Say what is expected of each channel of the next row; of flags, how probable a 1 is."""
        mean = self._expected(self._raw_after(dataset)).mean
        said = "next {!r} is 1" if self._of_flags else "next {!r}"
        return {said.format(name): mean[:, k] for k, name in enumerate(self.channels_)}

    @torch.no_grad()
    def _raw_after(self, dataset: SequenceDataset) -> Tensor:
        """Say how the row after each record is distributed, as the network does."""
        treated = self.preprocessor_.transform(dataset)
        parts, order = [], []
        for places, batch in rows_in_order(treated):
            *_, (_, _, state) = in_pieces(self.network_, batch)
            parts.append(self.network_.step(state)[0])
            order.append(places)
        return torch.cat(parts)[torch.from_numpy(np.argsort(np.concatenate(order)))]

    def _expected(self, raw: Tensor) -> NextRow:
        """Write what the network says in the units of the data."""
        mean = self.network_.distribution.mean(raw).double().numpy()
        spread = self.network_.distribution.spread(raw).double().numpy()
        slopes = slopes_back(mean, self.preprocessor_, self.channels_)
        return NextRow(values_back(mean, self.preprocessor_, self.channels_), spread * slopes)

    @torch.no_grad()
    def _likelihoods(self, dataset: SequenceDataset) -> list[Floats]:
        treated = self.preprocessor_.transform(dataset)
        values = treated.stream.values[:, : self._width]
        slopes = slopes_back(values, self.preprocessor_, self.channels_)
        stretch = np.where(treated.stream.mask[:, : self._width], np.log(slopes), 0.0).sum(1)
        found: list[Floats] = [np.zeros(0)] * len(treated)
        for places, batch in rows_in_order(treated):
            parts = []
            for piece, raw, _ in in_pieces(self.network_, batch):
                each, there = self.network_.likelihood(raw, piece)
                parts.append(torch.where(there, each, torch.nan).double())
            told = torch.cat(parts, 1).numpy()
            for place, row, length in zip(places, told, batch.lengths.tolist(), strict=True):
                start = int(treated.stream.offsets[place])
                found[place] = row[:length] - stretch[start : start + length]
        return found

    def _mean_likelihood(self, dataset: SequenceDataset) -> float:
        """Take the mean over rows that have one before them."""
        each = [part[1:] for part in self._likelihoods(dataset)]
        whole = np.concatenate(each) if each else np.zeros(0)
        known = whole[~np.isnan(whole)]
        if not known.size:
            message, hint = "No record has two rows", "There is nothing to be foretold."
            raise DataError(message, code="too_short", hint=hint)
        return float(known.mean())


class _State(TypedDict):
    """What was learned besides the network, as JSON holds it."""

    likelihood: Literal["bernoulli", "gaussian", "student"]
    channels: tuple[str, ...]


def _scales_each_record(treatments: Any) -> bool:
    each = treatments.treatments if isinstance(treatments, Preprocessor) else treatments
    return any(isinstance(one, Scale) and one.per == "record" for one in each)


def _usual(stream: Stream, width: int, flags: bool) -> Floats:
    """Say how often each flag is 1; of numbers, how a value goes with the one before it."""
    values = kept_values(stream)[:, :width]
    if flags:
        share: Floats = np.nanmean(values, 0)
        return share
    rows = np.flatnonzero(has_row_before(stream))
    now, before = values[rows], values[rows - 1]
    known: Booleans = ~np.isnan(now) & ~np.isnan(before)
    product = np.where(known, now * before, 0.0).sum(0)
    power: Array = np.where(known, before**2, 0.0).sum(0)
    usual: Floats = np.clip(product / np.maximum(power, 1e-12), 0.0, 1.0)
    return usual
