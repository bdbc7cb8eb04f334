"""The network from sequence to sequence: what its loss counts, and what it may see."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from recurra.errors import OptionError
from recurra.layers import GRU, LSTM
from recurra.models import Input, RecordBatch, StreamBatch
from recurra.models.translation.sequence_to_sequence_network import (
    RISE,
    SequenceToSequenceNetwork,
    SequenceToSequencePlan,
)

TOKENS = Input("tokens", ("token",), {0: 6})
END = 3


def make(layer: type = GRU, **options: object) -> SequenceToSequenceNetwork:
    torch.manual_seed(0)
    plan = SequenceToSequencePlan(TOKENS, END, 8, **options)  # type: ignore[arg-type]
    return SequenceToSequenceNetwork(plan, layer).eval()


def stream(codes: Tensor, lengths: list[int]) -> StreamBatch:
    counts = torch.tensor(lengths)
    real = torch.arange(codes.shape[1]) < counts[:, None]
    return StreamBatch(codes[..., None], real[..., None], counts, torch.zeros(codes.shape))


def batch(answers: list[list[int]], weights: Tensor | None = None) -> RecordBatch:
    torch.manual_seed(1)
    codes = torch.randint(1, 6, (len(answers), 5))
    padded = torch.full((len(answers), max(map(len, answers))), -1)
    for row, answer in zip(padded, answers, strict=True):
        row[: len(answer)] = torch.tensor(answer, dtype=torch.int64)
    source = stream(codes, [5, 2, 4][: len(answers)])
    return RecordBatch({"text": source}, None, {"y": padded[..., None]}, weights)


KINDS = [
    {},
    {"layer": LSTM, "num_layers": 2},
    {"attention": "additive", "input_feeding": False},
    {"bidirectional": False, "attention": "dot"},
]


@pytest.mark.parametrize("options", KINDS)
def test_the_loss_is_the_cross_entropy_of_every_symbol_and_every_end(options: dict) -> None:  # type: ignore[type-arg]
    network, given = make(**options), batch([[0, 1, 2], [], [2]])
    total, count, _ = network.loss(given)
    assert int(count) == 4 + 1 + 2
    logits, _ = network(given.streams["text"], given.targets["y"][..., 0])
    wanted = [(0, 0, 0), (0, 1, 1), (0, 2, 2), (0, 3, END), (1, 0, END), (2, 0, 2), (2, 1, END)]
    by_hand = sum(functional.cross_entropy(logits[r, u], torch.tensor(y)) for r, u, y in wanted)
    torch.testing.assert_close(total, by_hand)


@pytest.mark.parametrize("options", KINDS)
def test_saying_symbol_by_symbol_is_reading_the_whole_answer(options: dict) -> None:  # type: ignore[type-arg]
    network, given = make(**options), batch([[0, 1, 2], [1, 1, 0], [2, 0, 0]])
    with torch.no_grad():
        logits, _ = network(given.streams["text"], given.targets["y"][..., 0])
        state, last = network.begin(given.streams["text"]), torch.full((3,), END)
        for u in range(4):
            chances, _, state = network.say(last, state)
            torch.testing.assert_close(chances, logits[:, u].log_softmax(-1), atol=1e-5, rtol=1e-5)
            last = given.targets["y"][:, min(u, 2), 0]


@pytest.mark.parametrize("options", KINDS)
def test_padding_of_sources_and_answers_changes_no_bit(options: dict) -> None:  # type: ignore[type-arg]
    network, given = make(**options), batch([[0, 1, 2], [1], [2, 0]])
    source = given.streams["text"]
    codes = functional.pad(source.values[..., 0], (0, 7), value=5)
    codes[1, 2:], codes[2, 4:] = 4, 3
    longer = stream(codes, source.lengths.tolist())
    answers = functional.pad(given.targets["y"], (0, 0, 0, 3), value=-1)
    other = RecordBatch({"text": longer}, None, {"y": answers})
    with torch.no_grad():
        a = network.begin(source)
        b = network.begin(longer)
        assert torch.equal(a.memory.values, b.memory.values)
        first, second = (network.say(torch.tensor([3, 0, 1]), each)[0] for each in (a, b))
        assert torch.equal(first, second)
        torch.testing.assert_close(network.loss(given)[0], network.loss(other)[0])


def test_a_later_symbol_does_not_touch_an_earlier_one() -> None:
    network, given = make(), batch([[0, 1, 2]])
    with torch.no_grad():
        logits, _ = network(given.streams["text"], torch.tensor([[0, 1, 2]]))
        other, _ = network(given.streams["text"], torch.tensor([[0, 2, 2]]))
    torch.testing.assert_close(logits[:, :2], other[:, :2])
    assert not torch.allclose(logits[:, 2], other[:, 2])


def test_the_probabilities_of_all_answers_add_up_to_one() -> None:
    network, source = make(), batch([[0]]).streams["text"]
    ended, going = 0.0, [[]]
    for _ in range(4):
        answers = [*going]
        going = [[*each, code] for each in answers for code in range(END)]
        many = StreamBatch(
            *(
                part.expand(len(answers), *part.shape[1:])
                for part in (source.values, source.observed, source.lengths, source.times)
            )
        )
        padded = torch.tensor(answers, dtype=torch.int64).reshape(len(answers), -1)
        ended += float(network.log_probability(many, padded).exp().sum())
    many = StreamBatch(
        *(
            part.expand(len(going), *part.shape[1:])
            for part in (source.values, source.observed, source.lengths, source.times)
        )
    )
    with torch.no_grad():
        logits, _ = network(many, torch.tensor(going))
    steps = logits[:, :-1].log_softmax(-1).gather(-1, torch.tensor(going)[..., None])
    assert ended + float(steps.sum((1, 2)).exp().sum()) == pytest.approx(1, abs=1e-5)


def test_weights_count_records() -> None:
    network = make()
    one, _, _ = network.loss(batch([[0, 1, 2]]))
    both, _, _ = network.loss(batch([[0, 1, 2], [1]]))
    weighted, _, _ = network.loss(batch([[0, 1, 2], [1]], torch.tensor([2.0, 0.0])))
    assert float(both.detach()) > float(one.detach())
    torch.testing.assert_close(weighted, 2 * one, atol=1e-5, rtol=1e-5)


def test_label_smoothing_acts_while_training_only() -> None:
    plain, smooth, given = make(), make(label_smoothing=0.3), batch([[0, 1, 2]])
    assert torch.equal(plain.loss(given)[0], smooth.loss(given)[0])
    assert not torch.equal(plain.train().loss(given)[0], smooth.train().loss(given)[0])


def test_own_symbols_are_read_in_training_once_it_has_gone_on() -> None:
    plain, own, given = make(), make(scheduled_sampling=0.9), batch([[0, 1, 2], [1, 0, 1]])
    assert torch.equal(plain.train().loss(given)[0], own.train().loss(given)[0])
    own.seen.fill_(RISE)
    assert not torch.equal(plain.train().loss(given)[0], own.train().loss(given)[0])
    assert torch.equal(plain.eval().loss(given)[0], own.eval().loss(given)[0])


def test_an_unknown_token_is_read_as_zeros() -> None:
    assert not make().encoder(stream(torch.zeros(1, 2, dtype=torch.int64), [2])).values.any()


def test_an_attention_that_there_is_not_is_refused() -> None:
    with pytest.raises(OptionError, match="There is no attention 'soft'"):
        make(attention="soft")
