"""What can be asked of any fitted estimator of records: which of its inputs its answers need."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from recurra.data import SequenceDataset
from recurra.errors import DataError, DataWarning, OptionError
from recurra.estimators.learning.asked import Asked
from recurra.estimators.learning.options import check_seed
from recurra.estimators.learning.record_batches import sampled
from recurra.estimators.learning.report import Score, is_greater_better

if TYPE_CHECKING:
    from recurra.explaining.importance import By, Importance

__all__ = ["Probed"]


class Probed(Asked):
    """Says which inputs the answers of a `Learner` need."""

    learns_alone: ClassVar[bool]

    def importance(
        self,
        X: Any,
        y: Any = None,
        groups: Mapping[str, Any] | None = None,
        *,
        n_repeats: int = 5,
        by: By = "channel",
        seed: int = 0,
        **how: Any,
    ) -> Importance:
        """Say how much worse the answers are when one input is another record's.

        Each input in turn is exchanged between records, and the answers are scored by the first
        measure of `report`: what they lose is how much the network relies on that input. Give
        records that were not learned from. Two channels that say the same stand in for each other,
        and both look unimportant: exchange them together, by `groups`.

        Records stand in a circle in random order. At each step a record gets the value that the
        next one has at this step; where that one has ended, the next that has not. So unequal
        lengths are no matter: at each step every value goes to exactly one record, and a new series
        follows one other record for as long as that lasts. Missing values go along; lengths and
        times stay.

        Parameters
        ----------
        X, y
            Records and what is known of them, as for `fit`. Of files, some thousand records.
        groups : dict of str, optional
            What is exchanged together, and what it is called: lists of channels or of tokens; of
            steps and windows a number, a range or a slice, such as ``{"the last five":
            slice(-5, None)}``. Below 0 steps are counted from each record's end, also of those they
            are exchanged with. What is in no group is not exchanged. By default each channel, each
            step, each tenth of the longest record, or each of the 50 tokens that most records have.
        n_repeats : int
            How often each is exchanged.
        by : {"channel", "step", "window", "token"}
            What is exchanged: a channel, or static covariate, over all steps; one step, or a
            stretch of steps, of all channels; or a token, which goes to another record, at places
            by chance between the other words (where each step has an answer of its own, it changes
            places with other words).
        seed : int
            Source of chance.
        **how
            Further arguments of `recurra.data.from_arrays`, as for `fit`.

        Returns
        -------
        Importance
            To be printed, drawn, or written as a table.

        Raises
        ------
        DataError
            If there is only one record, or no `y`.
        OptionError
            If a group names what is not there, or two name the same; or if the task has no `y`: a
            row that is both what is read and what is foretold cannot be exchanged alone.

        References
        ----------
        L. Breiman 2001, Random forests, doi:10.1023/A:1010933404324. A. Fisher et al. 2019, All
        models are wrong, but many are useful, arXiv:1801.01489.

        Examples
        --------
        >>> import numpy as np
        >>> from recurra import Regressor, Training
        >>> X = np.random.default_rng(0).normal(size=(120, 5, 3))
        >>> y = X[:, :, 1].sum(1)
        >>> model = Regressor(hidden_size=8, training=Training(steps=200)).fit(X, y)
        >>> model.importance(X, y).ranked[0]
        'x1'
        """
        from recurra.explaining.importance import permutation_importance

        self._check_fitted()
        check_seed(seed)
        if self.learns_alone:
            raise OptionError(
                f"{type(self).__name__} foretells the rows it reads, so an input cannot be "
                "exchanged without what it is compared with. Use explain(x) or what_if."
            )
        source = sampled(X, seed)
        dataset = self._read_again(source, y, how)
        measure = self._first_score(dataset).measure

        def score(part: SequenceDataset) -> float:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DataWarning)  # it was said of the records as given
                return self._first_score(part).value

        greater = is_greater_better(measure)
        options: Any = {"groups": groups, "n_repeats": n_repeats, "by": by, "seed": seed}
        return permutation_importance(dataset, score, measure, greater=greater, **options)

    def _first_score(self, part: SequenceDataset) -> Score:
        """Score the answers by the first measure of the task."""
        for score in self._scores(part):
            return score
        raise DataError(
            "Nothing is known of these records that answers could be scored by",
            code="no_target",
            hint="Give records whose y is known.",
        )

    if TYPE_CHECKING:  # what a Learner has

        def _read_again(
            self, X: Any, y: Any = None, how: Mapping[str, Any] | None = None
        ) -> SequenceDataset: ...

        def _scores(self, part: SequenceDataset) -> list[Score]: ...
