"""The conditional random field, held against the sum over all sequences written out."""

import itertools
import math

import pytest
import torch

from recurra.errors import OptionError, ShapeError
from recurra.models.records.crf import CRF

CLASSES, TIME = 3, 4
LENGTHS = torch.tensor([4, 1, 0, 3])


def made(dtype=torch.float64, seed=0):
    """A field with random scores, and a ragged batch for it."""
    chance = torch.Generator().manual_seed(seed)
    crf = CRF(CLASSES).to(dtype)
    with torch.no_grad():
        for each in crf.parameters():
            each.copy_(torch.randn(each.shape, generator=chance, dtype=dtype))
    emissions = torch.randn(len(LENGTHS), TIME, CLASSES, generator=chance, dtype=dtype)
    labels = torch.randint(CLASSES, emissions.shape[:2], generator=chance)
    return crf, emissions, labels


def score(crf, emissions, path):
    """The score of one sequence, from the equation alone."""
    first, last, transitions = crf.first.detach(), crf.last.detach(), crf.transitions.detach()
    if not path:
        return 0.0
    total = first[path[0]] + last[path[-1]]
    total = total + sum(emissions[t, y] for t, y in enumerate(path))
    return float(total + sum(transitions[a, b] for a, b in itertools.pairwise(path)))


def all_scores(crf, emissions, length):
    paths = itertools.product(range(CLASSES), repeat=length)
    return {path: score(crf, emissions, path) for path in paths}


def log_sum(scores):
    return math.log(sum(map(math.exp, scores)))


@pytest.mark.parametrize("record", range(len(LENGTHS)))
def test_the_forward_algorithm_adds_up_every_sequence(record):
    crf, emissions, _ = made()
    every = all_scores(crf, emissions[record], int(LENGTHS[record]))
    found = crf.log_partition(emissions, LENGTHS)[record].item()
    assert found == pytest.approx(log_sum(every.values()), abs=1e-12)


@pytest.mark.parametrize("record", range(len(LENGTHS)))
def test_the_likelihood_is_the_share_of_one_sequence_among_all(record):
    crf, emissions, labels = made()
    length = int(LENGTHS[record])
    every = all_scores(crf, emissions[record], length)
    own = every[tuple(labels[record, :length].tolist())]
    found = crf.log_likelihood(emissions, labels, LENGTHS)[record].item()
    assert found == pytest.approx(own - log_sum(every.values()), abs=1e-12)


def test_unknown_labels_are_summed_over():
    crf, emissions, labels = made()
    labels[0, 1] = labels[0, 3] = labels[3, 0] = -1
    found = crf.log_likelihood(emissions, labels, LENGTHS)
    for record in (0, 3):
        every = all_scores(crf, emissions[record], int(LENGTHS[record]))
        given = labels[record].tolist()
        agreeing = [
            value
            for path, value in every.items()
            if all(want in (-1, have) for want, have in zip(given, path, strict=False))
        ]
        expected = log_sum(agreeing) - log_sum(every.values())
        assert found[record].item() == pytest.approx(expected, abs=1e-12)


def test_a_record_of_which_no_label_is_known_says_nothing():
    crf, emissions, labels = made()
    found = crf.log_likelihood(emissions, torch.full_like(labels, -1), LENGTHS)
    assert found.abs().max() == 0


@pytest.mark.parametrize("seed", range(5))
def test_viterbi_finds_the_best_of_all_sequences(seed):
    crf, emissions, _ = made(seed=seed)
    found = crf.best(emissions, LENGTHS)
    for record, length in enumerate(LENGTHS.tolist()):
        every = all_scores(crf, emissions[record], length)
        best = max(every, key=every.get)
        assert found[record].tolist() == [*best, *[-1] * (TIME - length)]


def test_marginals_are_the_shares_of_the_sequences_that_pass_there():
    crf, emissions, _ = made()
    found = crf.marginals(emissions, LENGTHS)
    for record, length in enumerate(LENGTHS.tolist()):
        every = all_scores(crf, emissions[record], length)
        whole = sum(map(math.exp, every.values()))
        for step, label in itertools.product(range(TIME), range(CLASSES)):
            passing = sum(
                math.exp(s) for p, s in every.items() if step < length and p[step] == label
            )
            assert found[record, step, label].item() == pytest.approx(passing / whole, abs=1e-12)
    assert not found.requires_grad


