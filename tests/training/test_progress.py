"""A bar where somebody looks, and none where nobody does."""

import io
import sys
from types import SimpleNamespace

import pytest

from recurra.training.progress import hidden


class Stream(io.StringIO):
    """Standard error, of a terminal or not."""

    def __init__(self, terminal):
        super().__init__()
        self.terminal = terminal

    def isatty(self):
        return self.terminal


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize("kernel", [None, True, False])
def test_a_bar_is_for_terminals_and_notebooks(monkeypatch, terminal, kernel):
    monkeypatch.setattr(sys, "stderr", Stream(terminal))
    shell = (
        None if kernel is None else SimpleNamespace(config={"IPKernelApp": {}} if kernel else {})
    )
    ipython = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    assert hidden(None) == (not terminal and not kernel)
    assert hidden(False)
    assert not hidden(True)


def test_without_a_standard_error_there_is_no_bar(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    assert hidden(None)
