"""The next row: likelihoods, laws, sampling, and what is refused."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from recurra import Training, load
from recurra.data import Calendar, Indicators, Scale
from recurra.errors import DataError, NotFittedError, OptionError
from recurra.estimators import NextStep

DATA = Path(os.environ.get("RECURRA_DATA", Path(__file__).parents[4] / "shared" / "data"))
TRAINING = Training(steps=40, batch_size=8, warmup=5, learning_rate=1e-2, check_every=20)


def flags(records=12, seed=0):
    """Two keys that take turns, and one that is seldom pressed."""
    random = np.random.default_rng(seed)
    found = []
    for length in random.integers(8, 20, records):
        turn = (np.arange(length) + random.integers(2)) % 2
        found.append(np.stack([turn, 1 - turn, random.random(length) < 0.1], 1).astype(float))
    return found


def walks(records=12, seed=0):
    """A random walk far from 0, and noise, with a hole."""
    random = np.random.default_rng(seed)
    found = []
    for length in random.integers(15, 30, records):
        walk = 500 + 10 * random.normal(size=length).cumsum()
        found.append(np.stack([walk, random.normal(size=length)], 1))
    found[1][3, 0] = np.nan
    found[2][5] = np.nan
    return found


def small(**options):
    return NextStep(**{"hidden_size": 12, "training": TRAINING, "validation": 0.0} | options)


@pytest.fixture(scope="module")
def player():
    return small(training=Training(steps=120, batch_size=8, learning_rate=2e-2)).fit(flags())


@pytest.fixture(scope="module")
def walker():
    return small().fit(walks())


def test_flags_are_told_from_numbers(player, walker):
    assert (player.likelihood_, walker.likelihood_) == ("bernoulli", "gaussian")


def test_what_takes_turns_is_foretold(player):
    assert player.predict([[[1, 0, 0], [0, 1, 0], [1, 0, 0]]])[0, :2].tolist() == [0.0, 1.0]
    assert player.predict_proba([[[1, 0, 0]]]).shape == (1, 3)


def test_the_score_is_the_mean_over_rows_with_one_before(player):
    each = player.log_likelihood(flags(seed=1))
    rows = np.concatenate([part[1:] for part in each])
    assert [len(part) for part in each] == [len(record) for record in flags(seed=1)]
    assert player.score(flags(seed=1)) == pytest.approx(rows.mean())


def test_the_likelihood_of_flags_is_that_of_independent_channels(player):
    record = flags(seed=1)[0]
    share = np.stack([player.predict_proba([record[:k]])[0] for k in range(1, len(record))])
    by_hand = np.where(record[1:] == 1, np.log(share), np.log1p(-share)).sum(1)
    np.testing.assert_allclose(player.log_likelihood([record])[0][1:], by_hand, atol=1e-5)


def test_the_likelihood_of_numbers_is_in_their_units(walker):
    record = walks(seed=1)[0]
    mean, spread = walker.predict([record[:-1]], return_std=True)
    z = (record[-1] - mean[0]) / spread[0]
    by_hand = (-0.5 * z**2 - np.log(spread[0]) - 0.5 * np.log(2 * np.pi)).sum()
    assert walker.log_likelihood([record])[0][-1] == pytest.approx(by_hand, abs=1e-4)


def test_the_network_beats_simple_models():
    model = small(training=Training(steps=120, batch_size=8, learning_rate=2e-2)).fit(flags())
    own, *simple = [score.value for score in model.report().scores]
    assert len(simple) == 2
    assert own > max(simple) - 0.1


def test_walks_are_followed_beyond_what_was_seen(walker):
    far = walks(seed=2)[0] + [5000.0, 0.0]
    assert abs(walker.predict([far])[0, 0] - far[-1, 0]) < 0.5 * abs(far[-1, 0] - 500)


def test_the_stream_is_the_full_pass(player, walker):
    for model, records in ((player, flags(seed=3)), (walker, walks(seed=3))):
        for record in records[:3]:
            session = model.stream()
            for row in record:
                told = session.step(row)
            mean, spread = model.predict([record], return_std=True)
            scale = np.maximum(np.abs(told.mean), 1.0)
            if model is walker:
                np.testing.assert_allclose(told.mean / scale, mean[0] / scale, atol=1e-6)
            else:
                np.testing.assert_allclose(told.mean, model.predict_proba([record])[0], atol=1e-6)
            np.testing.assert_allclose(told.spread, spread[0], rtol=1e-5)


def test_neighbours_change_no_bit(player):
    records = flags(seed=4)
    alone = [player.log_likelihood([record])[0] for record in records]
    for one, other in zip(alone, player.log_likelihood(records), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_same_seed_gives_the_same_bits():
    one, other = (small().fit(flags()) for _ in range(2))
    assert np.array_equal(one.predict_proba(flags()), other.predict_proba(flags()))
    assert not np.array_equal(
        one.predict_proba(flags()), small(seed=1).fit(flags()).predict_proba(flags())
    )


def test_a_saved_model_answers_the_same_to_the_bit(tmp_path, player, walker):
    for model, records in ((player, flags(seed=5)), (walker, walks(seed=5))):
        model.save(tmp_path / "m.recurra")
        again = load(tmp_path / "m.recurra")
        assert np.array_equal(again.predict(records), model.predict(records))
        assert again.score(records) == model.score(records)
        assert again.likelihood_ == model.likelihood_


def test_missing_values_have_no_part_in_the_loss(walker):
    each = walker.log_likelihood(walks())
    assert np.isnan(each[2][5])
    assert not np.isnan(each[1][3])
    assert walker.network_.plan.holes


def test_holes_may_come_though_none_was_learned_from(player):
    record = flags(seed=6)[0]
    record[2] = np.nan
    told = player.log_likelihood([record])[0]
    assert np.isnan(told[2])
    assert np.isfinite(np.delete(told, 2)).all()


def test_samples_depend_on_the_seed_and_follow_the_prompt(player):
    first = player.sample(6, [[1, 0, 0]], seed=3, temperature=0.1)
    assert np.array_equal(first, player.sample(6, [[1, 0, 0]], seed=3, temperature=0.1))
    assert first[:, 0].tolist() == [0, 1, 0, 1, 0, 1]
    assert not np.array_equal(player.sample(20, seed=1), player.sample(20, seed=2))
    assert set(np.unique(player.sample(20))) <= {0.0, 1.0}


def test_samples_of_numbers_are_in_their_units(walker):
    drawn = walker.sample(5, walks(seed=7)[0], seed=0)
    assert drawn.shape == (5, 2)
    assert (np.abs(drawn[:, 0] - walks(seed=7)[0][-1, 0]) < 400).all()


def test_an_empty_record_gets_what_is_expected_at_the_beginning(player):
    assert player.predict([np.zeros((0, 3)), flags()[0]]).shape == (2, 3)
    np.testing.assert_allclose(
        player.predict_proba([np.zeros((0, 3)), flags()[0]])[0],
        player.stream().next.mean,
        atol=1e-6,
    )


def test_the_ends_of_few_records_are_held_back():
    held = small(validation=0.2).fit([np.tile(flags()[0], (10, 1))])
    assert held.log_.validation
    assert held.report().held_back == 1


def test_long_records_are_learned_from_in_pieces():
    long = [np.tile(flags()[0], (20, 1))]
    cut = small(training=Training(steps=30, truncation=10, learning_rate=1e-2)).fit(long)
    assert len(cut.log_.loss) == 30
    assert cut.log_.loss[-1] < cut.log_.loss[0]


def test_learning_goes_on_with_partial_fit(player):
    model = small().fit(flags())
    before = model.predict_proba(flags())
    model.partial_fit(flags(seed=1))
    assert not np.array_equal(model.predict_proba(flags()), before)


def test_outliers_have_a_likelihood_of_their_own():
    records = walks()
    records[0][4, 1] = 300.0
    model = small(likelihood="student").fit(records)
    assert np.isfinite(model.score(records))


def test_it_can_be_cloned_and_has_parameters():
    model = clone(NextStep("gru", hidden_size=7))
    assert (model.layer, model.hidden_size) == ("gru", 7)


def test_a_number_among_flags_is_refused_by_place():
    records = flags()
    records[3][2, 1] = 0.5
    with pytest.raises(DataError, match=r"series 3, row 2, column 'x1', value 0.5") as caught:
        small(likelihood="bernoulli").fit(records)
    assert caught.value.code == "not_binary"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"likelihood": "poisson"}, "likelihood='poisson'"),
        ({"layer": "grud"}, "layer='grud'"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"hidden_size": 0}, "hidden_size=0"),
        ({"treatments": [Scale(), Indicators()]}, "nothing"),
    ],
)
def test_wrong_options_are_refused(change, said):
    if said == "nothing":
        assert small(**change).fit(walks()).network_.plan.extras == 2
        return
    with pytest.raises(OptionError, match=said):
        small(**change).fit(flags())


def test_wrong_data_are_refused(player):
    with pytest.raises(OptionError, match="Leave y out"):
        small().fit(flags(), [0] * 12)
    with pytest.raises(OptionError, match="several"):
        small().fit({"a": flags(), "b": flags()})
    with pytest.raises(DataError, match="never observed"):
        small().fit([np.full((5, 2), [1.0, np.nan])] * 3)
    with pytest.raises(DataError, match="no steps"):
        small().fit([np.zeros((0, 3)), flags()[0]])
    with pytest.raises(DataError, match="No record has two rows"):
        player.score([flags()[0][:1]])
    with pytest.raises(DataError, match=r"a single one as \[rows\]"):
        small().fit(np.zeros((30, 1)))
    with pytest.raises(OptionError, match="the same scale for all records"):
        small(treatments=[Scale(per="record")]).fit(walks())
    with pytest.raises(DataError, match="3 channels"):
        player.sample(2, [[1, 0]])
    with pytest.raises(NotFittedError):
        small().predict(flags())
    with pytest.raises(OptionError, match="numbers have no probability"):
        small().fit(walks()).predict_proba(walks())


def test_wrong_rows_are_refused_in_a_session(player, walker):
    with pytest.raises(DataError, match="3 channels"):
        player.stream().step([1.0, 0.0])
    with pytest.raises(DataError, match="infinite"):
        walker.stream().step([np.inf, 0.0])
    with pytest.raises(DataError, match="numbers"):
        walker.stream().step(["a", "b"])


def test_treatments_that_look_at_other_rows_cannot_be_streamed():
    with pytest.raises(OptionError, match="Indicators"):
        small(treatments=[Scale(), Indicators()]).fit(walks()).stream()


def test_channels_that_are_only_read_are_no_part_of_a_sample():
    hours = [np.arange("2024-01-01", "2024-01-02", dtype="M8[h]")] * 3
    records = [np.random.default_rng(k).normal(size=24) for k in range(3)]
    model = small(treatments=[Scale(), Calendar(("hour",))]).fit(records, times=hours)
    session = model.stream()
    for value, hour in zip(records[0], hours[0], strict=True):
        told = session.step(value, hour)
    np.testing.assert_allclose(told.mean, model.predict(records[:1], times=hours[:1])[0], atol=1e-6)
    with pytest.raises(DataError, match="has none"):
        session.step(1.0)
    with pytest.raises(OptionError, match="does not foretell"):
        model.sample(2)


@pytest.mark.skipif(not (DATA / "mus_jsb").is_dir(), reason="no mus_jsb in RECURRA_DATA")
def test_simple_models_of_chorales_score_what_is_known_of_them():
    from scipy.io import loadmat

    from recurra.data import from_arrays
    from recurra.estimators.rows.next_step_baselines import of_flags

    told = loadmat(DATA / "mus_jsb" / "JSB_Chorales.mat")
    parts = [from_arrays(list(told[name][0])).stream for name in ("traindata", "testdata")]
    independent, chain = of_flags(*parts).values()
    assert independent == pytest.approx(-11.09, abs=0.05)
    assert chain == pytest.approx(-10.49, abs=0.05)