def test_marginals_are_found_where_gradients_are_off():
    crf, emissions, _ = made()
    with torch.no_grad():
        found = crf.marginals(emissions, LENGTHS)
    assert found.sum(-1)[0].tolist() == pytest.approx([1.0] * TIME)


def test_the_gradient_is_that_of_the_definition():
    crf, emissions, labels = made()
    labels[0, 2] = -1

    def loss(emissions, *parameters):
        names = [name for name, _ in crf.named_parameters()]
        own = dict(zip(names, parameters, strict=True))
        field = CRF(CLASSES).double()
        for name, value in own.items():
            delattr(field, name)
            setattr(field, name, value)
        return field.log_likelihood(emissions, labels, LENGTHS)

    inputs = (emissions.requires_grad_(), *(p.detach().requires_grad_() for p in crf.parameters()))
    assert torch.autograd.gradcheck(loss, inputs)


def test_padding_changes_no_bit_of_answers_and_gradients():
    crf, emissions, labels = made(torch.float32)
    spoiled, other = emissions.clone(), labels.clone()
    for record, length in enumerate(LENGTHS.tolist()):
        spoiled[record, length:] = float("nan")
        other[record, length:] = -1
    wide = torch.cat([spoiled, torch.full_like(spoiled, float("inf"))], 1).requires_grad_()
    other = torch.cat([other, torch.zeros_like(other)], 1)
    whole = crf.log_likelihood(wide, other, LENGTHS)
    assert torch.equal(whole, crf.log_likelihood(emissions.requires_grad_(), labels, LENGTHS))
    whole.sum().backward()
    crf.log_likelihood(emissions, labels, LENGTHS).sum().backward()
    assert torch.equal(wide.grad[:, :TIME], emissions.grad)
    assert not wide.grad[:, TIME:].any()
    assert torch.equal(crf.best(wide, LENGTHS)[:, :TIME], crf.best(emissions, LENGTHS))


def test_neighbours_change_nothing():
    crf, emissions, labels = made()
    whole = crf.log_likelihood(emissions, labels, LENGTHS)
    for k, length in enumerate(LENGTHS.tolist()):
        own, names, few = (
            emissions[k : k + 1, :length],
            labels[k : k + 1, :length],
            LENGTHS[k : k + 1],
        )
        assert crf.log_likelihood(own, names, few).item() == pytest.approx(whole[k].item(), 1e-12)
        assert torch.equal(crf.best(own, few)[0], crf.best(emissions, LENGTHS)[k, :length])


def test_a_batch_without_steps_has_answers_of_no_steps():
    crf, none = CRF(2), torch.zeros(2, 0, 2)
    lengths = torch.zeros(2, dtype=torch.int64)
    assert crf.log_likelihood(none, torch.zeros(2, 0, dtype=torch.int64), lengths).tolist() == [
        0,
        0,
    ]
    assert crf.best(none, lengths).shape == (2, 0)
    assert crf.marginals(none, lengths).shape == (2, 0, 2)


def test_long_records_stay_finite_in_single_precision():
    crf = CRF(5)
    emissions = 50 * torch.randn(1, 3000, 5, generator=torch.Generator().manual_seed(0))
    labels, lengths = emissions.argmin(-1), torch.tensor([3000])
    assert crf.log_likelihood(emissions, labels, lengths).isfinite().all()
    assert crf.marginals(emissions, lengths).sum(-1).sub(1).abs().max() < 1e-3


def test_shapes_that_do_not_go_together_are_refused():
    crf = CRF(2)
    with pytest.raises(ShapeError, match=r"\(1, 2, 3\), but \(batch, time, 2\)"):
        crf.best(torch.zeros(1, 2, 3), torch.tensor([2]))
    with pytest.raises(ShapeError, match="there are 1 records"):
        crf.best(torch.zeros(1, 2, 2), torch.tensor([2, 1]))
    with pytest.raises(ShapeError, match=r"labels have shape \(1, 3\)"):
        crf.log_likelihood(
            torch.zeros(1, 2, 2), torch.zeros(1, 3, dtype=torch.int64), torch.tensor([2])
        )
    with pytest.raises(OptionError, match="one label at least"):
        CRF(0)
