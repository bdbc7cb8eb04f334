"""Anomalies in records: steps that leave the range of what was seen, or are badly foretold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, TypedDict

import numpy as np
import torch

from recurra.artifact import take
from recurra.data import Preprocessor, SequenceDataset
from recurra.data.treatments import Calendar, Scale, Treatment
from recurra.errors import OptionError, check_count
from recurra.estimators.learning.options import check_choice, check_share
from recurra.estimators.learning.report import Score
from recurra.estimators.learning.restoring import agree
from recurra.estimators.learning.supposed import Supposed
from recurra.estimators.rows.anomaly_data import Rows, endless_stretches, read_events, windows_of
from recurra.estimators.rows.anomaly_scores import (
    Novelty,
    Ranges,
    fresh_scores,
    windowed_gaussian,
)
from recurra.estimators.rows.anomaly_session import (
    AnomalySession,
    ForecastErrors,
    ReconstructionErrors,
)
from recurra.estimators.rows.next_step import LAYERS
from recurra.estimators.rows.next_step_baselines import kept_values
from recurra.estimators.rows.next_step_data import as_rows, check_rows, in_pieces, states_after
from recurra.estimators.rows.row_session import RowReader
from recurra.metrics.anomaly import EventScore, event_scores
from recurra.models.rows.next_step_network import NextStepNetwork, NextStepPlan, RowBatch
from recurra.models.rows.window_autoencoder import AutoencoderPlan, WindowAutoencoder
from recurra.training import Training

if TYPE_CHECKING:
    from torch import nn

    from recurra.explaining import Question
    from recurra.types import Floats, Integers

__all__ = ["AnomalyDetector", "Event"]

METHODS = ("forecast", "reconstruction")
STRETCH = 96  # rows of a stretch that forecasts are learned from
FAR_OUT = 1 - 1e-5  # from which score on the baseline alarms
QUARTER = 4  # a quarter of a record is quiet after an alarm
SHORTEST_QUIET = 20


class Event(NamedTuple):
    """A stretch of odd steps.

    Parameters
    ----------
    start, end : int
        Its first and its last odd step.
    peak : int
        The oddest one.
    score : float
        The score there.
    """

    start: int
    end: int
    peak: int
    score: float


class AnomalyDetector(Supposed):
    r"""Scores each step of a record by how odd it is, from the steps so far alone.

    A recurrent network learns, without labels, to foretell the next row (``"forecast"``) or to tell
    windows again through a narrow code (``"reconstruction"``). A step is odd where a value leaves
    the range of all values so far, or where the recent errors of the network leave that of all
    errors so far: the score is how far, in spans of what was seen (see `Novelty` in
    ``anomaly_scores``). It is 0 at the edge of what was seen, below 0 inside. What was seen begins
    with the training part and, where `adapts`, grows with each step: what has become usual is odd
    no more.

    Parameters
    ----------
    method : {"forecast", "reconstruction"}
        What the network learns.
    layer : {"lstm", "gru", "rnn"}
        The recurrent layer.
    hidden_size : int
        Units in a layer.
    window, code_size : int
        For ``"reconstruction"``: rows of a window, and numbers it goes through.
    dropout : float
        Probability of dropping a unit of the layer's output, while training.
    smoothing : int
        How many errors are averaged; they count from so many steps of a record on.
    adapts : bool
        Whether the range of what was seen grows as records are read.
    quiet : int, optional
        Odd steps that lie no farther apart are one event, which raises one alarm. By default a
        quarter of a usual training record.
    margin : float
        The threshold: how far outside of what was seen, in spans, a step is called an anomaly.
    contamination : float, optional
        The threshold instead as a share: so many of the steps that were learned from are taken for
        anomalies.
    treatments : Preprocessor, sequence of Treatment or "auto"
        What is done to the data first; by default numbers are scaled by median and quartiles, and
        on a calendar the network reads the hour of the day.
    validation : float
        Share of the records held back to stop the training.
    training : Training, optional
        How to train.
    warm_start : bool
        Whether `fit` goes on from what was learned before.
    seed : int
        Source of all chance.

    Attributes
    ----------
    threshold_ : float
        From which score on a step is an anomaly.
    quiet_ : int
        How far odd steps of one event may lie apart.
    channels_ : tuple of str
        What is scored.
    preprocessor_, network_, log_, notes_
        As those of `Classifier`.

    Notes
    -----
    A value that is missing has no part in any score; a step without any value gets NaN, and is no
    anomaly. `partial_fit` learns from more rows, and widens the ranges by them.

    `explain` takes one record and explains the score of its oddest step, or of ``step=``: which
    channels of that step and of those before it made it odd. With
    ``by="step and channel"`` it ranks single values.

    References
    ----------
    S. Ahmad et al., Unsupervised real-time anomaly detection for streaming data, Neurocomputing
    262, 2017: forecast errors averaged over some steps. P. Malhotra et al., arXiv:1607.00148:
    reconstruction.

    Examples
    --------
    >>> import numpy as np
    >>> from recurra import Training
    >>> from recurra.estimators import AnomalyDetector
    >>> usual = np.sin(np.arange(300) / 5.0)
    >>> model = AnomalyDetector(training=Training(steps=60)).fit([usual])
    >>> odd = usual.copy()
    >>> odd[200:205] += 3.0
    >>> [event.start for event in model.events([odd])[0]]
    [200]
    """

    learns_alone: ClassVar[bool] = True
    network_: NextStepNetwork | WindowAutoencoder

    def __init__(
        self,
        method: Literal["forecast", "reconstruction"] = "forecast",
        *,
        layer: Literal["lstm", "gru", "rnn"] = "lstm",
        hidden_size: int = 16,
        window: int = 32,
        code_size: int = 4,
        dropout: float = 0.2,
        smoothing: int = 20,
        adapts: bool = True,
        quiet: int | None = None,
        margin: float = 0.05,
        contamination: float | None = None,
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.0,
        training: Training | None = None,
        warm_start: bool = False,
        seed: int = 0,
    ) -> None:
        self.method = method
        self.layer = layer
        self.hidden_size = hidden_size
        self.window = window
        self.code_size = code_size
        self.dropout = dropout
        self.smoothing = smoothing
        self.adapts = adapts
        self.quiet = quiet
        self.margin = margin
        self.contamination = contamination
        self.treatments = treatments
        self.validation = validation
        self.training = training
        self.warm_start = warm_start
        self.seed = seed

    # ------------------------------------------------------------------ answer

    def score_samples(self, X: Any, **how: Any) -> list[Floats]:
        """Say how odd each step is.

        Parameters
        ----------
        X : as for `fit`
            The records; each begins with the ranges of the training part.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of ndarray of float64, shape (steps,)
            For each record, higher where odder; 0 at the edge of what was seen before. NaN where
            nothing was observed.
        """
        dataset = self._to_ask(X, how)
        rows = Rows(self.preprocessor_.transform(dataset).stream, len(self.channels_))
        errors = self._errors_of(self.network_, rows)
        return self._scored(rows, errors, self._ranges, self.adapts)

    def alarm_scores(self, X: Any, **how: Any) -> list[Floats]:
        """Say how high the threshold may be for each step to raise an alarm.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of ndarray of float64, shape (steps,)
            The scores of steps that are odder than all of the `quiet_` steps before them; minus
            infinity elsewhere. To draw curves by, and for benchmarks that choose the threshold.
        """
        return [fresh_scores(each, self.quiet_) for each in self.score_samples(X, **how)]

    def predict(self, X: Any, **how: Any) -> list[Integers]:
        """Say of each step whether it is an anomaly.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of ndarray of int64, shape (steps,)
            1 where the score reaches `threshold_`, else 0.
        """
        scores = self.score_samples(X, **how)
        return [(each >= self.threshold_).astype(np.int64) for each in scores]

    def events(self, X: Any, **how: Any) -> list[list[Event]]:
        """Say where anomalies begin and end.

        Parameters
        ----------
        X : as for `fit`
            The records.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        list of list of Event
            For each record, in order; odd steps at most `quiet_` apart are one event.
        """
        scores = self.score_samples(X, **how)
        return [self._events_of(each) for each in scores]

    def score(self, X: Any, y: Any, **how: Any) -> float:
        """Return how well events are found.

        Parameters
        ----------
        X : as for `fit`
            The records.
        y : sequence of array-like, shape (steps,)
            For each record 1 inside of anomalies, else 0.
        **how
            Further arguments of `recurra.data.from_arrays`.

        Returns
        -------
        float
            F1 of `events` that overlap runs of 1 in `y`; see `recurra.metrics.event_scores`.
        """
        return self.event_scores(X, y, **how).f1

    def event_scores(self, X: Any, y: Any, **how: Any) -> EventScore:
        """Return precision, recall and F1 of events.

        Parameters
        ----------
        X, y, **how
            As for `score`.

        Returns
        -------
        EventScore
            All three.
        """
        self._check_fitted()
        truth = read_events(y, self._read(X, None, **how))
        found = [[(e.start, e.end) for e in each] for each in self.events(X, **how)]
        return event_scores(truth, found)

    def stream(self) -> AnomalySession:
        """Stand before the first row of a record, to score it row by row.

        Returns
        -------
        AnomalySession
            ``session.step(row)`` says how odd the row is, in constant time and memory, and
            ``session.alarm`` whether to do something about it.

        Raises
        ------
        OptionError
            If a treatment looks at other rows.
        """
        self._check_fitted()
        (name,) = self._shapes
        network = self.network_
        errors: ForecastErrors | ReconstructionErrors
        with torch.no_grad():
            if isinstance(network, NextStepNetwork):
                errors = ForecastErrors(network)
            else:
                errors = ReconstructionErrors(network)
        return AnomalySession(
            RowReader(self.preprocessor_, name, self._shapes[name]),
            errors,
            Novelty(self._ranges.copy(), self.smoothing, self.adapts),
            self.threshold_,
            self.quiet_,
        )

    # ------------------------------------------------------------------ hooks of Learner

    def _check_options(self) -> None:
        super()._check_options()
        check_choice("method", self.method, METHODS)
        check_choice("layer", self.layer, LAYERS)
        for name in ("hidden_size", "window", "code_size", "smoothing"):
            check_count(name, getattr(self, name))
        check_count("quiet", self.quiet, optional=True)
        check_share("dropout", self.dropout)
        if not isinstance(self.margin, int | float):
            raise OptionError(f"margin={self.margin!r}, but it must be a number.")
        share = self.contamination
        if share is not None and not (isinstance(share, int | float) and 0 <= share < 1):
            raise OptionError(f"contamination={share!r}, but it is a share below 1, or None.")

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        return as_rows(X, y, how, type(self).__name__)

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        check_rows(dataset)
        stream = dataset.stream
        self.channels_ = stream.channels
        self._ranges = Ranges.none(len(stream.channels))
        usual = int(np.median(stream.lengths))
        self.quiet_ = self.quiet or max(usual // QUARTER, SHORTEST_QUIET)
        return dataset

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:
        chosen: list[Treatment] = [Scale("robust")]
        if kept.stream.clock == "calendar":
            chosen.append(Calendar(phases=("hour",)))
        return chosen, []

    def _check_treated(self, treated: SequenceDataset) -> None:
        if treated.stream.channels[: len(self.channels_)] != self.channels_:
            raise OptionError(
                f"The treatments left the channels {treated.stream.channels}, but those that are "
                f"scored have to come first: {self.channels_}."
            )

    def _cuts_time(self) -> bool:
        return self.method == "forecast"

    def _default_training(self, records: int) -> Training:  # noqa: ARG002
        return Training(
            steps=200,
            batch_size=12,
            learning_rate=1e-2,
            weight_decay=3e-2,
            warmup=10,
            check_every=20,
            patience=None,
        )

    def _network(self, treated: SequenceDataset) -> nn.Module:
        stream, count = treated.stream, len(self.channels_)
        sizes: dict[str, Any] = {
            "channels": count,
            "extras": len(stream.channels) - count,
            "holes": not bool(stream.mask[:, :count].all()),
            "layer": self.layer,
            "hidden_size": self.hidden_size,
            "dropout": self.dropout,
        }
        if self.method == "forecast":
            network = NextStepNetwork(
                NextStepPlan(**sizes, distribution="student", input_dropout=0.1), LAYERS[self.layer]
            )
            network.begin_with(torch.full((count,), 0.5))
            return network
        plan = AutoencoderPlan(**sizes, window=self.window, code_size=self.code_size)
        return WindowAutoencoder(plan, LAYERS[self.layer])

    def _network_header(self) -> dict[str, Any]:
        return asdict(self.network_.plan)

    def _network_from(self, header: Mapping[str, Any]) -> nn.Module:
        place = "header.network"
        if self.method == "forecast":
            return NextStepNetwork(take(NextStepPlan, header, place), LAYERS[self.layer])
        return WindowAutoencoder(take(AutoencoderPlan, header, place), LAYERS[self.layer])

    def _batches(self, treated: SequenceDataset, size: int, seed: int) -> Iterator[RowBatch]:
        rows = Rows(treated.stream, len(self.channels_))
        self._learned_from = rows
        steps = STRETCH if self.method == "forecast" else self.window
        weights = np.ones(len(treated)) if treated.weights is None else treated.weights
        return endless_stretches(rows, weights, size, steps, seed)

    def _mean_loss(self, network: nn.Module, waiting: SequenceDataset) -> float:
        rows = Rows(waiting.stream, len(self.channels_))
        errors = self._errors_of(network, rows)
        return float(np.nanmean(np.concatenate(errors)))

    def _check_by_score(self, *_given: Any) -> Any:
        raise OptionError(
            "stop_by='score', but how many events an AnomalyDetector finds does not say how good "
            "it is. Use stop_by='loss': how far what it foretells is off."
        )

    def _after_training(self, held: SequenceDataset | None) -> None:  # noqa: ARG002
        """See how far values and errors go in what was learned from."""
        rows = self._learned_from
        del self._learned_from
        errors = self._errors_of(self.network_, rows)
        self._scored(rows, errors, self._ranges, adapts=True, widens=True)
        self.threshold_ = float(self.margin)
        if self.contamination is not None:
            scores = self._scored(rows, errors, self._ranges, adapts=False)
            self.threshold_ = float(
                np.nanquantile(np.concatenate(scores), 1.0 - self.contamination)
            )

    def _scores(self, part: SequenceDataset) -> list[Score]:
        name, steps = type(self).__name__, max(part.stream.rows, 1)
        alarms = sum(map(len, self.events(part)))
        rows = Rows(self.preprocessor_.transform(part).stream, len(self.channels_))
        error = np.nanmean(np.concatenate(self._errors_of(self.network_, rows)))
        return [
            Score(name, "events per 1000 steps", 1000 * alarms / steps),
            Score(name, "mean error, scaled", float(error)),
        ]

    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:  # noqa: ARG002
        values, alarms = kept_values(part.stream), 0
        for first, stop in zip(part.stream.offsets, part.stream.offsets[1:], strict=False):
            told = np.stack([windowed_gaussian(each) for each in values[first:stop].T])
            odd = np.flatnonzero(np.nan_to_num(told).max(0) >= FAR_OUT)
            alarms += int(odd.size > 0) + int((np.diff(odd) > self.quiet_).sum())
        rate = 1000 * alarms / max(part.stream.rows, 1)
        return [Score("windowed Gaussian", "events per 1000 steps", rate)]

    def _state(self) -> dict[str, Any]:
        names = ("channels_", "quiet_", "threshold_")
        ranges = {
            name: [None if np.isinf(value) else value for value in values]  # nothing was seen
            for name, values in asdict(self._ranges).items()
        }
        return {**{name: getattr(self, name) for name in names}, "ranges": ranges}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        told = take(_State, state, "header.learned")
        self.channels_, self.quiet_ = told["channels_"], told["quiet_"]
        self.threshold_ = told["threshold_"]
        agree(len(self.channels_), self.network_.plan.channels, "channels")
        parts = asdict(Ranges.none(len(self.channels_)))
        for name, values in told["ranges"].items():
            agree(len(values), len(self.channels_), f"channels in {name}")
            known = [value is not None for value in values]
            parts[name][known] = [value for value in values if value is not None]
        self._ranges = Ranges(**parts)

    # ------------------------------------------------------------------ inside

    @torch.no_grad()
    def _errors_of(self, network: nn.Module, rows: Rows) -> list[Floats]:
        """Measure how badly each row was foretold or told again, record by record."""
        found = []
        for record, first in enumerate(rows.offsets[:-1]):
            length = rows.offsets[record + 1] - first
            batch = rows.batch(np.array([first]), np.array([length]))
            if isinstance(network, NextStepNetwork):
                raw = [each for _, each, _ in in_pieces(network, batch)]
                expected = network.distribution.mean(torch.cat(raw, 1))[0]
            elif isinstance(network, WindowAutoencoder):
                expected = _last_rows(network, rows, record)
            values = batch.values[0, :, : rows.channels]
            errors = (values - expected).abs().double().numpy()
            there = batch.observed[0, :, : rows.channels].numpy()
            found.append(np.where(there, errors, np.nan))
        return found

    def _states(self, dataset: SequenceDataset, layer: str) -> list[Floats]:  # noqa: ARG002
        rows = Rows(self.preprocessor_.transform(dataset).stream, len(self.channels_))
        if isinstance(self.network_, WindowAutoencoder):
            return [_codes(self.network_, rows, record) for record in range(len(dataset))]
        pairs = zip(rows.offsets[:-1], dataset.lengths, strict=True)
        batches = (rows.batch(np.array([first]), np.array([steps])) for first, steps in pairs)
        return [states_after(self.network_, batch)[0] for batch in batches]

    def _steps_shown(self, dataset: SequenceDataset) -> list[Floats]:
        return self.score_samples(dataset)

    def _answers_shown(self, dataset: SequenceDataset) -> list[object]:
        """Say how odd the last step is."""
        return [each[-1] for each in self.score_samples(dataset)]

    def _numbers_for(self, dataset: SequenceDataset) -> dict[str, list[Floats]]:
        """Say how odd each step is."""
        return {"score": self.score_samples(dataset)}

    def _question(self, X: Any, target: Any, *, step: int | None = None, **how: Any) -> Question:
        """See `Learner.explain`: the score of a step, by default of the oddest."""
        from recurra.estimators.rows.row_reads import about_score

        return about_score(self, X, target, step, how)

    def _scored(
        self, rows: Rows, errors: list[Floats], ranges: Ranges, adapts: bool, widens: bool = False
    ) -> list[Floats]:
        """Score each step of each record, which begin with the same ranges unless they `widen`."""
        found = []
        for first, each in zip(rows.offsets, errors, strict=False):
            novelty = Novelty(ranges if widens else ranges.copy(), self.smoothing, adapts)
            values = rows.scaled[first : first + len(each)]
            pairs = zip(values, each, strict=True)
            found.append(np.array([novelty.step(value, error) for value, error in pairs]))
        return found

    def _events_of(self, scores: Floats) -> list[Event]:
        """Put odd steps together that lie near each other."""
        odd = np.flatnonzero(scores >= self.threshold_)
        parts = np.split(odd, np.flatnonzero(np.diff(odd) > self.quiet_) + 1) if odd.size else []
        peaks = [part[np.argmax(scores[part])] for part in parts]
        return [
            Event(int(part[0]), int(part[-1]), int(peak), float(scores[peak]))
            for part, peak in zip(parts, peaks, strict=True)
        ]


class _Seen(TypedDict):
    """What was seen of each channel: None where nothing was."""

    low: list[float | None]
    high: list[float | None]
    least_error: list[float | None]
    most_error: list[float | None]


class _State(TypedDict):
    """What was learned besides the network, as JSON holds it."""

    channels_: tuple[str, ...]
    quiet_: int
    threshold_: float
    ranges: _Seen


def _last_rows(network: WindowAutoencoder, rows: Rows, record: int) -> torch.Tensor:
    """Tell the last row of every window of a record again."""
    told = [torch.zeros(0, rows.channels)]
    for batch in windows_of(rows, record, network.plan.window):
        whole = network(batch)
        told.append(whole[torch.arange(len(whole)), batch.lengths - 1])
    return torch.cat(told)


@torch.no_grad()
def _codes(network: WindowAutoencoder, rows: Rows, record: int) -> Floats:
    """Give the code of the window that ends at each row of a record."""
    from recurra.explaining.trajectories import heard

    parts = [np.zeros((0, network.plan.code_size))]
    for batch in windows_of(rows, record, network.plan.window):
        ((_, _, code),) = heard(network.code, partial(network, batch))
        parts.append(code.double().numpy())
    return np.concatenate(parts)
