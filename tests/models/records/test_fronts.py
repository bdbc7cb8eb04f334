"""Convolutions keep the contract of the encoders: causal, blind to padding, stepped alike."""

import pytest
import torch
from torch import Tensor

from recurra.errors import OptionError
from recurra.layers import GRU
from recurra.models import (
    Answer,
    Front,
    Input,
    NetworkPlan,
    RecordBatch,
    SequenceNetwork,
    StreamBatch,
)
from recurra.models.records.encoders import Encoded
from recurra.models.records.fronts import ConvolutionFront, StepNorm

LENGTHS = torch.tensor([9, 1, 0, 6])


def _front(stride: int = 1, kernels: tuple[int, ...] = (4, 3)) -> ConvolutionFront:
    torch.manual_seed(0)
    front = ConvolutionFront(2, (5, 3), kernels, stride)
    front(Encoded(torch.randn(8, 12, 2), torch.full((8,), 12)))  # norms that have seen something
    return front


def _padded(values: Tensor, more: int, junk: float) -> Tensor:
    valid = torch.arange(values.shape[1]) < LENGTHS[:, None]
    values = torch.where(valid[..., None], values, junk)
    return torch.cat([values, torch.full((len(values), more, values.shape[2]), junk)], 1)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("junk", [7.0, float("nan")])
