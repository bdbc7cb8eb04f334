"""Text as tensors."""

import torch

from recurra.models import UNCOUNTED, LanguageBatch


def test_chunks_are_of_nearly_equal_length_and_leave_nothing_out():
    rows = torch.arange(2 * 12).view(2, 12)
    pieces = list(LanguageBatch.of(rows).chunks(5))
    assert [piece.codes.shape[1] for piece in pieces] == [4, 3, 4]
    assert torch.equal(torch.cat([piece.codes for piece in pieces], 1), rows[:, :-1])
    assert torch.equal(torch.cat([piece.targets for piece in pieces], 1), rows[:, 1:])


def test_padded_rows_count_their_own_steps_only():
    batch = LanguageBatch.padded([torch.tensor([7, 1, 2, 7]), torch.tensor([7, 7])])
    assert batch.targets.tolist() == [[1, 2, 7], [7, UNCOUNTED, UNCOUNTED]]
    assert [piece.lengths.tolist() for piece in batch.chunks(2)] == [[2, 1], [1, 0]]
