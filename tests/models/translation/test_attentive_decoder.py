"""A decoder that attends: a whole sequence is what its steps are."""

from functools import partial

import pytest
import torch

from recurra.layers import GRU, LSTM
from recurra.layers.attention import AdditiveAttention, DotAttention
from recurra.models.translation.attentive_decoder import AttentiveDecoder

MAKERS = {
    "GRU, fed": partial(AttentiveDecoder, GRU, 3, 8, num_layers=1, input_feeding=True),
    "GRU": partial(AttentiveDecoder, GRU, 3, 8, num_layers=1, input_feeding=False),
    "two LSTMs, fed": partial(AttentiveDecoder, LSTM, 3, 8, num_layers=2, input_feeding=True),
    "two LSTMs": partial(AttentiveDecoder, LSTM, 3, 8, num_layers=2, input_feeding=False),
}


@pytest.fixture(params=list(MAKERS))
def decoder(request: pytest.FixtureRequest) -> AttentiveDecoder:
    torch.manual_seed(0)
    kind = DotAttention if "GRU" in request.param else AdditiveAttention
    return MAKERS[request.param](kind(8, 6))


def test_going_step_by_step_is_reading_the_whole(decoder: AttentiveDecoder) -> None:
    memory = decoder.attention.remember(torch.randn(2, 5, 6), torch.tensor([5, 3]))
    x, state = torch.randn(2, 4, 3), decoder.initial_state(2)
    with torch.no_grad():
        outputs, weights, after = decoder(x, memory, state)
        for u in range(4):
            output, weight, state = decoder.step(x[:, u], memory, state)
            torch.testing.assert_close(output, outputs[:, u], atol=1e-6, rtol=1e-6)
            torch.testing.assert_close(weight, weights[:, u], atol=1e-6, rtol=1e-6)
    torch.testing.assert_close(state.fed, after.fed, atol=1e-6, rtol=1e-6)


def test_a_sequence_cut_in_two_is_the_same(decoder: AttentiveDecoder) -> None:
    memory = decoder.attention.remember(torch.randn(2, 5, 6))
    x = torch.randn(2, 6, 3)
    with torch.no_grad():
        whole, _, _ = decoder(x, memory, decoder.initial_state(2))
        first, _, state = decoder(x[:, :2], memory, decoder.initial_state(2))
        second, _, _ = decoder(x[:, 2:], memory, state)
    torch.testing.assert_close(torch.cat([first, second], 1), whole, atol=1e-6, rtol=1e-6)


def test_no_steps_change_nothing(decoder: AttentiveDecoder) -> None:
    memory = decoder.attention.remember(torch.randn(2, 5, 6))
    state = decoder.initial_state(2)
    outputs, weights, after = decoder(torch.zeros(2, 0, 3), memory, state)
    assert (outputs.shape, weights.shape) == ((2, 0, 8), (2, 0, 5))
    assert torch.equal(after.fed, state.fed)


def test_records_of_a_state_can_be_picked(decoder: AttentiveDecoder) -> None:
    memory = decoder.attention.remember(torch.randn(3, 5, 6))
    x = torch.randn(3, 2, 3)
    with torch.no_grad():
        _, _, state = decoder.step(x[:, 0], memory, decoder.initial_state(3))
        whole, _, _ = decoder.step(x[:, 1], memory, state)
        rows = torch.tensor([2, 0])
        picked, _, _ = decoder.step(x[rows, 1], memory.take(rows), state.take(rows))
    torch.testing.assert_close(picked, whole[rows], atol=1e-6, rtol=1e-6)


def test_what_was_said_the_step_before_is_read_only_with_input_feeding() -> None:
    for feeding in (True, False):
        torch.manual_seed(0)
        decoder = AttentiveDecoder(GRU, 3, 8, DotAttention(8, 6), input_feeding=feeding)
        memory = decoder.attention.remember(torch.randn(1, 5, 6))
        state = decoder.initial_state(1)
        other = state._replace(fed=torch.ones(1, 8))
        x = torch.randn(1, 3)
        with torch.no_grad():
            a, b = (decoder.step(x, memory, each)[0] for each in (state, other))
        assert torch.equal(a, b) != feeding
