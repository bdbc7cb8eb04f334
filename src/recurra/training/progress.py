"""Whether a progress bar is shown."""

from __future__ import annotations

import sys

__all__ = ["hidden"]


def hidden(progress: bool | None) -> bool:
    """Say whether nobody is to see a progress bar.

    Parameters
    ----------
    progress : bool or None
        What the user wants; None for a bar in a terminal and in a notebook, and none in a log. A
        notebook says of its streams that they are no terminal.

    Returns
    -------
    bool
        For ``tqdm(disable=...)``.

    Examples
    --------
    >>> hidden(False), hidden(True)
    (True, False)
    """
    if progress is not None:
        return not progress
    terminal = sys.stderr is not None and sys.stderr.isatty()
    return not (terminal or _in_notebook())


def _in_notebook() -> bool:
    """Ask IPython, if it is there, as tqdm does."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return shell is not None and "IPKernelApp" in shell.config
