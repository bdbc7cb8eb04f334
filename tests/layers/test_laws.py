"""The laws, over every layer, every backend, both precisions."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
import torch

from recurra.kernels import backend
from recurra.kernels.stack import OPTIONS
from recurra.layers import Recurrent
from recurra.testing import LAWS, RaggedBatch
from recurra.testing.layers import neighbours_change_nothing, padding_changes_no_bit
from recurra.testing.strategies import over_ragged_batches


@pytest.mark.parametrize("chosen", ["best", "reference"])
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_layer_keeps_the_law(make, law, chosen):
    layer = make(dtype=torch.float64)

    def holds(batch: RaggedBatch) -> None:
        with backend("reference") if chosen == "reference" else nullcontext():
            law(layer, batch)

    over_ragged_batches(holds, 3, examples=6)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_every_layer_keeps_the_law_in_float32(make, law):
    layer = make()
    over_ragged_batches(lambda batch: law(layer, batch), 3, dtype=torch.float32, examples=6)


def test_the_laws_run_over_every_class_there_is(makers):
    assert {maker.func for maker in makers.values()} == set(Recurrent.__subclasses__())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_padding_changes_no_bit_of_what_chance_decides(make, dtype):
    layer = make(dtype=dtype).train()
    chances = {"recurrent_dropout": 0.3, "zoneout": 0.4, "zoneout_cell": 0.2}
    known = {name: one for name, one in chances.items() if layer.stack.cell in OPTIONS[name]}
    layer.stack = replace(layer.stack, dropout=0.5, **known)
    x = torch.randn(2, 5, 3, dtype=dtype)
    longer = torch.cat([x, torch.full((2, 3, 3), float("nan"), dtype=dtype)], dim=1)

    def read(values: torch.Tensor) -> list[torch.Tensor]:
        torch.manual_seed(1)
        values = values if layer.batch_first else values.transpose(0, 1)
        output, state = layer(values, lengths=[4, 2])
        output = output if layer.batch_first else output.transpose(0, 1)
        gradients = torch.autograd.grad(output.square().sum(), list(layer.parameters()))
        return [output[:, :5], *(state if isinstance(state, tuple) else (state,)), *gradients]

    assert all(map(torch.equal, read(longer), read(x)))


def test_long_records_keep_the_law(make):
    layer = make(dtype=torch.float64)
    chance = torch.Generator().manual_seed(2)
    values = torch.randn(5, 60, 3, generator=chance, dtype=torch.float64)
    batch = RaggedBatch(values, torch.tensor([37, 60, 0, 1, 37]))
    padding_changes_no_bit(layer, batch)
    neighbours_change_nothing(layer, batch)


def test_an_empty_piece_of_time_passes_the_state_on(make):
    layer = make()
    none = torch.zeros((2, 0, 3) if layer.batch_first else (0, 2, 3))
    state = layer.initial_state(2)
    output, after = layer(none, state)
    assert output.numel() == 0
    state, after = (one if isinstance(one, tuple) else (one,) for one in (state, after))
    assert all(map(torch.equal, state, after))


def test_inference_gives_what_training_gives(make):
    layer = make()
    x = torch.randn((2, 5, 3) if layer.batch_first else (5, 2, 3))
    trained, _ = layer(x, lengths=[5, 3])
    with torch.no_grad():
        inferred, _ = layer.eval()(x, lengths=[5, 3])
    torch.testing.assert_close(inferred, trained, rtol=0, atol=1e-6)
