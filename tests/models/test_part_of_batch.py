"""Some rows of a batch, whatever the batch is made of."""

import torch

from recurra.models import Batch, Inputs, LanguageBatch
from recurra.models.rows.next_step_network import RowBatch


def drawn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def test_what_is_read_is_cut_like_all_else():
    inputs = Inputs(drawn(5, 3, 2), drawn(5, 3, 1), torch.zeros(5, 3, 0, dtype=torch.int64))
    batch = Batch(inputs, drawn(5, 3), drawn(5, 3), drawn(5, 3))
    part = batch.rows(1, 3)
    assert type(part) is Batch
    assert len(part) == 2
    assert torch.equal(part.scale, batch.scale[1:3])
    assert torch.equal(part.inputs.local, inputs.local[1:3])
    assert part.inputs.codes.shape == (2, 3, 0)


def test_what_is_not_there_is_not_there_in_a_part():
    text = LanguageBatch.of(torch.arange(12).view(3, 4))
    assert text.rows(0, 2).lengths is None
    measured = RowBatch(
        drawn(3, 2, 1), torch.ones(3, 2, 1, dtype=torch.bool), torch.tensor([2, 1, 2])
    )
    assert measured.rows(1, 3).weights is None
    assert measured.rows(1, 3).lengths.tolist() == [1, 2]


def test_a_part_is_the_same_memory():
    text = LanguageBatch.of(torch.arange(12).view(3, 4))
    text.rows(1, 2).codes.zero_()
    assert text.codes.tolist() == [[0, 1, 2], [0, 0, 0], [8, 9, 10]]


def test_rows_beyond_the_last_are_left_out():
    text = LanguageBatch.of(torch.arange(12).view(3, 4))
    assert len(text.rows(2, 9)) == 1
