"""Lines that imitate answers: through few features, or as a plane between two labels.

scikit-learn does the fitting; it is imported where it is needed.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from recurra.types import Array, Floats, Integers

__all__ = ["Line", "fit_lasso", "fit_svm"]

FOLDS = 5
TRIFLE = 0.005  # of the variance: what explains no more is left out of a line
PENALTIES = (0.01, 0.1, 1.0)  # of a plane, tried in this order


@dataclass(frozen=True, eq=False)
class Line:
    """A sum of features: a number, or, where labels are told apart, above 0 for the second.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (features,)
        What each adds for one of its own units.
    intercept : float
        What is always added.
    labels : tuple
        The two labels; empty where numbers are imitated.
    """

    coefficients: Floats
    intercept: float
    labels: tuple[object, ...] = ()

    def answer(self, table: Floats) -> Array:
        """Answer by features.

        Parameters
        ----------
        table : ndarray, shape (records, features)
            All known.

        Returns
        -------
        ndarray, shape (records,)
            Numbers; or places among the labels.
        """
        found: Array = table @ self.coefficients + self.intercept
        return (found > 0).astype(np.int64) if self.labels else found


def fit_lasso(table: Floats, numbers: Floats, weights: Floats, seed: int) -> Line:
    """Fit a line through as few features as will do.

    The LASSO's penalty is the largest whose error in cross-validation is within one standard error
    of the least. Its features are fitted again without a penalty, and left out one by one while the
    error in cross-validation rises by less than one standard error, or than half a percent of the
    variance.

    Parameters
    ----------
    table : ndarray, shape (records, features)
        The features, all known, none constant.
    numbers : ndarray, shape (records,)
        What is imitated.
    weights : ndarray, shape (records,)
        How much each record counts.
    seed : int
        Source of chance.

    Returns
    -------
    Line
        Most coefficients are 0.
    """
    from sklearn.linear_model import Lasso, LassoCV
    from sklearn.model_selection import KFold

    mean, spread = _scale(table, weights)
    scaled = (table - mean) / spread
    folds = KFold(FOLDS, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of convergence: what is found is tried on other records
        search = LassoCV(cv=folds).fit(scaled, numbers, sample_weight=weights)
        errors = search.mse_path_.mean(1)
        best = int(errors.argmin())
        allowed = errors[best] + search.mse_path_[best].std(ddof=1) / np.sqrt(FOLDS)
        penalty = search.alphas_[np.flatnonzero(errors <= allowed)[0]]
        found = Lasso(penalty).fit(scaled, numbers, sample_weight=weights).coef_
    kept = _thinned(scaled, numbers, weights, np.flatnonzero(found), [*folds.split(scaled)])
    coefficients = np.zeros(table.shape[1])
    fitted, intercept = _least_squares(scaled[:, kept], numbers, weights)
    coefficients[kept] = fitted / spread[kept]
    return Line(coefficients, intercept - float(mean @ coefficients))


def _scale(table: Floats, weights: Floats) -> tuple[Floats, Floats]:
    mean = np.average(table, axis=0, weights=weights)
    spread = np.sqrt(np.average((table - mean) ** 2, axis=0, weights=weights))
    return mean, np.where(spread > 0, spread, 1.0)


def _least_squares(table: Floats, numbers: Floats, weights: Floats) -> tuple[Floats, float]:
    """Fit a line without a penalty, as good as none, so that twins do no harm."""
    centre, middle = (
        np.average(table, axis=0, weights=weights),
        np.average(numbers, weights=weights),
    )
    away = table - centre
    square = (away * weights[:, None]).T @ away + 1e-9 * weights.sum() * np.eye(table.shape[1])
    found: Floats = np.linalg.solve(square, (away * weights[:, None]).T @ (numbers - middle))
    return found, float(middle - centre @ found)


def _thinned(
    table: Floats,
    numbers: Floats,
    weights: Floats,
    kept: Integers,
    folds: list[tuple[Array, Array]],
) -> Integers:
    """Leave out features one by one; keep the fewest that explain as much, but for a trifle."""
    nested = [kept]
    while len(nested[-1]):
        nested.append(np.delete(nested[-1], _least_needed(table[:, nested[-1]], numbers, weights)))
    errors = np.array([_errors(table[:, each], numbers, weights, folds) for each in nested])
    mean = errors.mean(1)
    best = int(mean.argmin())
    middle = np.average(numbers, weights=weights)
    variance = float(np.average((numbers - middle) ** 2, weights=weights))
    slack = max(errors[best].std(ddof=1) / np.sqrt(len(folds)), TRIFLE * variance)
    return nested[int(np.flatnonzero(mean <= mean[best] + slack)[-1])]


def _least_needed(table: Floats, numbers: Floats, weights: Floats) -> int:
    """Find the feature without which a line fits nearly as well."""
    away = table - np.average(table, axis=0, weights=weights)
    square = (away * weights[:, None]).T @ away + 1e-9 * weights.sum() * np.eye(table.shape[1])
    found, _ = _least_squares(table, numbers, weights)
    return int((found**2 / np.diag(np.linalg.inv(square))).argmin())


def _errors(
    table: Floats, numbers: Floats, weights: Floats, folds: list[tuple[Array, Array]]
) -> list[float]:
    """Measure the squared error of a line on each fold."""
    errors = []
    for fit, held in folds:
        found, intercept = _least_squares(table[fit], numbers[fit], weights[fit])
        off = (numbers[held] - table[held] @ found - intercept) ** 2
        errors.append(float(np.average(off, weights=weights[held])))
    return errors


def fit_svm(
    table: Floats, codes: Integers, labels: tuple[object, ...], weights: Floats, seed: int
) -> Line:
    """Fit a plane between two labels: a linear support vector machine.

    Parameters
    ----------
    table : ndarray, shape (records, features)
        The features, all known, none constant.
    codes : ndarray of int64, shape (records,)
        The label of each, 0 or 1; both occur.
    labels : tuple
        The two.
    weights : ndarray, shape (records,)
        How much each record counts.
    seed : int
        Source of chance.

    Returns
    -------
    Line
        Above 0 for the second label. Its penalty is that of the fewest errors in cross-validation.
    """
    from sklearn.model_selection import StratifiedKFold
    from sklearn.svm import LinearSVC

    mean, spread = _scale(table, weights)
    scaled = (table - mean) / spread
    fewest = int(np.bincount(codes, minlength=2).min())
    right: dict[float, float] = dict.fromkeys(PENALTIES, 0.0)

    def fitted(penalty: float, rows: Array) -> LinearSVC:
        made = LinearSVC(C=penalty, dual="auto", random_state=seed, max_iter=5000)
        return made.fit(scaled[rows], codes[rows], sample_weight=weights[rows])

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if fewest >= 2:
            folds = StratifiedKFold(min(3, fewest), shuffle=True, random_state=seed)
            for fit, held in folds.split(scaled, codes):
                for penalty in PENALTIES:
                    same = fitted(penalty, fit).predict(scaled[held]) == codes[held]
                    right[penalty] += float(np.average(same, weights=weights[held]))
        found = fitted(max(PENALTIES, key=lambda each: right[each]), np.arange(len(table)))
    coefficients = found.coef_[0] / spread
    return Line(coefficients, float(found.intercept_[0] - mean @ coefficients), labels)
