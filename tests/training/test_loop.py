"""The training loop: accumulation, clipping, truncation, early stopping, and when it gives up."""

import logging
from dataclasses import dataclass
from itertools import count, repeat

import pytest
import torch
from torch import nn

from recurra.errors import OptionError, TrainingError
from recurra.training import Training, train

NAN = float("nan")


@dataclass
class Table:
    """Rows of a regression; a NaN target is not counted."""

    x: torch.Tensor
    y: torch.Tensor

    def chunks(self, steps):
        raise AssertionError("rows have no time")


class Line(nn.Module):
    """The sum of squared misses of a straight line, in double precision."""

    def __init__(self, size=3):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(size, dtype=torch.float64))

    def loss(self, batch, state=None):
        seen = ~batch.y.isnan()
        miss = batch.x @ self.weight - batch.y.nan_to_num()
        return torch.where(seen, miss.square(), 0.0).sum(), seen.sum(), None


def rows(number, seed=0, holes=0):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(number, 3, generator=random, dtype=torch.float64)
    y = x @ torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    y[torch.randperm(number, generator=random)[:holes]] = NAN
    return Table(x, y)


@dataclass
class Sequences:
    """Sequences of shape (batch, time, 2) and the running mean to be foretold."""

    x: torch.Tensor
    y: torch.Tensor

    def chunks(self, steps):
        for start in range(0, self.x.shape[1], steps):
            part = slice(start, start + steps)
            yield Sequences(self.x[:, part], self.y[:, part])


