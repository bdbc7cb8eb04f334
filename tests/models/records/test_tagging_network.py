"""Encoders of words and letters, and the network that labels each step."""

import pytest
import torch

from recurra import layers
from recurra.data import SequenceDataset, Spell, Vocabulary, from_tokens, pad_records
from recurra.errors import OptionError
from recurra.models import Answer, Input, NetworkPlan, RecordBatch, StreamBatch
from recurra.models.records.tagging_network import TaggingNetwork
from recurra.models.records.word_encoders import LetterEncoder, WordEncoder

SENTENCES = [["Aab", "b", "cab"], ["b"], ["cab", "Aab"], ["abc", "cab"]]
LABELS = [["x", "z", "x"], ["z"], ["x", None], ["x", "x"]]


def treated(sentences=SENTENCES, labels=LABELS) -> SequenceDataset:
    data = from_tokens(sentences, y=labels, target_for="step")
    spell, vocabulary = Spell(), Vocabulary()
    data = spell.apply(data, spell.learn(data))
    return vocabulary.apply(data, vocabulary.learn(data))


def batch_of(data, *places):
    return RecordBatch.of(pad_records(data, places))


def network(data, crf=False, **options):
    def read(stream):
        if stream.inner is not None:
            return Input("records", (), inner=read(stream.inner))
        return Input("tokens", stream.channels, {0: len(next(iter(stream.categories.values())))})

    inputs = {name: read(stream) for name, stream in data.streams.items()}
    answer = Answer("step", 1, 2, "text")
    plan = NetworkPlan(
        inputs, {"y": answer}, hidden_size=6, join="concatenate", pooling=("last",), **options
    )
    torch.manual_seed(0)
    return TaggingNetwork(plan, layers.LSTM, crf).eval()


def words(codes, lengths):
    values = torch.tensor(codes)[..., None]
    times = torch.zeros(values.shape[:2])
    return StreamBatch(
        values, torch.ones_like(values, dtype=torch.bool), torch.tensor(lengths), times
    )


def test_rare_words_are_hidden_while_training_and_never_after():
    encoder = WordEncoder(3, 4)
    encoder.counts.copy_(torch.tensor([0.0, 0.75, 1e9]))
    batch = words([[1, 2] * 2000], [4000])
    torch.manual_seed(0)
    encoder.train()
    unknown = (encoder(batch).values[0] == encoder.table.weight[0]).all(-1)
    assert abs(float(unknown[::2].float().mean()) - 0.25) < 0.03  # 0.25 / (0.25 + 0.75)
    assert not unknown[1::2].any()
    encoder.eval()
    assert not (encoder(batch).values[0] == encoder.table.weight[0]).all(-1).any()


def test_without_counts_no_word_is_hidden():
    encoder = WordEncoder(3, 4).train()
    assert (
        not (encoder(words([[1, 2] * 500], [1000])).values[0] == encoder.table.weight[0])
        .all(-1)
        .any()
    )


def test_dropped_units_are_the_same_at_all_steps_of_a_record():
    encoder = WordEncoder(2, 50, dropout=0.5).train()
    torch.manual_seed(0)
    dropped = encoder(words([[1] * 9, [1] * 9], [9, 9])).values == 0
    assert (dropped == dropped[:, :1]).all()
    assert 10 < dropped[0, 0].sum() < 40
    assert (dropped[0, 0] != dropped[1, 0]).any()


def test_a_word_is_read_by_its_own_letters_alone():
    data = treated()
    encoder = LetterEncoder(5, 4, 3)
    together = encoder(batch_of(data, 0, 1, 2, 3).streams["text:letters"]).values
    alone = encoder(batch_of(data, 2).streams["text:letters"]).values
    assert torch.allclose(together[2, :2], alone[0], atol=1e-6)
    assert torch.allclose(together[0, 0], together[2, 1], atol=1e-6)  # Aab in two sentences
    assert not together[1, 1:].any()


def test_letters_are_read_both_ways():
    data = treated([["ab", "ba", "aa"]], [["x", "z", "x"]])
    encoder = LetterEncoder(3, 4, 3)
    ab, ba, aa = encoder(batch_of(data, 0).streams["text:letters"]).values[0]
    assert (ab != ba).all()
    assert (ab != aa).all()


@pytest.mark.parametrize("crf", [False, True])
def test_the_loss_is_that_of_each_record_alone(crf):
    data = treated()
    model = network(data, crf)
    total, count, state = model.loss(batch_of(data, 0, 1, 2, 3))
    alone = [model.loss(batch_of(data, k))[:2] for k in range(4)]
    assert state is None
    assert count == sum(c for _, c in alone) == 7
    assert total.item() == pytest.approx(sum(t.item() for t, _ in alone), rel=1e-5)


def test_without_a_random_field_the_loss_is_the_cross_entropy():
    data = treated()
    model = network(data)
    batch = batch_of(data, 2)
    chances = model.probabilities(batch)[0]
    assert model.loss(batch)[0].item() == pytest.approx(-chances[0, 0].log().item(), rel=1e-5)


@pytest.mark.parametrize("crf", [False, True])
def test_weights_count_records(crf):
    data = treated()
    model = network(data, crf)
    batch = batch_of(data, 0, 1)
    heavy = RecordBatch(batch.streams, None, batch.targets, torch.tensor([2.0, 0.0]))
    assert model.loss(heavy)[0].item() == pytest.approx(
        2 * model.loss(batch_of(data, 0))[0].item(), rel=1e-5
    )


@pytest.mark.parametrize("crf", [False, True])
def test_it_judges_by_the_labels_it_would_say(crf):
    data = treated()
    model, batch = network(data, crf), batch_of(data, 0, 1, 2, 3)
    wrong, total, count = model.judge(batch)
    target, said = batch.targets["y"][..., 0], model.labels(batch)
    assert wrong == sum(
        int(s != t) for s, t in zip(said.ravel(), target.ravel(), strict=True) if t >= 0
    )
    assert (total, count) == model.loss(batch)[:2]


def test_there_is_one_answer_for_each_step():
    plan = NetworkPlan({"x": Input("values", ("a",))}, {"y": Answer()})
    with pytest.raises(OptionError, match="One answer, for each step"):
        TaggingNetwork(plan, layers.LSTM)
