"""The audit: look at data from every side, and say what was found and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tqdm.auto import tqdm

from recurra.auditing.case import Case
from recurra.auditing.channels import find_channels
from recurra.auditing.clocks import find_clocks
from recurra.auditing.drawings import draw
from recurra.auditing.finding import LEVELS, Finding
from recurra.auditing.holes import find_holes
from recurra.auditing.leaks import find_leaks
from recurra.auditing.lengths import find_lengths
from recurra.auditing.overlap import find_overlap
from recurra.auditing.profile import Profile, profiles_of
from recurra.auditing.recommend import recommend
from recurra.auditing.report import Audit
from recurra.auditing.tables import tables_of
from recurra.auditing.targets import find_targets
from recurra.errors import OptionError

__all__ = ["audit"]

SLOW = 2_000_000
"""From this many values on, a bar is shown in a terminal."""


def audit(
    data: Any,
    *,
    test: Any = None,
    target: str | None = None,
    most_records: int | None = None,
    seed: int = 0,
    progress: bool | None = None,
) -> Audit:
    """Look at data before learning from them.

    What is there, and how long; clocks, gaps and repeated stamps; what is missing, and after what
    pattern; values far out, channels that tell nothing or the same as others; answers that are
    unknown or rare; and ways in which the answer leaks: copies, the future, counts, records that
    are in a test part too.

    Parameters
    ----------
    data : SequenceDataset, Panel, DataFrame or list of array-like
        The training part; or all data, before they are split. A frame with ``unique_id``, ``ds``
        and ``y`` is read as for a forecaster, anything else as by `recurra.data.reading.read`.
    test : as `data`, optional
        What a model is to be judged by: looked through for what is in `data` as well.
    target : str, optional
        One of the targets, or a channel that is to be forecast; None for all targets.
    most_records : int, optional
        How many records are looked at; more are left out by chance. None for all.
    seed : int
        Draws them.
    progress : bool, optional
        Show a bar; None for only in a terminal, and if there is much to do.

    Returns
    -------
    Audit
        Print it, write it with ``to_html`` or ``to_json``; ``recommended`` is a preprocessor.

    Raises
    ------
    DataError
        If there are no records, or the data cannot be read.
    OptionError
        If there is no such target or channel.

    Examples
    --------
    >>> import numpy as np
    >>> from recurra.data.reading.arrays import from_arrays
    >>> rng = np.random.default_rng(0)
    >>> records = [np.stack([rng.normal(size=50), np.full(50, 3.0)], axis=1) for _ in range(20)]
    >>> report = audit(from_arrays(records, channels=["pulse", "room"]))
    >>> [(each.code, each.sentence) for each in report.findings]
    [('constant', "'room' is always 3: leave it out.")]
    >>> report.recommended
    Preprocessor([
        Drop(channels=('room',)),
        Scale(),
    ])
    """
    if most_records is not None and (isinstance(most_records, bool) or most_records < 1):
        raise OptionError(f"most_records={most_records!r}, but it is 1 or more, or None for all.")
    case = Case.of(data, test, target, most_records, seed)
    profiles: dict[str, list[Profile]] = {}
    found: list[Finding] = []
    looks: list[tuple[str, Callable[[], list[Finding]]]] = [
        ("lengths", lambda: find_lengths(case)),
        ("clocks", lambda: find_clocks(case)),
        ("channels", lambda: find_channels(case, profiles)),
        ("holes", lambda: find_holes(case, profiles)),
        ("targets", lambda: find_targets(case)),
        ("leaks", lambda: find_leaks(case)),
        ("overlap", lambda: find_overlap(case)),
    ]
    with tqdm(
        total=len(case.views) + len(looks),
        desc="audit",
        disable=_unseen(case) if progress is None else not progress,
        leave=False,
    ) as bar:
        for name, view in case.views.items():
            bar.set_postfix_str(name)
            if view.measured:
                profiles[name] = profiles_of(view)
            bar.update()
        for what, look in looks:
            bar.set_postfix_str(what)
            found += look()
            bar.update()
    steps, found = recommend(case, profiles, found)
    found.sort(key=lambda each: LEVELS.index(each.level))
    tables = tables_of(case, profiles)
    return Audit(tuple(found), tuple(steps), tables, draw(case, profiles), case.dataset.notes)


def _unseen(case: Case) -> bool | None:
    """Whether no bar is shown: None leaves it to the terminal."""
    size = sum(view.stream.values.size for view in case.views.values())
    return None if size >= SLOW else True
