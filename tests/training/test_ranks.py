"""Several processes that share a training: what all of them find is what one finds."""

import os
import runpy
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import torch

import recurra as rc
from recurra.errors import OptionError, TrainingError
from recurra.training import Checkpoints, train
from recurra.training.ranks import TOLD, Alone, Ranks, find_ranks

SCRIPT = Path(__file__).parent / "shared_trainings.py"


def torchrun(folder, *more, restarts=0):
    """Run the script in two processes; what each of them found."""
    command = [
        sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
        f"--max-restarts={restarts}", "--monitor-interval=0.2", "--rdzv-backend=c10d",
        "--rdzv-endpoint=127.0.0.1:0", SCRIPT, folder, *more,
    ]  # fmt: skip
    ended = subprocess.run(
        [*map(str, command)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return [dict(np.load(folder / f"{rank}.npz")) for rank in (0, 1)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("shared")


@pytest.fixture(scope="module")
def both(folder):
    """What each of two ranks found in every training of the script."""
    return torchrun(folder)


@pytest.fixture(scope="module")
def script():
    return runpy.run_path(str(SCRIPT))


EQUAL = ("classifier", "forecaster", "language", "rows", "carried", "lonely_row", "sick")


@pytest.mark.parametrize("name", EQUAL)
def test_two_processes_step_as_one_does_with_the_same_batch(both, script, name, tmp_path):
    alone = script["run"]([script[name]], tmp_path)[f"{name}/weights"]
    np.testing.assert_allclose(both[0][f"{name}/weights"], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", [*EQUAL, "convolutions", "dropped", "stopped"])
def test_all_ranks_have_the_same_weights_to_the_bit(both, name):
    one, other = (found[f"{name}/state"] for found in both)
    assert one.tobytes() == other.tobytes()


def test_a_step_that_is_not_finite_for_one_is_skipped_by_all(both):
    assert [int(found["sick/skipped"]) for found in both] == [1, 1]


def test_each_drops_other_units_and_draws_the_same_afterwards(both, script):
    alone = script["run"]([script["dropped"]], None)
    assert not np.allclose(both[0]["dropped/weights"], alone["dropped/weights"], atol=1e-4)
    assert both[0]["dropped/drawn"] == both[1]["dropped/drawn"]


def test_what_rank_0_finds_in_a_check_is_what_counts(both):
    assert {*both[0]["dropped/checks"], *both[1]["dropped/checks"]} == {1.0}


def test_a_callback_of_rank_0_ends_all(both):
    assert [int(found["ended/steps"]) for found in both] == [3, 3]


def test_a_callback_that_fails_lets_nobody_wait(both):
    assert str(both[0]["failed/said"]) == "'mine'"
    assert "callback failed on rank 0 after step 1" in str(both[1]["failed/said"])


@pytest.mark.parametrize("name", ["data", "options"])
def test_ranks_that_were_given_different_things_are_told(both, name):
    for rank, found in enumerate(both):
        said = str(found[f"other_{name}/said"])
        assert f"Rank {1 - rank} was given other {name} than this one" in said


def test_a_folder_that_is_none_is_told_to_all(both):
    assert [str(found["no_folder/said"]) for found in both] == ["FileError", "FileError"]


def test_a_signal_to_one_stops_all_and_they_go_on_together(both):
    for found in both:
        assert int(found["stopped/status"]) == 143
        assert int(found["stopped/steps"]) == 6
        assert found["stopped/state"].tobytes() == found["stopped/whole"].tobytes()


def test_what_two_kept_one_can_go_on_with(both, folder, script):
    kept = Checkpoints(folder / "kept")
    there = sorted(kept.folder.iterdir())
    assert [each.name[-12:-8] for each in there] == ["0005", "0007"]
    there[-1].unlink()  # that one has ended; in the other a state is carried
    model, whole = script["Model"](), script["Model"]()
    options = script["options"](steps=30)
    train(model, script["batches"](), options)
    train(whole, script["batches"](), options, checkpoints=kept)
    for one, other in zip(model.parameters(), whole.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_after_one_is_killed_all_begin_again_and_come_to_the_same_bits(both, tmp_path):
    found = torchrun(tmp_path, "killed", restarts=2)
    assert (tmp_path / "half").exists()
    assert found[0]["killed/state"].tobytes() == both[0]["undisturbed/state"].tobytes()
    assert found[0]["killed/state"].tobytes() == found[1]["killed/state"].tobytes()


def test_without_others_there_is_nobody_to_share_with(monkeypatch):
    assert type(find_ranks()) is Alone
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.setenv(name, "0")
    for world in ("", "1", "many"):
        monkeypatch.setenv("WORLD_SIZE", world)
        assert type(find_ranks()) is Alone


@pytest.mark.parametrize(
    "start",
    [
        lambda: rc.tune(rc.Regressor(), [[1.0, 2.0]] * 20, [0.0, 1.0] * 10, trials=1),
        lambda: rc.AutoForecaster(time_limit=1).fit(None),
    ],
)
def test_a_search_that_torchrun_started_many_times_is_refused(monkeypatch, start):
    for name, value in {**dict.fromkeys(TOLD, "0"), "WORLD_SIZE": "2"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(OptionError, match="one of 2 processes that train together"):
        start()


def test_others_that_do_not_come_are_told_of(monkeypatch):
    monkeypatch.setattr("recurra.training.ranks.PATIENCE", timedelta(seconds=1))
    told = {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(TrainingError, match="Rank 1 of 2 did not find the others"):
        find_ranks()


@pytest.mark.parametrize("world", [2, 3, 5])
@pytest.mark.parametrize("rows", [0, 1, 2, 7, 64])
def test_every_row_has_one_rank_and_the_first_has_one_if_anybody_has(world, rows):
    parts = [Ranks(rank, world).part(rows) for rank in range(world)]
    assert [k for start, stop in parts for k in range(start, stop)] == [*range(rows)]
    assert parts[0][1] > 0 or rows == 0
    sizes = [stop - start for start, stop in parts]
    assert max(sizes) - min(sizes) <= 1


def test_a_batch_without_rows_cannot_be_shared():
    with pytest.raises(TrainingError, match=r"A dict cannot be shared by 2 processes.*rows\(start"):
        Ranks(0, 2).share({})
