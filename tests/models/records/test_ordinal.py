"""The ordinal head: probabilities that sum to one, and shift with one number."""

import pytest
import torch

from recurra.models.records.ordinal import OrdinalHead


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_probabilities_are_those_of_the_cumulative_model(classes):
    torch.manual_seed(0)
    head = OrdinalHead(5, 2, classes).double()
    read = 3 * torch.randn(4, 5, dtype=torch.float64)
    chances = head(read).exp().unflatten(-1, (2, classes))
    torch.testing.assert_close(chances.sum(-1), torch.ones(4, 2, dtype=torch.float64))
    rises = torch.cat([head.lowest, torch.nn.functional.softplus(head.gaps)], -1).cumsum(-1)
    below = torch.sigmoid(rises - head.score(read)[..., None])
    torch.testing.assert_close(chances.cumsum(-1)[..., :-1], below)


def test_at_first_every_label_is_as_probable():
    chances = OrdinalHead(3, 1, 5)(torch.zeros(1, 3)).exp()
    torch.testing.assert_close(chances, torch.full((1, 5), 0.2))


def test_gradients_are_right():
    torch.manual_seed(0)
    head = OrdinalHead(3, 1, 4).double()
    read = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(head, read)
