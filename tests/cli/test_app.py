"""The command as the shell sees it: help, exit codes, pipes, and what is imported."""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import time
from typing import get_args

import pytest

import recurra
from recurra import Training
from recurra.cli import options
from recurra.cli.app import main
from recurra.errors import TrainingError

COMMAND = (sys.executable, "-m", "recurra.cli")
QUICK = ("--steps", "3", "--hidden-size", "4")


def test_help_lists_the_verbs_and_imports_neither_torch_nor_pandas():
    code = (
        "import sys; from recurra.cli import main; code = main(['--help']);"
        "heavy = {'torch', 'pandas', 'sklearn', 'matplotlib'} & set(sys.modules);"
        "sys.exit(code or ' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert "forecast" in done.stdout
    assert "backtest" in done.stdout


@pytest.mark.parametrize("verb", ["forecast", "backtest"])
def test_the_help_of_a_verb_shows_calls_to_copy(verb, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert main([verb, "--help"]) == 0
    assert f"recurra {verb} sales.csv --h 12" in capsys.readouterr().out


def test_the_version_is_said(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"recurra {recurra.__version__}\n"


def test_no_verb_at_all_shows_the_help(capsys):
    assert main([]) == 0
    said = capsys.readouterr()
    assert "forecast" in said.out
    assert said.err == ""


def test_a_wrong_verb_is_a_line_and_a_code(capsys):
    assert main(["forcast"]) == 2
    assert capsys.readouterr().err.startswith("error: No such command 'forcast'.")


def test_the_options_repeat_the_defaults_and_choices_of_the_library():
    defaults = {
        name: each.default
        for name, each in inspect.signature(recurra.Forecaster).parameters.items()
    }
    given = options.Network()
    assert given.hidden_size == defaults["hidden_size"]
    assert given.distribution == defaults["distribution"]
    assert given.seed == defaults["seed"]
    assert given.steps == Training().steps
    for name in options.LAYERS:
        recurra.Forecaster(name)._check_options()
    for name in get_args(options.Distribution):
        recurra.Forecaster(distribution=name)._check_options()


def test_a_fault_of_the_training_is_a_line_and_code_1(recurra_failing, capsys):
    assert recurra_failing(TrainingError("The gradient is not finite.")) == 1
    assert "error: The gradient is not finite.\n" in capsys.readouterr().err


def test_a_fault_of_recurra_keeps_its_traceback(recurra_failing):
    with pytest.raises(ZeroDivisionError):
        recurra_failing(ZeroDivisionError())


def test_an_interrupt_is_silent_and_has_its_own_code(recurra_failing, capsys):
    assert recurra_failing(KeyboardInterrupt()) == 130
    assert "error" not in capsys.readouterr().err


@pytest.fixture
def recurra_failing(monkeypatch, sales):
    def call(error: BaseException) -> int:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(recurra.Forecaster, "fit", fail)
        return main(["forecast", str(sales), "--h", "2"])

    return call


def test_a_reader_who_goes_away_gets_no_traceback(sales):
    call = subprocess.Popen(
        [*COMMAND, "forecast", str(sales), "--h", "2", "--quiet", *QUICK],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    call.stdout.close()
    said = call.stderr.read()
    assert (call.wait(), said) == (141, b"")


def test_a_run_that_is_interrupted_in_training_ends_quietly(sales):
    call = subprocess.Popen(
        [
            *COMMAND,
            "forecast",
            str(sales),
            "--h",
            "2",
            "--steps",
            "1000000",
            "--hidden-size",
            "256",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    time.sleep(4)  # past the import of torch; before it, the answer is the same
    call.send_signal(signal.SIGINT)
    out, err = call.communicate(timeout=60)
    assert (call.returncode, out, err) == (130, b"", b"")


def test_the_whole_command_in_a_shell_leaves_data_in_the_pipe_and_notes_beside_it(airline):
    done = subprocess.run(
        [*COMMAND, "forecast", str(airline), "--h", "2", "--level", "80", "95", *QUICK],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0
    assert done.stdout.splitlines()[0] == "ds,LSTM,LSTM-lo-80,LSTM-hi-80,LSTM-lo-95,LSTM-hi-95"
    assert len(done.stdout.splitlines()) == 3
    assert "training" not in done.stderr  # a progress bar is for terminals
