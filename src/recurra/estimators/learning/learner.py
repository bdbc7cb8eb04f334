"""The way from data to a trained network, the same for every task."""

from __future__ import annotations

import warnings
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import torch
from torch import nn

from recurra.artifact import write_model
from recurra.data import ParquetRecords, Preprocessor, SequenceDataset
from recurra.data.tables.notes import tell
from recurra.data.treatments import Treatment
from recurra.errors import DataError, DataWarning, OptionError
from recurra.estimators.learning.diagnosed import Diagnosed
from recurra.estimators.learning.explained import Explained
from recurra.estimators.learning.options import check_seed
from recurra.estimators.learning.probed import Probed
from recurra.estimators.learning.record_batches import endless, endless_blocks, mean_loss, sampled
from recurra.estimators.learning.record_checks import check_streams, known_targets
from recurra.estimators.learning.record_defaults import share_held
from recurra.estimators.learning.record_inputs import Shape, as_dataset, conform
from recurra.estimators.learning.remembered import Remembered
from recurra.estimators.learning.report import Report, Score
from recurra.estimators.learning.reported import Reported
from recurra.estimators.learning.restoring import SCHEMA, check_header, options_of
from recurra.estimators.learning.stopping import score_to_stop_by
from recurra.estimators.learning.training_choice import TrainingChoice
from recurra.estimators.rate_finding import rate_for_records
from recurra.layers.checked import attempt, build_network, check_sizes
from recurra.training import Callback, Checkpoints, Log, RateCurve, Training, train

if TYPE_CHECKING:
    import os

    from sklearn.utils import Tags

    from recurra.types import Array

__all__ = ["Learner"]

FEWEST_HELD = 10
PREFIX = "network."
_HEADER: dict[str, Any] = {  # of a file, besides its class and its schema
    "parameters": dict[str, Any],
    "preprocessor": list[dict[str, Any]],
    "network": dict[str, Any],
    "shapes": dict[str, Shape],
    "rounds": int,
    "log": Log,
    "notes": tuple[str, ...],
    "report": Report,
    "learned": dict[str, Any],
}


