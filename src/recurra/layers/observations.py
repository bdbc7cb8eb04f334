"""What is known of each channel where values are missing: the last value, and how old it is."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["Sighting", "look_back"]


class Sighting(NamedTuple):
    """The last observation of each channel of each record.

    Parameters
    ----------
    value : Tensor, shape (batch, inputs)
        Its value; where there was none, what stands in for it.
    time : Tensor of float64, shape (batch, inputs)
        Its time; where there was none, the time of the record's first step.
    steps : Tensor of float64, shape (batch, 1)
        How many steps the record has had; at 0 ``time`` says nothing yet.
    """

    value: Tensor
    time: Tensor
    steps: Tensor


def look_back(
    x: Tensor, observed: Tensor, times: Tensor, real: Tensor, before: Sighting
) -> tuple[Tensor, Tensor, Sighting]:
    """Find, at each step, the last value of each channel and the time since it was observed.

    ::

        value_t = x_t where observed, else value_{t-1}
        elapsed_t = s_t - time of the last observation before t          (Che et al., 2018: δ_t)

    The present observation does not count for ``elapsed``. Where a channel has not been observed
    before, the time since the record's first step takes the place.

    Parameters
    ----------
    x : Tensor, shape (time, batch, inputs)
        The values; anything where they are not observed.
    observed : Tensor of bool, shape (time, batch, inputs)
        Which values there are; none beyond a record's length.
    times : Tensor of float64, shape (time, batch)
        The time s_t of each step.
    real : Tensor of bool, shape (time, batch)
        Which steps are real.
    before : Sighting
        What was known before the first step.

    Returns
    -------
    value : Tensor, shape (time, batch, inputs)
        The last observed value, the present one included.
    elapsed : Tensor of float64, shape (time, batch, inputs)
        The time since the last observation, the present one excluded.
    after : Sighting
        What is known after each record's own last step.

    Examples
    --------
    One record, one channel, read at the times 0, 2, 5 and 6:

    >>> x = torch.tensor([3.0, 0.0, 7.0, 0.0]).reshape(4, 1, 1)
    >>> nothing = Sighting(torch.zeros(1, 1), *torch.zeros(2, 1, 1, dtype=torch.float64))
    >>> times = torch.tensor([[0.0], [2], [5], [6]], dtype=torch.float64)
    >>> value, elapsed, after = look_back(x, x != 0, times, times >= 0, nothing)
    >>> value.flatten(), elapsed.flatten()
    (tensor([3., 3., 7., 7.]), tensor([0., 2., 5., 1.], dtype=torch.float64))
    >>> after.time
    tensor([[5.]], dtype=torch.float64)
    """
    origin = torch.where(before.steps > 0, before.time, times[0, :, None])
    # Where the last observation stands: 0 is before the first step, t + 1 is step t.
    number = torch.arange(1, len(x) + 1, device=x.device, dtype=torch.int32)
    place = _running_maximum(observed * number[:, None, None]).long()
    earlier = torch.cat([torch.zeros_like(place[:1]), place[:-1]])
    value = torch.cat([before.value[None], x]).gather(0, place)
    clock = times[:, :, None].expand(x.shape)
    seen = torch.cat([origin[None], clock])
    elapsed = clock - seen.gather(0, earlier)
    last = seen.gather(0, place[-1:])[0]
    counts = real.sum(0)[:, None]
    time = torch.where(counts > 0, last, before.time)
    return value, elapsed, Sighting(value[-1], time, before.steps + counts)


def _running_maximum(numbers: Tensor) -> Tensor:
    """The largest number so far along the first axis: as cummax, by doubling, which is faster."""
    seen = 1
    while seen < len(numbers):
        later = torch.maximum(numbers[seen:], numbers[:-seen])
        numbers = torch.cat([numbers[:seen], later])
        seen *= 2
    return numbers
