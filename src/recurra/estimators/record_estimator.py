"""What estimators of whole records have in common: reading, treating, training, answering."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import torch
from sklearn.base import BaseEstimator
from sklearn.model_selection import train_test_split

from recurra import layers
from recurra.artifact import write_model
from recurra.data import ParquetRecords, Preprocessor, SequenceDataset, Stream
from recurra.data.tables.notes import tell
from recurra.data.treatments import Fill, Indicators, SinceObserved, Treatment
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.estimators.forecast_checks import check_choice, check_count, check_seed
from recurra.estimators.record_batches import (
    SAMPLE,
    answers,
    endless,
    endless_blocks,
    mean_loss,
)
from recurra.estimators.record_checks import (
    answerable,
    check_filled,
    check_streams,
    known_targets,
    tell_of_copies,
    tell_of_new_holes,
)
from recurra.estimators.record_defaults import default_training, default_treatments, tell_of_holes
from recurra.estimators.record_inputs import Shape, as_dataset, conform
from recurra.estimators.record_plan import plan_from_dict, plan_network, plan_to_dict
from recurra.models import NetworkPlan, SequenceNetwork
from recurra.training import Log, Training, train

if TYPE_CHECKING:
    import os

    from recurra.types import Array, Floats

__all__ = ["RecordEstimator"]

LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.RNN, "grud": layers.GRUD}
FEWEST_HELD = 10
PREFIX = "network."


class RecordEstimator(BaseEstimator):
    """Learns something of whole records; see `Classifier` and `Regressor`."""

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
        join: Literal["late", "concatenate", "gated"] = "late",
        input_dropout: float = 0.1,
        dropout: float = 0.3,
        recurrent_dropout: float = 0.0,
        channel_dropout: float = 0.0,
        treatments: Preprocessor | Sequence[Treatment] | Literal["auto"] = "auto",
        validation: float = 0.15,
        training: Training | None = None,
        seed: int = 0,
    ) -> None:
        self.layer = layer
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bidirectional = bidirectional
        self.pooling = pooling
        self.encoder_size = encoder_size
        self.shortcut = shortcut
        self.join = join
        self.input_dropout = input_dropout
        self.dropout = dropout
        self.recurrent_dropout = recurrent_dropout
        self.channel_dropout = channel_dropout
        self.treatments = treatments
        self.validation = validation
        self.training = training
        self.seed = seed

    # ------------------------------------------------------------------ learn

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        groups: Any = None,
        **how: Any,
    ) -> Self:
        """Learn from records.

        Parameters
        ----------
        X : SequenceDataset, ParquetRecords, list of array-like, ndarray or dict
            The records: a data set, files larger than memory, or anything that
            `recurra.data.from_arrays` reads. NaN is a missing value. Of files, treatments are
            learned from 4096 records drawn from all of them, and the network from all.
        y : array-like, optional
            What is to be learnt, one row for each record; not needed where the data set brings it.
        sample_weight : array-like, shape (records,), optional
            How much each record counts.
        groups : array-like, shape (records,), optional
            Records of one group are held back together.
        **how
            Further arguments of `recurra.data.from_arrays`, such as ``times`` and ``static``.

        Returns
        -------
        RecordEstimator
            Itself.

        Raises
        ------
        DataError
            If something is wrong with the data; the message says where, and what to do.
        OptionError
            If an option is impossible.
        TrainingError
            If the training diverges.
        """
        self._check_options()
        before = dict(self.__dict__)
        try:
            return self._fit(X, y, {**how, "weights": sample_weight, "groups": groups})
        except BaseException:  # what was learned before stays until all has gone well
            self.__dict__ = before
            raise

    def _fit(self, X: Any, y: Any, how: Mapping[str, Any]) -> Self:
        """Learn from data with targets, or from files and a sample of them."""
        source = X if isinstance(X, ParquetRecords) else None
        dataset = as_dataset(X if source is None else source.sample(SAMPLE, self.seed), y, **how)
        if not dataset.targets:
            raise DataError("There is nothing to learn: y is missing", code="no_target")
        dataset = self._prepared(self._with_known_targets(check_streams(dataset)))
        dataset = replace(dataset, notes=(*dataset.notes, *tell_of_copies(dataset)))
        kept, held = self._parted(dataset)
        kept = _evenly_weighted(kept)
        kept = replace(kept, notes=(*kept.notes, *self._ready(kept)))
        treated, preprocessor = self._treated(self._scaled(kept))
        shapes = {name: Shape.of(each) for name, each in _parts(dataset).items()}
        options = self.training or default_training(len(kept if source is None else source))
        report = treated.notes
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = SequenceNetwork(self._plan(treated), LAYERS[self.layer])
            _set_time_scales(network, treated)
            if source is None:
                batches = endless(treated, options.batch_size, self.seed)
            else:
                batches = endless_blocks(
                    source,
                    lambda block: preprocessor.transform(self._scaled(self._converted(block))),
                    frozenset(() if held is None else held.ids),
                    options.batch_size,
                    self.seed,
                )
            check = None
            if held is not None:
                waiting = preprocessor.transform(self._scaled(held))
                check = lambda: mean_loss(network, waiting)  # noqa: E731
            del X, dataset, kept, held, treated  # where memory is scarce, the sample goes now
            log = train(network, batches, options, check)
        self.preprocessor_, self.network_, self.log_ = preprocessor, network, log
        self.report_ = tuple(report)
        self._shapes = shapes
        return self

    @abstractmethod
    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        """Check the targets, and put them as the network learns them."""

    def _with_known_targets(self, dataset: SequenceDataset) -> SequenceDataset:
        """Leave out records of which nothing is known that could be learned."""
        known = known_targets(dataset)
        if known.all():
            return dataset
        said = f"{int((~known).sum())} of {len(dataset)} records have no known target: left out."
        left = dataset.take(np.flatnonzero(known))
        return replace(left, notes=(*left.notes, tell(said)))

    def _ready(self, kept: SequenceDataset) -> tuple[str, ...]:  # noqa: ARG002
        """Learn what the targets need from the training part; return what is to be told of it."""
        return ()

    def _converted(self, dataset: SequenceDataset) -> SequenceDataset:
        """Put the targets of a part of larger data as `_prepared` puts those of a sample."""
        return dataset

    def _scaled(self, dataset: SequenceDataset) -> SequenceDataset:
        """Write the targets as the network learns them."""
        return dataset

    @abstractmethod
    def _state(self) -> dict[str, Any]:
        """What was learned besides the network and the treatments, for JSON."""

    @abstractmethod
    def _restore_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `_state` returned."""

    # ------------------------------------------------------------------ answer

    def _raw(self, X: Any, **how: Any) -> dict[str, Floats]:
        """Answer for each record, as the network says it; NaN where nothing is known of it."""
        self._check_fitted()
        if isinstance(X, ParquetRecords):
            parts = [self._raw(block) for block in X.blocks()]
            return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        dataset = replace(as_dataset(X, **how), targets={})
        dataset = conform(dataset, self._shapes)
        there = answerable(dataset)
        if there.all():
            return self._answered(dataset)
        first = dataset.ids[int(np.argmin(there))]
        count = int((~there).sum())
        said = f"{count} of {len(there)} records have no steps and get no answer (NaN or None)"
        tell(f"{said}: the first is {first!r}.")
        found = {}
        for name, each in self.network_.plan.answers.items():
            size = (each.outputs, each.classes) if each.classes else (each.outputs,)
            found[name] = np.full((len(dataset), *size), np.nan)
        if there.any():
            for name, raw in self._answered(dataset.take(np.flatnonzero(there))).items():
                found[name][there] = raw
        return found

    def _answered(self, dataset: SequenceDataset) -> dict[str, Floats]:
        """Treat records, each with something known, and answer for them."""
        kinds = {type(each) for each in self.preprocessor_.treatments}
        if Fill in kinds and not kinds & {Indicators, SinceObserved}:
            tell_of_new_holes(dataset)
        treated = self.preprocessor_.transform(dataset)
        check_filled(treated, self.layer == "grud")
        return answers(self.network_, treated)

    # ------------------------------------------------------------------ keep

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the model, with its treatments, into one file.

        Parameters
        ----------
        path : str or path-like
            The file; :func:`recurra.load` takes it up again.

        Raises
        ------
        FileError
            If it cannot be written.
        """
        self._check_fitted()
        parameters = self.get_params(deep=False)
        parameters["treatments"] = "auto" if self.treatments == "auto" else None
        if self.training is not None:
            parameters["training"] = asdict(self.training)
        header = {
            "estimator": type(self).__name__,
            "parameters": parameters,
            "preprocessor": self.preprocessor_.header(),
            "plan": plan_to_dict(self.network_.plan),
            "shapes": {name: shape._asdict() for name, shape in self._shapes.items()},
            "log": asdict(self.log_),
            "report": self.report_,
            "learned": self._state(),
        }
        weights = {PREFIX + k: v.numpy() for k, v in self.network_.state_dict().items()}
        write_model(path, header, {**self.preprocessor_.arrays(), **weights})

    @classmethod
    def _restore(cls, header: dict[str, Any], arrays: dict[str, Array]) -> Self:
        parameters = header["parameters"]
        if parameters["training"] is not None:
            parameters["training"] = Training(**parameters["training"])
        own = {k: v for k, v in arrays.items() if not k.startswith(PREFIX)}
        preprocessor = Preprocessor.from_saved(header["preprocessor"], own)
        if parameters["treatments"] is None:
            parameters["treatments"] = preprocessor.treatments
        if isinstance(parameters["pooling"], list):
            parameters["pooling"] = tuple(parameters["pooling"])
        model = cls(**parameters)
        model.preprocessor_ = preprocessor
        with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced
            network = SequenceNetwork(plan_from_dict(header["plan"]), LAYERS[model.layer])
        weights = {k.removeprefix(PREFIX): v for k, v in arrays.items() if k.startswith(PREFIX)}
        network.load_state_dict({k: torch.from_numpy(v) for k, v in weights.items()})
        model.network_ = network.eval()
        model.log_, model.report_ = Log(**header["log"]), tuple(header["report"])
        model._shapes = {
            name: Shape(s["kind"], tuple(s["channels"]), s["clock"], tuple(s["categorical"]))
            for name, s in header["shapes"].items()
        }
        model._restore_state(header["learned"])
        return model

    # ------------------------------------------------------------------ inside

    def _treated(self, kept: SequenceDataset) -> tuple[SequenceDataset, Preprocessor]:
        """Learn the treatments from the training part, and treat it."""
        if isinstance(self.treatments, str):
            decays = self.layer == "grud"
            preprocessor = Preprocessor(default_treatments(kept, decays))
            kept = replace(kept, notes=(*kept.notes, *tell_of_holes(kept, decays)))
        elif isinstance(self.treatments, Preprocessor):
            preprocessor = Preprocessor(self.treatments.treatments)
        else:
            preprocessor = Preprocessor(self.treatments)
        treated = preprocessor.fit_transform(kept)
        check_filled(treated, self.layer == "grud")
        return treated, preprocessor

    def _parted(self, dataset: SequenceDataset) -> tuple[SequenceDataset, SequenceDataset | None]:
        """Hold some records back, to stop the training; groups are never parted."""
        units = np.arange(len(dataset)) if dataset.groups is None else dataset.groups
        names, owner = np.unique(units, return_inverse=True)
        if round(self.validation * len(names)) < FEWEST_HELD:
            return dataset, None
        labels = None
        target = next(iter(dataset.targets.values()))
        if target.classes and target.level == "record" and dataset.groups is None:
            codes = target.values[:, 0]
            labels = codes if np.bincount(codes).min() > 1 else None
            if labels is not None and self.validation * len(names) < len(target.classes):
                labels = None
        _, held = train_test_split(
            np.arange(len(names)),
            test_size=self.validation,
            random_state=self.seed,
            stratify=labels,
        )
        back = np.isin(owner, held)
        return dataset.take(np.flatnonzero(~back)), dataset.take(np.flatnonzero(back))

    def _plan(self, treated: SequenceDataset) -> NetworkPlan:
        """Plan the network that suits treated data."""
        names = ("hidden_size", "num_layers", "bidirectional", "shortcut", "join")
        drops = ("input_dropout", "dropout", "recurrent_dropout", "channel_dropout")
        options = {name: getattr(self, name) for name in (*names, *drops)}
        pooling = (self.pooling,) if isinstance(self.pooling, str) else tuple(self.pooling)
        return plan_network(treated, self.encoder_size, {**options, "pooling": pooling})

    def _check_fitted(self) -> None:
        if not hasattr(self, "network_"):
            raise NotFittedError(f"This {type(self).__name__} is not fitted. Call fit(X, y) first.")

    def _check_options(self) -> None:
        check_choice("layer", self.layer, LAYERS)
        check_seed(self.seed)
        for name in ("input_dropout", "dropout", "recurrent_dropout", "channel_dropout"):
            value = getattr(self, name)
            if not isinstance(value, int | float) or not 0 <= value < 1:
                raise OptionError(f"{name}={value!r}, but it must be at least 0 and less than 1.")
        for name in ("hidden_size", "num_layers", "encoder_size"):
            if not (name == "encoder_size" and self.encoder_size is None):
                check_count(name, getattr(self, name))
        if not isinstance(self.validation, int | float) or not 0 <= self.validation < 1:
            raise OptionError(f"validation={self.validation!r}, but it is a share below 1.")
        if self.layer == "grud" and (self.bidirectional or self.num_layers > 1):
            raise OptionError(
                'layer="grud" reads once, forwards: num_layers=1, bidirectional=False.'
            )


def _parts(dataset: SequenceDataset) -> dict[str, Stream]:
    """List all streams, the static covariates among them."""
    static = {} if dataset.static is None else {"static": dataset.static}
    return {**dataset.streams, **static}


def _evenly_weighted(dataset: SequenceDataset) -> SequenceDataset:
    """Scale the weights to a mean of one, so that they do not change the learning rate."""
    if dataset.weights is None:
        return dataset
    if not dataset.weights.any():
        message = "All weights of the records that were not held back are zero"
        raise DataError(message, code="weight", hint="Use validation=0, or leave those out.")
    return replace(dataset, weights=dataset.weights / dataset.weights.mean())


def _set_time_scales(network: SequenceNetwork, treated: SequenceDataset) -> None:
    """Tell layers that read times what a usual gap is."""
    for name, layer in zip(network.reads, network.layers, strict=True):
        gaps = treated.streams[name].gaps if name in treated.streams else np.zeros(0)
        if isinstance(layer, layers.GRUD) and (gaps > 0).any():
            layer.time_scale.fill_(float(np.median(gaps[gaps > 0])))