class Learner(Explained, Probed, Remembered, Diagnosed, Reported, TrainingChoice):
    """Learns from records. What a task says of itself are the hooks at the end.

    The constructor of a task stores, among options of its own, the five named here.

    Attributes
    ----------
    preprocessor_ : Preprocessor
        The fitted treatments.
    network_ : torch.nn.Module
        The trained network.
    log_ : Log
        What happened in training.
    notes_ : tuple of str
        What the data needed, with counts.
    """

    treatments: Preprocessor | Sequence[Treatment] | Literal["auto"]
    validation: Any  # a share, or "auto" where it follows from the data
    training: Training | None
    warm_start: bool
    seed: int

    network_: nn.Module
    _kept_in: Checkpoints | None = None  # while learning
    learns_alone: ClassVar[bool] = False
    """Whether the records themselves are what is learned: there is no y."""

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
        checkpoint: str | os.PathLike[str] | Checkpoints | None = None,
        resume: bool = True,
        **how: Any,
    ) -> Self:
        """Learn from records.

        Parameters
        ----------
        X : SequenceDataset, ParquetRecords, list of array-like, ndarray or dict
            The records: a data set, files larger than memory, or anything that
            `recurra.data.from_arrays` reads. NaN is a missing value. Of files, treatments are
            learned from some thousand records drawn from all of them, and the network from all.
        y : array-like, optional
            What is to be learnt; not needed where the data set brings it.
        sample_weight : array-like, shape (records,), optional
            How much each record counts; one of weight 0 is not learned from at all.
        groups : array-like, shape (records,), optional
            Records of one group are held back together.
        validation : SequenceDataset or (X, y), optional
            Records to stop the training by, instead of holding some back.
        callbacks : sequence of callable
            Each is called after every step with a `recurra.training.Moment`; one that returns True
            ends the training.
        checkpoint : str, path-like or Checkpoints, optional
            A folder in which the training is kept every half a minute, and when it is asked to
            stop, by Ctrl-C or SIGTERM. The same `fit` again goes on from there, and comes to the
            same weights, to the bit, as if nothing had stopped it.
        resume : bool
            Whether to go on from what is kept there; else it is begun again.
        **how
            Further arguments of `recurra.data.from_arrays`, such as ``times`` and ``static``.

        Returns
        -------
        Learner
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
        how = {**how, "weights": sample_weight, "groups": groups}
        learn = self._go_on if self.warm_start and self._fitted else self._begin
        self._kept_in = Checkpoints.of(checkpoint, resume)
        try:
            return self._safely(learn, X, y, how, validation, callbacks, rounds=None)
        finally:
            del self._kept_in

    def partial_fit(
        self,
        X: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        callbacks: Sequence[Callback] = (),
        **how: Any,
    ) -> Self:
        """Go once through some records, and learn from them on top of what was learned.

        The first call learns treatments, classes and scales too; later ones only the weights.
        Nothing is held back, and the learning rate does not fall.

        Parameters
        ----------
        X, y, sample_weight, callbacks, **how
            As for `fit`.

        Returns
        -------
        Learner
            Itself.

        Raises
        ------
        DataError, OptionError, TrainingError
            As for `fit`; and if a label was never seen.
        """
        self._check_options()
        learn = self._go_on if self._fitted else self._begin
        how = {**how, "weights": sample_weight}
        return self._safely(learn, X, y, how, None, callbacks, rounds=1)

    def find_learning_rate(
        self, X: Any, y: Any = None, *, sample_weight: Any = None, groups: Any = None, **how: Any
    ) -> RateCurve:
        """Look for a learning rate, in a short training whose rate rises from tiny to huge.

        All is prepared as in `fit`, by the same options and the same seed. The estimator stays as
        it is, fitted or not; to use what is suggested, give it a `Training` with that rate.

        Parameters
        ----------
        X, y, sample_weight, groups, **how
            As for `fit`.

        Returns
        -------
        RateCurve
            With ``suggestion``, and ``plot()`` to look at; see
            `recurra.training.find_learning_rate`.

        Raises
        ------
        DataError, OptionError, TrainingError
            As for `fit`.
        """
        return rate_for_records(self, X, y, {**how, "weights": sample_weight, "groups": groups})

    def _safely(self, learn: Any, *data: Any, rounds: int | None) -> Self:
        """Learn; what was learned before stays until all has gone well."""
        before = dict(self.__dict__)
        try:
            learn(*data, rounds=rounds)
        except BaseException:
            self.__dict__ = before
            raise
        return self

    def _begin(
        self,
        X: Any,
        y: Any,
        how: Mapping[str, Any],
        validation: Any,
        callbacks: Sequence[Callback],
        rounds: int | None,
    ) -> None:
        """Learn everything: targets, treatments, network."""
        source = X if isinstance(X, ParquetRecords) else None
        read = self._read(sampled(X, self.seed), y, **how)
        dataset = self._prepared(self._with_known_targets(self._with_targets(check_streams(read))))
        self._shapes = {name: Shape.of(each) for name, each in dataset.all_streams.items()}
        self._rounds = 0
        alone = rounds is None and validation is None
        kept, held = self._parted(dataset) if alone else (dataset, None)
        again = source is None and held is not None and self._learns_again(kept, held)
        whole = dataset if again else None
        kept = self._weighted(kept)
        if validation is not None:  # read by what is known by now
            held = self._read_again(*_pair(validation))
        treated, self.preprocessor_ = self._treated(self._scaled(kept))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = self._network(treated)
            options, batches = self._course(source, treated, held, rounds)
            self.notes_ = tuple(treated.notes)
            del read, dataset, treated  # where memory is scarce, the sample goes now
            self._train(network, batches, options, kept, held, callbacks)
        if whole is not None:
            self._train_again(whole, self.log_.best_step / options.steps)

    def _go_on(
        self,
        X: Any,
        y: Any,
        how: Mapping[str, Any],
        validation: Any,
        callbacks: Sequence[Callback],
        rounds: int | None,
    ) -> None:
        """Learn the weights further; all else stays as it was learned."""
        source = X if isinstance(X, ParquetRecords) else None
        dataset = self._read_again(sampled(X, self.seed), y, how)
        kept, held = self._parted(dataset) if rounds is None else (dataset, None)
        if validation is not None:
            kept, held = dataset, self._read_again(*_pair(validation))
        kept = evenly_weighted(kept)
        treated = self.preprocessor_.transform(self._scaled(kept))
        self._rounds += 1
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed + self._rounds)
            options, batches = self._course(source, treated, held, rounds)
            self._train(deepcopy(self.network_), batches, options, kept, held, callbacks)

    def _train(
        self,
        network: nn.Module,
        batches: Iterator[Any],
        options: Training,
        kept: SequenceDataset,
        held: SequenceDataset | None,
        callbacks: Sequence[Callback],
    ) -> None:
        """Train, and score the answers beside a simple model's."""
        trained, check = self._trainable(network), None
        if held is not None:
            waiting = self.preprocessor_.transform(self._scaled(held))
            check = lambda: self._mean_loss(trained, waiting)  # noqa: E731
            if options.stop_by == "score":
                check = self._check_by_score(network, held, check)
        part, counts = kept if held is None else held, (len(kept), len(held or ()))
        simple = self._baseline(kept, part)
        del kept
        kept_in = self._kept_in
        self.log_ = train(trained, batches, options, check, callbacks, checkpoints=kept_in)
        self.network_, self._trained_by = network.eval(), options
        self._after_training(held)
        scores = (*self._scores(part), *simple)
        took = (len(self.log_.loss), self.log_.seconds)
        self._report = Report(type(self).__name__, *counts, scores, *took, self.notes_)

    def _train_again(self, whole: SequenceDataset, share: float) -> None:
        """Learn treatments and a network from all records, for as long as was best for a part."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)  # it was said of the part
            treated, self.preprocessor_ = self._treated(self._scaled(self._weighted(whole)))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = self._network(treated)
            options, batches = self._course(None, treated, None, None)
            last = max(round(share * options.steps), 1)
            options, kept_in = replace(options.without_checks(), steps=last), self._kept_in
            train(self._trainable(network), batches, options, checkpoints=kept_in, part="once-more")
        self.network_ = network.eval()
        told = f"Learned once more from all {len(whole)} records, in {last} steps."
        self.notes_ = (*treated.notes, told)
        self._report = replace(self._report, notes=self.notes_)

    def _weighted(self, kept: SequenceDataset) -> SequenceDataset:
        """Weigh the training part, and learn what its targets need."""
        kept = evenly_weighted(kept)
        return replace(kept, notes=(*kept.notes, *self._ready(kept)))

    def _course(
        self,
        source: ParquetRecords | None,
        treated: SequenceDataset,
        held: SequenceDataset | None,
        rounds: int | None,
    ) -> tuple[Training, Iterator[Any]]:
        """Choose how to train, and on which batches."""
        size = self._amount(treated) if source is None else len(source)
        options = self._training_for(size, rounds)
        return options, self._batches_of(source, treated, held, options.batch_size)

    def _batches_of(
        self,
        source: ParquetRecords | None,
        treated: SequenceDataset,
        held: SequenceDataset | None,
        size: int,
    ) -> Iterator[Any]:
        seed = self.seed + self._rounds
        if source is None:
            return self._batches(treated, size, seed)
        left_out = frozenset(() if held is None else held.ids)
        return endless_blocks(source, self._treated_block, left_out, size, seed)

    def _treated_block(self, block: SequenceDataset) -> SequenceDataset:
        return self.preprocessor_.transform(self._scaled(self._recoded(block)))

    # ------------------------------------------------------------------ tell

    def scores(self, X: Any, y: Any = None, **how: Any) -> tuple[Score, ...]:
        """Score the answers for other records, by the measures of `report`.

        Parameters
        ----------
        X, y, **how
            As for `fit`.

        Returns
        -------
        tuple of Score
            One for each measure.

        Raises
        ------
        DataError
            If the data are not as those learned from: a label was never seen, a stream is missing.
        """
        self._check_fitted()
        return tuple(self._scores(self._read_again(X, y, how)))

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
        self._check_options()  # they may have been changed since
        parameters = self.get_params(deep=False)
        parameters["treatments"] = "auto" if isinstance(self.treatments, str) else None
        if self.training is not None:
            parameters["training"] = asdict(self.training)
        header = {
            "estimator": type(self).__name__,
            "schema": SCHEMA,
            "parameters": parameters,
            "preprocessor": self.preprocessor_.header(),
            "network": self._network_header(),
            "shapes": {name: shape._asdict() for name, shape in self._shapes.items()},
            "rounds": self._rounds,
            "log": asdict(self.log_),
            "notes": self.notes_,
            "report": asdict(self._report),
            "learned": self._state(),
        }
        weights = {PREFIX + k: v.numpy() for k, v in self.network_.state_dict().items()}
        write_model(path, header, {**self.preprocessor_.arrays(), **weights})

    @classmethod
    def _restore(cls, header: dict[str, Any], arrays: dict[str, Array]) -> Self:
        told = check_header(header, _HEADER)
        parameters = options_of(cls, told["parameters"])
        own = {k: v for k, v in arrays.items() if not k.startswith(PREFIX)}
        preprocessor = attempt(lambda: Preprocessor.from_saved(told["preprocessor"], own))
        if parameters["treatments"] is None:
            parameters["treatments"] = preprocessor.treatments
        model = cls(**parameters)
        attempt(model._check_options)
        model.preprocessor_ = preprocessor
        weights = {k.removeprefix(PREFIX): v for k, v in arrays.items() if k.startswith(PREFIX)}
        check_sizes(told["network"], weights)
        model.network_ = build_network(lambda: model._network_from(told["network"]), weights)
        model.log_, model.notes_, model._report = told["log"], told["notes"], told["report"]
        model._shapes, model._rounds = told["shapes"], told["rounds"]
        attempt(lambda: model._restore_state(told["learned"]))
        return model

    # ------------------------------------------------------------------ inside

    def _read_again(
        self, X: Any, y: Any = None, how: Mapping[str, Any] | None = None
    ) -> SequenceDataset:
        """Read more data to learn from or to stop by, as the first were read."""
        read = self._with_targets(check_streams(self._read(X, y, **(how or {}))))
        conformed = conform(self._with_known_targets(read), self._shapes)
        return self._recoded(conformed)

    def _with_targets(self, dataset: SequenceDataset) -> SequenceDataset:
        if not dataset.targets and not self.learns_alone:
            said = f"y is missing: a {type(self).__name__} requires y to be passed"
            hint = "Give fit(X, y), or data that bring their targets."
            raise DataError(f"{said}, but the target y is None", code="no_target", hint=hint)
        return dataset

    def _with_known_targets(self, dataset: SequenceDataset) -> SequenceDataset:
        """Leave out records of which nothing is known that could be learned."""
        if not dataset.targets:
            return dataset
        known = known_targets(dataset)
        if known.all():
            return dataset
        said = f"{int((~known).sum())} of {len(dataset)} records have no known target: left out."
        left = dataset.take(np.flatnonzero(known))
        return replace(left, notes=(*left.notes, tell(said)))

    def _treated(self, kept: SequenceDataset) -> tuple[SequenceDataset, Preprocessor]:
        """Learn the treatments from the training part, and treat it."""
        chosen: Any = self.treatments
        if isinstance(chosen, str):
            chosen, told = self._default_treatments(kept)
            kept = replace(kept, notes=(*kept.notes, *told))
        elif isinstance(chosen, Preprocessor):
            chosen = chosen.treatments
        preprocessor = Preprocessor(chosen)
        treated = preprocessor.fit_transform(kept)
        self._check_treated(treated)
        return treated, preprocessor

    def _parted(self, dataset: SequenceDataset) -> tuple[SequenceDataset, SequenceDataset | None]:
        """Hold some records back, to stop the training; groups are never parted."""
        units = np.arange(len(dataset)) if dataset.groups is None else dataset.groups
        names, owner = np.unique(units, return_inverse=True)
        share = self.validation if self.validation != "auto" else share_held(len(dataset))
        if round(share * len(names)) < FEWEST_HELD:
            return dataset, None
        from sklearn.model_selection import train_test_split

        _, held = train_test_split(
            np.arange(len(names)),
            test_size=share,
            random_state=self.seed,
            stratify=_strata(dataset, share * len(names)),
        )
        back = np.isin(owner, held)
        return dataset.take(np.flatnonzero(~back)), dataset.take(np.flatnonzero(back))

    @property
    def _fitted(self) -> bool:
        return hasattr(self, "network_")

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether it has learned."""
        return self._fitted

    def __sklearn_tags__(self) -> Tags:
        """Say to scikit-learn what it takes: arrays of three axes too, with holes in them."""
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = not self.learns_alone
        return tags

    def _check_fitted(self) -> None:
        if not self._fitted:
            from recurra.estimators.learning.not_fitted import NotFittedError

            raise NotFittedError(f"This {type(self).__name__} is not fitted. Call fit(X, y) first.")

    # ------------------------------------------------------------------ what a task says of itself

    def _check_options(self) -> None:
        """Refuse impossible options."""
        check_seed(self.seed)
        share = 0 if self.validation == "auto" else self.validation
        if not isinstance(share, int | float) or not 0 <= share < 1:
            raise OptionError(f"validation={share!r}, but it is a share below 1, or 'auto'.")
        if self.training is not None and not isinstance(self.training, Training):
            raise OptionError(f"training={self.training!r}, but it must be a Training or None.")
        if self.training and self.training.truncation is not None and not self._cuts_time():
            raise OptionError(
                f"truncation={self.training.truncation} cuts records in pieces along time, but "
                f"{type(self).__name__} answers for what it has read whole. Use "
                "Training(truncation=None), and cut long records into windows beforehand "
                "(recurra.data.windows)."
            )

    def _cuts_time(self) -> bool:
        """Say whether ``Training(truncation=)`` may cut a batch, the state being carried on."""
        return False

    def _read(self, X: Any, y: Any, **how: Any) -> SequenceDataset:
        return as_dataset(X, y, **how)

    def _prepared(self, dataset: SequenceDataset) -> SequenceDataset:
        """Check the targets, learn their classes, and put them as the network learns them."""
        return dataset

    def _recoded(self, dataset: SequenceDataset) -> SequenceDataset:
        """Put the targets of more data as `_prepared` put those of the first."""
        return dataset

    def _ready(self, kept: SequenceDataset) -> tuple[str, ...]:  # noqa: ARG002
        """Learn what the targets need from the training part; return what is to be told of it."""
        return ()

    def _scaled(self, dataset: SequenceDataset) -> SequenceDataset:
        """Write the targets as the network learns them."""
        return dataset

    def _default_treatments(self, kept: SequenceDataset) -> tuple[list[Treatment], list[str]]:  # noqa: ARG002
        """Choose treatments where the user says nothing; return what was told, too."""
        return [], []

    def _amount(self, treated: SequenceDataset) -> int:
        """Say how much there is to learn from, in what a batch is counted in."""
        return len(treated)

    def _learns_again(self, kept: SequenceDataset, held: SequenceDataset) -> bool:  # noqa: ARG002
        """Say whether a network is learned once more, from what was held back too."""
        return False

    def _check_treated(self, treated: SequenceDataset) -> None:
        """Refuse treated data that the network cannot read."""

    @abstractmethod
    def _network(self, treated: SequenceDataset) -> nn.Module:
        """Make a network for treated data; it has ``loss(batch, state)``."""

    @abstractmethod
    def _network_header(self) -> dict[str, Any]:
        """Describe the network, for JSON."""

    @abstractmethod
    def _network_from(self, header: Mapping[str, Any]) -> nn.Module:
        """Make a network as `_network_header` described it; its weights come after."""

    def _trainable(self, network: nn.Module) -> nn.Module:
        """Give what is trained: the network, or something around it that has the loss."""
        return network

    def _batches(self, treated: SequenceDataset, size: int, seed: int) -> Iterator[Any]:
        """Go through the training part again and again."""
        return endless(treated, size, seed)

    def _mean_loss(self, network: nn.Module, waiting: SequenceDataset) -> float:
        """Return the loss that the training is stopped by, over treated records."""
        return mean_loss(network, waiting)

    def _check_by_score(
        self, network: nn.Module, held: SequenceDataset, loss: Callable[[], float]
    ) -> Callable[[], float]:
        """Make what a training is stopped by that is not to be stopped by the loss alone."""
        self.network_ = network  # which answers while it learns
        return score_to_stop_by(lambda: self._scores(held), loss)

    def _after_training(self, held: SequenceDataset | None) -> None:
        """Learn what the trained network needs beside it, from records it was not trained on."""

    @abstractmethod
    def _scores(self, part: SequenceDataset) -> list[Score]:
        """Score the answers for records as `_prepared` left them, by the task's own measures."""

    @abstractmethod
    def _baseline(self, kept: SequenceDataset, part: SequenceDataset) -> list[Score]:
        """Score one or more simple models, which learn from `kept`, on `part`, by the same."""

    def _state(self) -> dict[str, Any]:
        """Give what was learned besides the network and the treatments, for JSON."""
        return {}

    def _restore_state(self, state: Mapping[str, Any]) -> None:
        """Take up what `_state` returned."""


def evenly_weighted(dataset: SequenceDataset) -> SequenceDataset:
    """Leave out what has no weight, and scale the rest to a mean of one: the rate stays."""
    if dataset.weights is None:
        return dataset
    if not dataset.weights.any():
        message = "All weights of the records that were not held back are zero"
        raise DataError(message, code="weight", hint="Use validation=0, or leave those out.")
    dataset = dataset.take(np.flatnonzero(dataset.weights))
    assert dataset.weights is not None
    return replace(dataset, weights=dataset.weights / dataset.weights.mean())


def _strata(dataset: SequenceDataset, held: float) -> Array | None:
    """Give the labels that both parts are to have in equal shares, where that can be."""
    target = next(iter(dataset.targets.values()), None)
    if target is None or not target.classes or target.level != "record":
        return None
    codes: Array = target.values[:, 0]
    if dataset.groups is not None or len(target.outputs) > 1 or held < len(target.classes):
        return None
    return codes if codes.min() >= 0 and np.bincount(codes).min(initial=2) > 1 else None


def _pair(validation: Any) -> tuple[Any, Any]:
    """Take records to stop by, with or without their targets."""
    return validation if isinstance(validation, tuple) else (validation, None)
