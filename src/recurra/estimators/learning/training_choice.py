"""How an estimator trains: as it is told, or as is usual for so much data, but for some options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Self

from recurra.errors import OptionError, near
from recurra.estimators.estimator import Estimator
from recurra.estimators.learning.record_defaults import default_training
from recurra.training import Training

__all__ = ["TrainingChoice"]


class TrainingChoice(Estimator):
    """Chooses a training when the data are known; `Learner` asks for it."""

    training: Training | None
    _changes: Mapping[str, Any] = {}  # of a training that follows from the data
    _trained_by: Training | None = None  # unknown of a model that was read from a file

    def set_training(self, **changes: Any) -> Self:
        """Change some options of the training; the others stay as told, or follow from the data.

        Parameters
        ----------
        **changes
            Options of `recurra.training.Training`, such as ``steps=500``.

        Returns
        -------
        Learner
            Itself; a clone has the same changes. A file does not keep them.

        Raises
        ------
        OptionError
            If `Training` has no such option.

        Examples
        --------
        >>> from recurra import Classifier
        >>> X, y = [[0.0, 1.0], [1.0, 0.0]] * 6, ["up", "down"] * 6
        >>> model = Classifier(hidden_size=4).set_training(steps=5, progress=False).fit(X, y)
        >>> len(model.log_.loss)
        5
        """
        known = [each.name for each in fields(Training)]
        for name in changes:
            if name not in known:
                raise OptionError(f"Training has no option {name!r}. {near(name, known)}")
        if self.training is not None:
            self.training = replace(self.training, **changes)
        else:
            self._changes = {**self._changes, **changes}
        return self

    @property
    def training_changes(self) -> dict[str, Any]:
        """What `set_training` changes of a training that is not chosen yet."""
        return {} if self.training is not None else dict(self._changes)

    def settle_training(self) -> Self:
        """Keep the training that was chosen for the data as if it had been told.

        Returns
        -------
        Learner
            Itself; a clone of it trains as it did, whatever the data.

        Raises
        ------
        OptionError
            If it was not fitted, or read from a file, which does not say how it was trained.
        """
        if self._trained_by is None:
            raise OptionError("It is not known how this was trained. Fit it first.")
        self.training, self._changes = self._trained_by, {}
        return self

    def __sklearn_clone__(self) -> Self:
        """Make one that is not fitted, with the same options, for scikit-learn."""
        from sklearn.base import BaseEstimator

        made: Self = BaseEstimator.__sklearn_clone__(self)
        if self.training_changes:
            made._changes = self.training_changes
        return made

    def _training_for(self, amount: int, rounds: int | None) -> Training:
        """Choose how to train: as told, as is usual, or so many rounds."""
        options = self.training or replace(self._default_training(amount), **self._changes)
        if rounds is None:
            return options
        steps = max(rounds * -(-amount // options.batch_size), 1)
        options = options.without_checks()
        return replace(options, steps=steps, schedule="constant", patience=None, warmup=0)

    def _default_training(self, records: int) -> Training:
        """Choose how to train where the user says nothing."""
        return default_training(records)
