"""Attention: its equations, and that padding is never felt."""

import math

import pytest
import torch

from recurra.errors import ShapeError
from recurra.layers.attention import AdditiveAttention, Attention, DotAttention

KINDS = {"additive": lambda: AdditiveAttention(4, 6, 5), "dot": lambda: DotAttention(4, 6)}


@pytest.fixture(params=list(KINDS))
def attention(request: pytest.FixtureRequest) -> Attention:
    torch.manual_seed(0)
    return KINDS[request.param]()


def test_additive_attention_is_what_bahdanau_wrote() -> None:
    attention = AdditiveAttention(4, 6, 5)
    q, v = torch.randn(1, 1, 4), torch.randn(1, 3, 6)
    scores = torch.stack(
        [
            attention.score.weight[0]
            @ torch.tanh(
                attention.query.weight @ q[0, 0]
                + attention.key.weight @ v[0, t]
                + attention.key.bias
            )
            for t in range(3)
        ]
    )
    context, weights = attention(q, attention.remember(v))
    torch.testing.assert_close(weights[0, 0], scores.softmax(0))
    torch.testing.assert_close(context[0, 0], scores.softmax(0) @ v[0])


def test_dot_attention_is_what_luong_wrote_scaled() -> None:
    attention = DotAttention(4, 6)
    q, v = torch.randn(1, 1, 4), torch.randn(1, 3, 6)
    scores = (v[0] @ attention.key.weight.T @ q[0, 0]) / math.sqrt(4)
    _, weights = attention(q, attention.remember(v))
    torch.testing.assert_close(weights[0, 0], scores.softmax(0))


def test_padding_of_any_content_changes_no_bit_of_context_and_gradient(
    attention: Attention,
) -> None:
    values, queries = torch.randn(3, 7, 6), torch.randn(3, 2, 4)
    lengths = torch.tensor([7, 4, 1])
    padded = torch.cat([values, torch.full((3, 9, 6), torch.nan)], 1)
    padded[1, 4:], padded[2, 1:] = torch.inf, torch.nan
    found = []
    for given in (values, padded):
        given = given.clone().requires_grad_()
        attention.zero_grad()
        context, weights = attention(queries, attention.remember(given, lengths))
        context.square().sum().backward()
        assert given.grad is not None
        gradients = [each.grad.clone() for each in attention.parameters()]
        found.append((context, weights, given.grad[:, :7], *gradients))
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
    assert found[1][2].isfinite().all()


def test_a_record_is_answered_alone_as_among_others(attention: Attention) -> None:
    values, queries = torch.randn(3, 7, 6), torch.randn(3, 2, 4)
    lengths = torch.tensor([7, 4, 1])
    together, _ = attention(queries, attention.remember(values, lengths))
    for k in range(3):
        alone, _ = attention(
            queries[k : k + 1], attention.remember(values[k : k + 1], lengths[[k]])
        )
        torch.testing.assert_close(alone[0], together[k], atol=1e-6, rtol=1e-6)


def test_weights_add_up_to_one_over_real_steps_and_are_zero_elsewhere(
    attention: Attention,
) -> None:
    memory = attention.remember(torch.randn(2, 5, 6), torch.tensor([5, 2]))
    _, weights = attention(torch.randn(2, 3, 4), memory)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 3))
    assert not weights[1, :, 2:].any()


def test_a_record_without_steps_gives_a_context_of_zeros(attention: Attention) -> None:
    context, weights = attention(
        torch.randn(2, 3, 4), attention.remember(torch.randn(2, 5, 6), torch.tensor([5, 0]))
    )
    assert not context[1].any()
    assert not weights[1].any()
    context, _ = attention(
        torch.randn(1, 3, 4), attention.remember(torch.randn(1, 5, 6), torch.tensor([0]))
    )
    assert context.shape == (1, 3, 6)
    assert not context.any()


def test_records_of_a_memory_can_be_picked_and_repeated(attention: Attention) -> None:
    memory = attention.remember(torch.randn(3, 5, 6), torch.tensor([5, 2, 4]))
    rows = torch.tensor([2, 2, 0])
    queries = torch.randn(3, 1, 4)
    context, _ = attention(queries[rows], memory.take(rows))
    whole, _ = attention(queries, memory)
    torch.testing.assert_close(context, whole[rows])


def test_values_of_another_width_are_refused(attention: Attention) -> None:
    with pytest.raises(ShapeError, match=r"values has shape \(2, 5, 3\), but \(batch, time, 6\)"):
        attention.remember(torch.zeros(2, 5, 3))
    with pytest.raises(ShapeError, match="lengths\\[1\\] is 9"):
        attention.remember(torch.zeros(2, 5, 6), torch.tensor([5, 9]))


def test_without_a_projection_both_sizes_are_equal() -> None:
    with pytest.raises(ShapeError, match="query_size=4 and memory_size=6 differ"):
        DotAttention(4, 6, project=False)
