"""The error of an estimator that has not learned, which scikit-learn knows for its own too."""

from __future__ import annotations

from sklearn import exceptions

from recurra import errors

__all__ = ["NotFittedError"]


class NotFittedError(errors.NotFittedError, exceptions.NotFittedError):
    """The estimator has not been fitted: call ``fit`` first.

    Both `recurra.errors.NotFittedError` and `sklearn.exceptions.NotFittedError` catch it. It stands
    here, for `recurra.errors` is imported by all and imports nothing heavy.
    """
