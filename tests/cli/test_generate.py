"""``recurra generate``, as the shell sees it."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from recurra import Classifier, Training
from recurra.cli.generate import generate
from recurra.cli.groups import flatten
from recurra.cli.many import ManyValues
from recurra.errors import FileError
from recurra.estimators import LanguageModel

app = typer.Typer()
app.command(cls=ManyValues)(flatten(generate))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    options = Training(steps=150, batch_size=4, learning_rate=2e-2)
    model = LanguageModel(hidden_size=16, training=options).fit("to be or not to be. " * 60)
    path = tmp_path_factory.mktemp("model") / "text.recurra"
    model.save(path)
    return path


def said(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(each) for each in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_prompt_and_what_follows_are_written(saved):
    out = said(saved, "--prompt", "to be or ", "--n", 9, "--temperature", 0)
    assert out == "to be or not to be\n"


def test_the_same_seed_writes_the_same_and_a_stop_ends_it(saved):
    assert said(saved, "--seed", 3, "--n", 40) == said(saved, "--seed", 3, "--n", 40)
    assert said(saved, "--prompt", "to ", "--stop", "be", "--temperature", 0) == "to \n"
    assert len(said(saved, "--n", 5, "--top-k", 1, "--top-p", 0.5)) <= 6


def test_an_unknown_letter_of_the_prompt_is_noted_and_quiet_hides_it(saved):
    result = CliRunner().invoke(app, [str(saved), "--prompt", "#", "--n", "3"])
    assert "unknown" in result.stderr
    result = CliRunner().invoke(app, [str(saved), "--prompt", "#", "--n", "3", "--quiet"])
    assert result.stderr == ""


def test_a_model_that_does_not_write_is_refused(tmp_path):
    path = tmp_path / "classes.recurra"
    options = Training(steps=2)
    Classifier(hidden_size=4, training=options).fit([[0.0, 1.0], [1.0, 0.0]] * 4, [0, 1] * 4).save(
        path
    )
    with pytest.raises(FileError, match="holds a Classifier, but text is written by"):
        CliRunner().invoke(app, [str(path)], catch_exceptions=False)
    with pytest.raises(FileError, match="not a file"):
        CliRunner().invoke(app, [str(tmp_path / "none")], catch_exceptions=False)
