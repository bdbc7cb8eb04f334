"""Training on the hardest records nearby: what it adds, and what it leaves as it was."""

import numpy as np
import pytest
import torch

from recurra import Classifier, Training, layers
from recurra.data import from_arrays, from_tokens
from recurra.data.treatments import Vocabulary
from recurra.errors import OptionError
from recurra.estimators.learning.record_batches import endless
from recurra.estimators.records.record_plan import plan_network
from recurra.models import Adversarial, SequenceNetwork

OPTIONS = {"hidden_size": 6, "pooling": ("last", "max")}


def made(dataset, **more):
    torch.manual_seed(0)
    network = SequenceNetwork(plan_network(dataset, 5, {**OPTIONS, **more}), layers.GRU)
    return network, next(endless(dataset, 4, 0))


def numbers(count=4):
    random = np.random.default_rng(0)
    X = [random.normal(size=(length, 2)) for length in (5, 2, 7, 3)[:count]]
    return from_arrays(X, ["a", "b", "a", "b"][:count])


def words():
    texts = [["it", "is", "good"], ["bad"], ["so", "good"], ["is", "it", "so", "bad"]]
    read = from_tokens(texts)
    data = read.with_targets(**from_arrays(np.zeros((4, 1, 1)), ["a", "b", "a", "b"]).targets)
    vocabulary = Vocabulary()
    return vocabulary.apply(data, vocabulary.learn(data))


@pytest.mark.parametrize("data", [numbers, words])
def test_without_a_move_the_loss_is_that_of_the_network_twice(data):
    network, batch = made(data())
    total, count, _ = network.loss(batch)
    twice, counted, _ = Adversarial(network, 0.0).loss(batch)
    torch.testing.assert_close(twice, 2 * total)
    assert counted == 2 * count


@pytest.mark.parametrize("data", [numbers, words])
def test_the_move_is_harder_than_any_other_of_its_length(data):
    network, batch = made(data())
    total, _, _ = network.loss(batch)
    length = 1e-3
    hardest = Adversarial(network, length).loss(batch)[0] - total
    for seed in range(20):

        def moved(_module, _inputs, encoded, seed=seed):
            chance = torch.randn(
                encoded.values.shape, generator=torch.Generator().manual_seed(seed)
            )
            chance /= chance.flatten(1).norm(dim=1)[:, None, None]
            return encoded._replace(values=encoded.values + length * chance)

        hook = network.encoders[0].register_forward_hook(moved)
        other, _, _ = network.loss(batch)
        hook.remove()
        assert total < hardest
        assert other < hardest


def test_the_move_drops_the_same_units():
    network, batch = made(numbers(), dropout=0.5, input_dropout=0.5)
    torch.manual_seed(3)
    total, _, _ = network.loss(batch)
    torch.manual_seed(3)
    twice, _, _ = Adversarial(network, 0.0).loss(batch)
    torch.testing.assert_close(twice, 2 * total)


def test_its_gradient_is_that_of_both_losses_with_the_move_held_fast():
    network, batch = made(numbers())
    adversarial = Adversarial(network, 0.5)
    adversarial.loss(batch)[0].backward()
    found = {name: each.grad.clone() for name, each in network.named_parameters()}
    network.zero_grad()
    held = []

    def remembered(_module, _inputs, encoded):
        held.append(torch.zeros_like(encoded.values, requires_grad=True))
        return encoded._replace(values=encoded.values + held[-1])

    hook = network.encoders[0].register_forward_hook(remembered)
    (slope,) = torch.autograd.grad(network.loss(batch)[0], held)
    hook.remove()
    move = 0.5 * slope / slope.flatten(1).norm(dim=1)[:, None, None]
    network.loss(batch)[0].backward()
    hook = network.encoders[0].register_forward_hook(
        lambda _m, _i, encoded: encoded._replace(values=encoded.values + move)
    )
    network.loss(batch)[0].backward()
    hook.remove()
    for name, each in network.named_parameters():
        torch.testing.assert_close(each.grad, found[name])


def test_asked_for_an_answer_it_is_the_network():
    network, batch = made(words())
    adversarial = Adversarial(network, 2.0).eval()
    torch.testing.assert_close(adversarial.loss(batch)[0], network.loss(batch)[0])
    torch.testing.assert_close(adversarial(batch), network(batch))
    assert not network.encoders[0]._forward_hooks


def test_a_classifier_of_words_learns_this_way_by_itself_and_of_letters_does_not():
    texts = ["it is good", "it is so bad", "so good it is", "bad is bad"] * 4
    quick = Training(steps=3, batch_size=8, progress=False)
    labels = ["a", "b"] * 8
    by_itself, asked, plain = (
        Classifier(adversarial=how, training=quick).fit(texts, labels).predict_proba(texts)
        for how in ("auto", 2.0, 0.0)
    )
    assert np.array_equal(by_itself, asked)
    assert not np.array_equal(by_itself, plain)
    names = ["good", "bad", "goods", "bade"] * 4
    by_itself, plain = (
        Classifier(adversarial=how, training=quick).fit(names, labels).predict_proba(names)
        for how in ("auto", 0.0)
    )
    assert np.array_equal(by_itself, plain)


@pytest.mark.parametrize("wrong", [-1.0, "much", float("inf"), None])
def test_a_length_that_is_none_is_refused(wrong):
    with pytest.raises(OptionError, match="adversarial="):
        Classifier(adversarial=wrong).fit([[1.0], [2.0]], ["a", "b"])


def test_a_layer_that_reads_the_records_themselves_cannot():
    with pytest.raises(OptionError, match="adversarial=0"):
        Classifier("grud", adversarial=1.0).fit([[1.0], [2.0]], ["a", "b"])
