"""`recurra transcribe`, as a user calls it."""

from __future__ import annotations

import wave

import numpy as np
import pytest
import typer
from typer.main import get_command

from recurra.cli.groups import flatten
from recurra.cli.transcribe import transcribe
from recurra.errors import FileError
from recurra.estimators import Classifier
from recurra.estimators.speech.transcriber import Transcriber
from recurra.training import Training


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A model in a file, and two recordings."""
    folder = tmp_path_factory.mktemp("speech")
    chance = np.random.default_rng(0)
    for name in ("a", "b"):
        with wave.open(str(folder / f"{name}.wav"), "wb") as file:
            file.setparams((1, 2, 8000, 0, "NONE", ""))
            file.writeframes((chance.normal(0, 3000, 4000)).astype("<i2").tobytes())
    files = [folder / "a.wav", folder / "b.wav"]
    training = Training(steps=30, batch_size=2, learning_rate=3e-2, progress=False)
    model = Transcriber(hidden_size=8, num_layers=1, dropout=0.0, augment=False, training=training)
    model.fit(files, ["yes", "no"]).save(folder / "model.recurra")
    return folder, [model.transcribe(file) for file in files]


@pytest.fixture
def call(capsys):
    """The verb alone, as the shell would call it."""
    app = typer.Typer()
    app.command()(flatten(transcribe))

    def run(*arguments) -> tuple[str, str]:
        get_command(app).main([str(each) for each in arguments], standalone_mode=False)
        return tuple(capsys.readouterr())

    return run


def test_one_file_gives_its_text(kept, call):
    folder, texts = kept
    assert call(folder / "model.recurra", folder / "b.wav") == (f"{texts[1]}\n", "")


def test_several_files_give_a_line_each(kept, call):
    folder, texts = kept
    out, _ = call(folder / "model.recurra", folder / "b.wav", folder / "a.wav")
    assert out == f"{folder / 'b.wav'}\t{texts[1]}\n{folder / 'a.wav'}\t{texts[0]}\n"


def test_a_folder_stands_for_its_recordings(kept, call):
    folder, _ = kept
    out, _ = call(folder / "model.recurra", folder, "--beam", "4")
    assert [line.split("\t")[0] for line in out.splitlines()] == [
        str(folder / "a.wav"),
        str(folder / "b.wav"),
    ]


def test_a_note_goes_to_standard_error_unless_quiet(kept, call, tmp_path):
    folder, _ = kept
    with wave.open(str(tmp_path / "empty.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
    out, err = call(folder / "model.recurra", tmp_path / "empty.wav")
    assert out == "\n"
    assert err.startswith("note: 1 of 1 recordings have no sound")
    assert call(folder / "model.recurra", tmp_path / "empty.wav", "--quiet") == ("\n", "")


def test_what_is_wrong_is_said_by_file(kept, call, tmp_path):
    folder, _ = kept
    with pytest.raises(FileError, match=r"gone\.wav"):
        call(folder / "model.recurra", folder / "gone.wav")
    (tmp_path / "no.wav").write_text("no sound at all")
    with pytest.raises(FileError, match=r"no\.wav is no WAV"):
        call(folder / "model.recurra", tmp_path / "no.wav")
    training = Training(steps=1, progress=False)
    other = Classifier(hidden_size=2, training=training).fit([[1.0, 2.0], [3.0]] * 4, [0, 1] * 4)
    other.save(tmp_path / "other.recurra")
    with pytest.raises(FileError, match=r"holds a Classifier.*of a Transcriber"):
        call(tmp_path / "other.recurra", folder / "a.wav")
