"""Processes that share a study are killed, and every trial is finished once all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna

from recurra.tuning.board import PARTS, PLACE, Board
from recurra.tuning.lease import SILENCE, _began, here, is_alive
from recurra.tuning.space import Whole
from recurra.tuning.storage import open_storage, open_study

WORKER = Path(__file__).parent / "searching.py"
TRIALS = 12
SPACE = {"hidden_size": Whole(1, 64)}


class Nursery:
    """Processes that search together; forked, so that each begins at once."""

    def __init__(self, storage):
        self.storage = storage
        command = [sys.executable, str(WORKER), str(storage), str(TRIALS), "0.6"]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(
            command, env={**os.environ, "OMP_NUM_THREADS": "1"}, **pipes
        )

    def begin(self):
        self.process.stdin.write("one more\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def close(self):
        self.process.communicate()


def lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def trials_in(storage, study="tune"):
    try:
        opened = optuna.load_study(study_name=study, storage=open_storage(storage))
    except KeyError:  # nobody has begun
        return []
    return opened.get_trials(deepcopy=False)


def compared_in(storage):
    names = [each.study_name for each in open_storage(storage).get_all_studies()]
    (name,) = [each for each in names if each.endswith("beside the default")] or ["none"]
    return trials_in(storage, name)


def at_work(trials):
    return {
        each.user_attrs["owner"]["pid"]
        for each in trials
        if each.state == optuna.trial.TrialState.RUNNING
    }


def test_of_processes_killed_again_and_again_each_trial_is_finished_once(tmp_path):
    storage = tmp_path / "study.journal"
    nursery = Nursery(storage)
    workers, killed, begun = {nursery.begin() for _ in range(3)}, 0, time.monotonic()
    while workers:
        assert time.monotonic() - begun < 100, "stuck"
        time.sleep(0.3)
        searching, comparing = at_work(trials_in(storage)), at_work(compared_in(storage))
        busy = sorted((comparing or (searching if killed < 5 else set())) & workers)
        if busy and killed < 7:
            os.kill(busy[0], signal.SIGKILL)
            killed, workers = killed + 1, workers | {nursery.begin()}
        workers = {each for each in workers if lives(each)}
    nursery.close()
    assert killed == 7
    states = [each.state.name for each in trials_in(storage)]
    finished = [e.user_attrs[PLACE] for e in trials_in(storage) if e.state.name == "COMPLETE"]
    assert sorted(finished) == list(range(TRIALS)), "all, and none twice"
    assert "RUNNING" not in states, "none is stuck"
    assert states.count("FAIL") >= 4, "those that were killed at their work"
    places = [e.user_attrs[PLACE] for e in compared_in(storage) if e.state.name == "COMPLETE"]
    assert sorted(places) == list(range(6)), "three pairs, of which none was learned twice"
    assert "FAIL" in [each.state.name for each in compared_in(storage)], "and some were killed"
    best = Path(f"{storage}.best").read_text().splitlines()
    assert len(best) == 3, "the others have returned"
    assert len(set(best)) == 1, "with the same answer"


def board(storage, most=3):
    store = open_storage(storage)
    open_study(store, "tune", {"estimator": "none"}, greater=False)
    return Board("tune", store, SPACE, {}, most, seed=0)


def owned_by_the_dead(tmp_path, **changes):
    """Let somebody begin two places, and vanish."""
    one = board(tmp_path / "study.journal")
    first, second = one.begin(), one.begin()
    for each in (first, second):
        one.storage.set_trial_user_attr(each.key, "owner", {**here(), **changes})
    return one, second


def test_what_the_dead_left_is_tried_again_with_the_same_parameters(tmp_path):
    one, lost = owned_by_the_dead(tmp_path, began="long ago")
    other = board(tmp_path / "study.journal")
    again = [other.begin(), other.begin()]
    assert [each.place for each in again] == [0, 1]
    assert again[1].parameters == lost.parameters
    one.finish(lost, 1.0)  # it was not dead, or wakes up: too late
    assert one.counted()[1].state.name == "RUNNING"
    other.finish(again[1], 2.0)
    assert one.counted()[1].value == 2.0


def test_a_process_elsewhere_is_dead_when_it_has_long_been_silent(tmp_path, monkeypatch):
    one, _ = owned_by_the_dead(tmp_path, place="another machine")
    assert one.begin().place == 2, "it may still be at it"
    now = time.time() + SILENCE + 1
    monkeypatch.setattr(time, "time", lambda: now)
    assert one.begin().place == 0


def test_of_two_that_begin_a_place_at_once_the_later_gives_way(tmp_path):
    one, other = board(tmp_path / "study.journal"), board(tmp_path / "study.journal")
    seen = one.attempts()
    mine = other.begin()
    key = one._create(0, seen.get(0, []))  # it has not seen the other's
    assert one.counted()[0]._trial_id == mine.key != key
    one._end(key, "another process was first")
    assert one.begin().place == 1


def test_a_configuration_that_kills_every_process_is_given_up(tmp_path):
    one = board(tmp_path / "study.journal", most=1)
    for _ in range(10):
        attempt = one.begin()
        one.storage.set_trial_user_attr(attempt.key, "owner", {**here(), "began": "long ago"})
    assert one.begin() is None
    assert "died 10 times" in one.counted()[0].user_attrs["error"]


def test_what_the_dead_have_scored_is_handed_on_and_who_comes_further_is_not_given_up(tmp_path):
    one = board(tmp_path / "study.journal", most=1)
    for parts in range(12):
        attempt = one.begin()
        assert attempt.known == tuple(float(part) for part in range(parts))
        one.storage.set_trial_user_attr(attempt.key, PARTS, [*attempt.known, float(parts)])
        one.storage.set_trial_user_attr(attempt.key, "owner", {**here(), "began": "long ago"})
    for _ in range(9):
        attempt = one.begin()
        one.storage.set_trial_user_attr(attempt.key, "owner", {**here(), "began": "long ago"})
    assert one.begin() is None, "ten have died where the last did"


def test_a_line_that_was_half_written_does_not_spoil_the_rest(tmp_path):
    path = tmp_path / "study.journal"
    board(path).begin()
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":6,"worker')
    attempt = board(path).begin()
    assert attempt.place == 1
    assert path.read_bytes().startswith(whole)
    assert b'worker{"op' not in path.read_bytes()


def test_a_process_that_is_dead_but_not_buried_is_dead():
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    until = time.monotonic() + 20
    owner = {**here(), "pid": child.pid, "began": _began(child.pid) or "1"}
    while is_alive(owner, 0.0, 0.0) and time.monotonic() < until:
        time.sleep(0.02)
    assert not is_alive(owner, 0.0, 0.0)
    child.wait()