class Recurrent(nn.Module):
    """A GRU that remembers what it was given and what it answered."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.GRU(2, 5, batch_first=True)
        self.output = nn.Linear(5, 1)
        self.states, self.answers = [], []

    def loss(self, batch, state=None):
        self.states.append(state)
        hidden, state = self.layer(batch.x, state)
        answer = self.output(hidden)[..., 0]
        self.answers.append(answer.detach().clone())
        return (answer - batch.y).square().sum(), torch.tensor(batch.y.numel()), state


def sequences(batch=4, time=20, seed=0):
    random = torch.Generator().manual_seed(seed)
    x = torch.randn(batch, time, 2, generator=random)
    return Sequences(x, x[..., 0].cumsum(1) / torch.arange(1, time + 1))


def options(**changes):
    usual = {
        "steps": 60,
        "learning_rate": 0.05,
        "warmup": 0,
        "check_every": 10,
        "progress": False,
    }
    return Training(**(usual | changes))


def one_step(*batches, **changes):
    """Return the weights after one plain gradient step from zero."""
    model = Line()
    given = {"steps": 1, "optimizer": "sgd", "schedule": "constant", "clip_norm": None} | changes
    train(model, iter(batches), options(learning_rate=1.0, **given))
    return model.weight.detach()


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "rmsprop", "sgd"])
@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_every_optimizer_and_schedule_lowers_the_loss(optimizer, schedule):
    model = Line()
    log = train(model, repeat(rows(64)), options(optimizer=optimizer, schedule=schedule))
    assert len(log.loss) == 60
    assert log.loss[-1] < 0.2 * log.loss[0]
    assert log.skipped == 0


def test_the_logged_loss_is_the_mean_over_counted_targets():
    batch = rows(64, holes=20)
    log = train(Line(), repeat(batch), options(steps=1))
    assert log.loss == [pytest.approx(batch.y[~batch.y.isnan()].square().mean().item())]


@pytest.mark.parametrize("holes", [(0, 0), (25, 3), (32, 0)])
def test_two_batches_accumulated_equal_one_of_both(holes):
    first, second = (rows(32, seed, missing) for seed, missing in enumerate(holes))
    both = Table(torch.cat([first.x, second.x]), torch.cat([first.y, second.y]))
    torch.testing.assert_close(
        one_step(first, second, accumulate=2), one_step(both), rtol=1e-13, atol=1e-13
    )


def test_the_gradient_is_that_of_the_mean_over_counted_targets():
    batch = rows(40, holes=10)
    seen = ~batch.y.isnan()
    expected = 2 * (batch.x[seen] * batch.y[seen, None]).mean(0)
    torch.testing.assert_close(one_step(batch), expected, rtol=1e-13, atol=1e-13)


def test_a_long_gradient_is_shortened_and_keeps_its_direction():
    free, clipped = one_step(rows(40)), one_step(rows(40), clip_norm=0.25)
    assert free.norm() > 1
    assert clipped.norm().item() == pytest.approx(0.25, rel=1e-5)
    torch.testing.assert_close(clipped / clipped.norm(), free / free.norm())


def test_a_short_gradient_is_left_alone():
    assert torch.equal(one_step(rows(40), clip_norm=1e6), one_step(rows(40)))


def test_weight_decay_draws_the_weights_to_zero():
    norms = []
    for decay in (0.0, 1.0):
        model = Line()
        train(model, repeat(rows(64)), options(weight_decay=decay))
        norms.append(model.weight.norm().item())
    assert norms[1] < 0.95 * norms[0]


def test_the_rate_of_the_schedule_is_used_at_every_step():
    """Steps of plain gradient descent on a constant gradient are as long as the rate."""

    class Slope(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.seen = nn.Parameter(torch.zeros(1)), []

        def loss(self, batch, state=None):
            self.seen.append(self.weight.item())
            return self.weight.sum(), torch.tensor(1), None

    model, given = Slope(), options(steps=6, optimizer="sgd", learning_rate=0.1, warmup=3)
    train(model, repeat(rows(1)), given)
    moves = -torch.tensor([*model.seen, model.weight.item()]).diff()
    velocity, expected = 0.0, []
    for step in range(6):
        velocity = 0.9 * velocity + 1.0
        expected.append(given.rate_at(step) * velocity)
    torch.testing.assert_close(moves, torch.tensor(expected), rtol=1e-4, atol=1e-6)


# ---------------------------------------------------------------------- truncation


def test_chunks_carry_the_state_so_that_outputs_equal_the_whole_pass():
    batch, model = sequences(), Recurrent()
    train(model, repeat(batch), options(steps=4, truncation=5, learning_rate=1e-12))
    joined = torch.cat(model.answers, 1)
    whole = Recurrent()
    whole.loss(batch)
    torch.testing.assert_close(joined, whole.answers[0], rtol=1e-5, atol=1e-6)
    assert [state is None for state in model.states] == [True, False, False, False]


def test_each_chunk_is_one_step_and_a_new_batch_starts_anew():
    drawn = count()
    batches = (sequences(seed=next(drawn)) for _ in count())
    model = Recurrent()
    log = train(model, batches, options(steps=7, truncation=8))  # 20 steps: chunks of 8, 8, 4
    assert [answer.shape[1] for answer in model.answers] == [8, 8, 4, 8, 8, 4, 8]
    assert [step for step, state in enumerate(model.states) if state is None] == [0, 3, 6]
    assert len(log.loss) == 7
    assert next(drawn) == 3


def test_the_gradient_stops_at_the_border_of_a_chunk():
    model = Recurrent()
    train(model, repeat(sequences()), options(steps=4, truncation=5))
    assert not any(state.requires_grad for state in model.states if state is not None)


def test_truncation_still_learns():
    model = Recurrent()
    log = train(model, repeat(sequences(batch=16)), options(steps=80, truncation=5))
    assert sum(log.loss[-8:]) < 0.5 * sum(log.loss[:8])


def test_without_truncation_a_window_is_read_whole():
    model = Recurrent()
    train(model, repeat(sequences()), options(steps=3))
    assert [answer.shape[1] for answer in model.answers] == [20, 20, 20]
    assert model.states == [None] * 3


# ---------------------------------------------------------------------- early stopping


DUE = [*range(2, 20, 2), 20, 30, 40, 50, 60]  # checks of 60 steps with check_every=10


class Checks:
    """Answers given validation losses, and remembers the weights at each check."""

    def __init__(self, model, losses):
        self.model, self.losses, self.weights, self.modes = model, list(losses), [], []

    def __call__(self):
        self.weights.append(self.model.weight.detach().clone())
        self.modes.append((self.model.training, torch.is_grad_enabled()))
        return self.losses[len(self.weights) - 1]


def test_the_best_weights_are_kept_and_training_stops_after_patience():
    model, losses = Line(), [*range(12, 3, -1), 1.0, 2.0, 1.5, 1.0, 0.0]
    checks = Checks(model, losses)
    log = train(model, repeat(rows(64)), options(patience=3), checks)
    assert log.validation == list(zip(DUE, losses, strict=True))[:-1]
    assert log.best_step == 20
    assert len(log.loss) == 50
    assert torch.equal(model.weight, checks.weights[DUE.index(20)])


def test_patience_counts_steps_however_often_is_checked():
    model = Line()
    checks = Checks(model, [2.0, 1.0, *[3.0] * 12])
    log = train(model, repeat(rows(64)), options(patience=1), checks)
    assert (log.best_step, len(log.loss)) == (4, 14)
    assert torch.equal(model.weight, checks.weights[1])


@pytest.mark.parametrize(
    ("steps", "check_every", "due"),
    [
        (60, 10, DUE),
        (25, 10, [*range(2, 20, 2), 20, 25]),
        (30, 50, [10, 20, 30]),
        (14, 3, [1, 2, 3, 4, 5, 6, 9, 12, 14]),
        (4, 1, [1, 2, 3, 4]),
        (3, 1000, [3]),
    ],
)
def test_checks_are_five_times_as_often_at_the_beginning(steps, check_every, due):
    model = Line()
    given = options(steps=steps, check_every=check_every, patience=None)
    log = train(model, repeat(rows(64)), given, Checks(model, range(60, 0, -1)))
    assert [step for step, _ in log.validation] == due


def test_without_patience_every_step_is_made_and_the_best_weights_are_kept():
    model = Line()
    checks = Checks(model, [3.0, 1.0, 2.0, *range(4, 15)])
    log = train(model, repeat(rows(64)), options(patience=None), checks)
    assert len(log.loss) == 60
    assert log.best_step == 4
    assert torch.equal(model.weight, checks.weights[1])


def test_without_validation_the_last_weights_are_kept():
    model = Line()
    log = train(model, repeat(rows(64)), options())
    assert log.best_step == 60
    assert log.validation == []
    assert not model.training


def test_the_last_step_is_checked_even_off_the_beat():
    model = Line()
    log = train(model, repeat(rows(64)), options(steps=25), Checks(model, range(11, 0, -1)))
    assert log.validation[-2:] == [(20, 2), (25, 1)]
    assert log.best_step == 25


def test_checks_run_in_evaluation_mode_without_gradients_and_training_goes_on_in_its_own():
    model = Line()
    modes = []
    loss = model.loss
    model.loss = lambda *batch: (modes.append(model.training), loss(*batch))[1]
    checks = Checks(model, range(len(DUE), 0, -1))
    train(model, repeat(rows(64)), options(), checks)
    assert checks.modes == [(False, False)] * len(DUE)
    assert modes == [True] * 60
    assert not model.training


# ---------------------------------------------------------------------- no finite gradient


class Sick(Line):
    """A line whose loss is not finite at some steps."""

    def __init__(self, sick, value=NAN):
        super().__init__()
        self.sick, self.value, self.seen = sick, value, []

    def loss(self, batch, state=None):
        self.seen.append(self.weight.detach().clone())
        total, number, _ = super().loss(batch)
        return total * (self.value if len(self.seen) - 1 in self.sick else 1.0), number, None


@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_a_step_without_a_finite_gradient_is_skipped(value):
    model = Sick({3, 7}, value)
    log = train(model, repeat(rows(64)), options(steps=12))
    same = [step for step in range(11) if torch.equal(model.seen[step], model.seen[step + 1])]
    assert same == [3, 7]
    assert log.skipped == 2
    assert model.weight.isfinite().all()


def test_after_five_in_a_row_earlier_weights_are_taken_and_half_the_rate():
    model = Sick(set(range(21, 26)))
    steps = {"steps": 30, "schedule": "constant", "optimizer": "sgd", "clip_norm": None}
    log = train(model, repeat(rows(64)), options(learning_rate=1e-3, check_every=10, **steps))
    assert (log.skipped, log.slowed) == (5, 1)
    assert torch.equal(model.seen[26], model.seen[20])  # of the last check before
    batch, weight = rows(64), model.seen[26]
    gradient = 2 * (batch.x * (batch.x @ weight - batch.y)[:, None]).mean(0)
    torch.testing.assert_close(model.seen[27] - weight, -1e-3 / 2 * gradient)


def test_training_without_any_finite_gradient_gives_up_with_advice(caplog):
    model = Sick(range(1000))
    with pytest.raises(TrainingError) as caught:
        train(model, repeat(rows(64)), options(steps=1000))
    assert str(caught.value) == (
        "Loss or gradient have not been finite for 5 steps (now step 25), the last of them at a "
        "rate of 0.0031. Lower learning_rate (it is 0.05), or look for values many orders of "
        "magnitude apart in the data."
    )
    assert len(model.seen) == 25
    assert caplog.text.count("is skipped") == 25


def test_sick_steps_far_apart_are_borne():
    model = Sick(set(range(1000)) - set(range(0, 1000, 5)))
    log = train(model, repeat(rows(64)), options(steps=100))
    assert (log.skipped, log.slowed) == (80, 0)


def test_records_of_a_step_that_is_skipped_are_named(caplog):
    batch = rows(64)
    batch.names = ("Anna", "Bert", 3, 4, 5, 6)
    train(Sick({2}), repeat(batch), options(steps=4))
    assert "step 3 is skipped" in caplog.text
    assert "of the records 'Anna', 'Bert', 3, 4, 5 and 1 more" in caplog.text


# ---------------------------------------------------------------------- what is said


def test_there_is_no_progress_bar_where_stderr_is_no_terminal(capsys):
    train(Line(), repeat(rows(64)), options(progress=None))
    assert capsys.readouterr() == ("", "")


def test_a_progress_bar_is_shown_when_asked_for(capsys):
    train(Line(), repeat(rows(64)), options(progress=True))
    said = capsys.readouterr()
    assert said.out == ""
    assert "training" in said.err
    assert "60/60" in said.err


def test_every_check_is_logged_and_nothing_is_printed(caplog, capsys):
    model = Line()
    with caplog.at_level(logging.INFO, logger="recurra.training"):
        train(model, repeat(rows(64)), options(steps=4), Checks(model, [2.0, 1.0]))
    assert [each.name for each in caplog.records] == ["recurra.training"] * 2
    assert caplog.messages[0].startswith("step 2: loss ")
    assert caplog.messages[0].endswith("validation 2.0000")
    assert capsys.readouterr() == ("", "")


def test_the_time_spent_is_logged():
    log = train(Line(), repeat(rows(64)), options())
    assert 0 < log.seconds < 60


def test_frozen_parameters_are_left_alone():
    model = Line()
    model.frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    train(model, repeat(rows(64)), options(steps=5, weight_decay=0.5))
    assert torch.equal(model.frozen, torch.ones(2))


def test_a_parameter_without_part_in_the_loss_is_no_hindrance():
    model = Line()
    model.idle = nn.Parameter(torch.ones(2))
    log = train(model, repeat(rows(64)), options(steps=60))
    assert log.loss[-1] < 0.2 * log.loss[0]


def test_the_loop_itself_draws_no_random_number():
    before = torch.get_rng_state()
    train(Line(), repeat(rows(64)), options())
    assert torch.equal(torch.get_rng_state(), before)


def test_the_weights_of_the_last_steps_are_averaged():
    def trained(average, seen=()):
        torch.manual_seed(0)
        model = Line()
        train(
            model, repeat(rows(8)), Training(steps=20, average=average, progress=False), None, seen
        )
        return model

    each = []
    last = trained(0.0, [lambda moment: each.append(moment.model.state_dict()["weight"].clone())])
    torch.testing.assert_close(last.state_dict()["weight"], each[-1])
    averaged = trained(0.5).state_dict()["weight"]
    torch.testing.assert_close(averaged, torch.stack(each[10:]).mean(0))


def test_an_average_that_is_no_better_is_not_kept():
    torch.manual_seed(0)
    model, losses = Line(), iter([0.1, *[9.0] * 100])
    options = Training(steps=20, average=0.5, check_every=5, patience=None, progress=False)
    log = train(model, repeat(rows(8)), options, lambda: next(losses))
    assert log.best_step == 1


@pytest.mark.parametrize("average", [1.0, -0.1, "half"])
def test_an_average_over_more_than_all_is_refused(average):
    with pytest.raises(OptionError, match="average"):
        Training(average=average)