def test_padding_and_its_content_change_no_output_and_no_gradient(training, stride, junk):
    values, weights = torch.randn(4, 9, 2), torch.randn(4, 9, 3)
    found = []
    for given in (values, _padded(values, 5, junk)):
        front = _front(stride).train(training)
        read = given.clone().requires_grad_()
        out, lengths = front(Encoded(read, LENGTHS))
        assert lengths.tolist() == [-(-n // stride) for n in LENGTHS.tolist()]
        real = int(lengths.max())
        assert (out[:, real:] == 0).all()
        (out[:, :real] * weights[:, :real]).sum().backward()
        norm = front.norms[0]
        found.append(
            [out[:, :real], read.grad[:, :9], front.weights[0].grad, norm.running_mean.clone()]
        )
    for plain, padded in zip(*found, strict=True):
        torch.testing.assert_close(padded, plain, rtol=1e-5, atol=1e-6)


def test_padding_has_no_gradient():
    read = torch.randn(4, 12, 2, requires_grad=True)
    _front().train()(Encoded(read, LENGTHS)).values.square().sum().backward()
    for grad, length in zip(read.grad, LENGTHS, strict=True):
        assert (grad[length:] == 0).all()
        assert length == 0 or (grad[:length] != 0).any()


def test_at_evaluation_a_record_is_read_alone_as_among_others():
    front, values = _front().eval(), torch.randn(4, 9, 2)
    whole = front(Encoded(values, LENGTHS)).values
    for row, length in enumerate(LENGTHS.tolist()):
        alone = front(Encoded(values[row : row + 1, :length], LENGTHS[row : row + 1])).values
        torch.testing.assert_close(alone[0], whole[row, :length], rtol=0, atol=1e-6)


def test_the_future_does_not_touch_the_past():
    front, values = _front().eval(), torch.randn(1, 9, 2)
    later = values.clone()
    later[:, 6:] += 3.0
    first, second = (front(Encoded(each, torch.tensor([9]))).values for each in (values, later))
    assert torch.equal(first[:, :6], second[:, :6])
    assert not torch.equal(first[:, 6], second[:, 6])


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_going_step_by_step_gives_the_whole_pass(stride):
    front, values = _front(stride).eval(), torch.randn(3, 10, 2)
    whole = front(Encoded(values, torch.full((3,), 10))).values
    state, outputs = None, []
    for t in range(10):
        output, state = front.step(values[:, t], state)
        assert (output is None) == (t % stride > 0)
        outputs += [output] if output is not None else []
    torch.testing.assert_close(torch.stack(outputs, 1), whole, rtol=0, atol=1e-6)


def test_a_norm_counts_real_steps_only():
    norm, values = StepNorm(2).train(), torch.randn(4, 9, 2)
    real = torch.cat([values[row, :n] for row, n in enumerate(LENGTHS.tolist())])
    out = norm(values, LENGTHS)
    scaled = (real - real.mean(0)) / (real.var(0, unbiased=False) + norm.eps).sqrt()
    torch.testing.assert_close(out[0], scaled[:9], rtol=0, atol=1e-5)
    torch.testing.assert_close(norm.running_mean, real.mean(0), rtol=0, atol=1e-6)


def test_a_norm_knows_the_data_from_the_first_batches_on():
    norm, first, second = StepNorm(1), torch.randn(50, 4, 1) + 5, torch.randn(50, 4, 1) + 7
    for batch in (first, second):
        norm.train()(batch, torch.full((50,), 4))
    mean = (first.mean() + second.mean()) / 2
    torch.testing.assert_close(norm.running_mean[0], mean, rtol=0, atol=1e-5)
    assert norm.eval()(second, torch.full((50,), 4)).mean().abs() < 1.5


def test_a_single_step_is_normalised_by_what_was_seen_before():
    norm = StepNorm(1).train()
    out = norm(torch.tensor([[[5.0]]]), torch.tensor([1]))
    torch.testing.assert_close(out, torch.tensor([[[5.0]]]), rtol=1e-4, atol=0)
    assert float(norm.running_mean) == 0.0


def test_records_without_steps_give_none():
    out = _front()(Encoded(torch.zeros(2, 0, 2), torch.zeros(2, dtype=torch.int64)))
    assert out.values.shape == (2, 0, 3)


def test_widths_and_kernels_that_do_not_match_are_refused():
    with pytest.raises(OptionError, match="one kernel for each width"):
        ConvolutionFront(2, (4, 4), (3,))
    with pytest.raises(OptionError, match="1 or more"):
        ConvolutionFront(2, (4,), (3,), stride=0)


# ---------------------------------------------------------------------- in the network


def _stream(time: int = 9) -> StreamBatch:
    torch.manual_seed(1)
    seen = (torch.arange(time) < LENGTHS[:, None])[..., None].expand(-1, -1, 2)
    values = torch.where(seen, torch.randn(4, time, 2), 0.0)
    return StreamBatch(values, seen, LENGTHS, torch.arange(time).repeat(4, 1) * 1.0)


def _network(front: Front, skip: bool = True, level: str = "record") -> SequenceNetwork:
    torch.manual_seed(0)
    answers = {"y": Answer(level, classes=3, stream="x" if level == "step" else None)}
    plan = NetworkPlan(
        {"x": Input("values", ("a", "b"))}, answers, hidden_size=4, fronts={"x": front}, skip=skip
    )
    return SequenceNetwork(plan, GRU)


SMALL = Front((5, 3), (4, 3))


@pytest.mark.parametrize("beside", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_padding_changes_no_answer_and_no_gradient_of_a_network_with_a_front(beside, training):
    stream, found = _stream(), []
    more = torch.full((4, 3, 2), 7.0)
    longer = StreamBatch(
        torch.cat([stream.values, more], 1),
        torch.cat([stream.observed, more < 0], 1),
        LENGTHS,
        torch.cat([stream.times, more[..., 0]], 1),
    )
    for each in (stream, longer):
        network = _network(Front((5, 3), (4, 3), beside=beside)).train(training)
        answer = network(RecordBatch({"x": each}, None, {}))["y"]
        answer.square().sum().backward()
        found.append([answer, *(p.grad for p in network.parameters())])
    for short, long in zip(*found, strict=True):
        torch.testing.assert_close(long, short, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("beside", [True, False])
def test_a_head_that_skips_reads_what_the_front_found(beside):
    network = _network(Front((5, 3), (4, 3), beside=beside)).eval()
    assert network.heads[0].in_features == 3 * 4 + 2 * 3
    for layer in network.layers:  # the recurrent layer says nothing
        for weight in layer.parameters():
            torch.nn.init.zeros_(weight)
    answer = network(RecordBatch({"x": _stream()}, None, {}))["y"]
    assert not torch.equal(answer[0], answer[3])


def test_a_layer_beside_its_front_reads_the_encoder():
    before, beside = _network(SMALL), _network(Front((5, 3), (4, 3), beside=True), skip=False)
    assert before.layers[0].input_size == 3
    assert beside.layers[0].input_size == 2
    assert beside.heads[0].in_features == 3 * 4 + 2 * 3


def test_a_skip_without_a_front_reads_the_encoder():
    plan = NetworkPlan(
        {"x": Input("values", ("a", "b"))}, {"y": Answer()}, hidden_size=4, skip=True
    )
    network = SequenceNetwork(plan, GRU)
    assert network.heads[0].in_features == 3 * 4 + 2 * 2
    assert network(RecordBatch({"x": _stream()}, None, {}))["y"].isfinite().all()


def test_a_stride_is_refused_where_each_step_has_an_answer():
    _network(SMALL, level="step")
    with pytest.raises(OptionError, match="answer for each of its steps"):
        _network(Front((5, 3), (4, 3), stride=2), level="step")


def test_a_front_for_a_stream_that_is_not_there_is_refused():
    plan = NetworkPlan({"x": Input("values", ("a",))}, {"y": Answer()}, fronts={"z": SMALL})
    with pytest.raises(OptionError, match="front for 'z'"):
        SequenceNetwork(plan, GRU)
