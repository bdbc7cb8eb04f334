"""A linear-chain conditional random field: labels of a sequence that depend on their neighbours."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recurra.errors import OptionError, ShapeError

__all__ = ["CRF"]

FORBIDDEN = -1e30  # a score that no other can outweigh; its gradient is 0, not NaN as that of -inf


class CRF(nn.Module):
    r"""Scores whole sequences of labels: what each step says, and what follows what.

    .. math:: s(x, y) = a_{y_1} + \sum_t e_{t, y_t} + \sum_{t > 1} A_{y_{t-1}, y_t} + b_{y_T},
              \qquad p(y \mid x) = \exp s(x, y) \Big/ \sum_{y'} \exp s(x, y')

    The sum over all sequences is taken by the forward algorithm, in time linear in the steps
    (Lafferty et al., ICML 2001; on top of a recurrent network: Huang et al. 2015,
    arXiv:1508.01991). Records of a batch may differ in length: what stands beyond is never felt,
    and a record without steps has one sequence, the empty one.

    Parameters
    ----------
    classes : int
        How many labels there are.

    Attributes
    ----------
    transitions : Parameter, shape (classes, classes)
        What it scores that a label (row) is followed by another (column).
    first, last : Parameter, shape (classes,)
        What it scores that a sequence begins, and ends, with a label.

    Examples
    --------
    >>> crf = CRF(2)
    >>> emissions, lengths = torch.tensor([[[2.0, 0.0], [0.0, 3.0], [9.0, 9.0]]]), torch.tensor([2])
    >>> crf.best(emissions, lengths)
    tensor([[ 0,  1, -1]])
    >>> crf.marginals(emissions, lengths)[0, 0]
    tensor([0.8808, 0.1192])
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        if not isinstance(classes, int) or classes < 1:
            raise OptionError(f"classes={classes!r}, but there must be one label at least.")
        self.classes = classes
        self.transitions = nn.Parameter(torch.zeros(classes, classes))
        self.first = nn.Parameter(torch.zeros(classes))
        self.last = nn.Parameter(torch.zeros(classes))

    def log_likelihood(self, emissions: Tensor, labels: Tensor, lengths: Tensor) -> Tensor:
        """Say how probable the labels of each record are.

        Parameters
        ----------
        emissions : Tensor, shape (batch, time, classes)
            What each step says for each label; anything on padding.
        labels : Tensor of int64, shape (batch, time)
            The labels; -1 where unknown: the sum goes over all that may stand there.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch,)
            The logarithm of the probability, in nats; 0 where nothing is known.

        Raises
        ------
        ShapeError
            If shapes do not go together.
        """
        self._check(emissions, lengths)
        if labels.shape != emissions.shape[:2]:
            shapes = f"labels have shape {tuple(labels.shape)}, emissions {tuple(emissions.shape)}"
            raise ShapeError(f"{shapes}, but (batch, time) and (batch, time, classes) are read.")
        every = torch.arange(self.classes, device=labels.device)
        allowed = (labels[..., None] < 0) | (labels[..., None] == every)
        emissions = self._real(emissions, lengths)
        agreeing = torch.where(allowed, emissions, FORBIDDEN)
        return self._log_sum(agreeing, lengths) - self._log_sum(emissions, lengths)

    def log_partition(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Add up all sequences of labels that a record may have.

        Parameters
        ----------
        emissions : Tensor, shape (batch, time, classes)
            What each step says for each label.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch,)
            The logarithm of the sum of their exponentiated scores.
        """
        self._check(emissions, lengths)
        return self._log_sum(self._real(emissions, lengths), lengths)

    @torch.no_grad()
    def best(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Find the most probable sequence of each record, by the Viterbi algorithm.

        Parameters
        ----------
        emissions : Tensor, shape (batch, time, classes)
            What each step says for each label.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor of int64, shape (batch, time)
            Its labels, -1 on padding.
        """
        self._check(emissions, lengths)
        emissions = self._real(emissions, lengths)
        batch, time, _ = emissions.shape
        found = torch.full((batch, time), -1, device=emissions.device)
        if not time:
            return found
        score, before = self.first + emissions[:, 0], []
        for step in range(1, time):
            higher, whence = (score[:, :, None] + self.transitions).max(1)
            real = (step < lengths)[:, None]
            score = torch.where(real, higher + emissions[:, step], score)
            before.append(whence)
        label = (score + self.last).argmax(1)
        for step in range(time - 1, -1, -1):
            real = step < lengths
            found[real, step] = label[real]
            if step:
                label = torch.where(real, before[step - 1].gather(1, label[:, None])[:, 0], label)
        return found

    def marginals(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        r"""Say how probable each label is at each step, whatever the others are.

        .. math:: p(y_t = k \mid x) = \partial \log Z / \partial e_{t, k}

        which is what the forward-backward algorithm computes (Eisner 2016,
        doi:10.18653/v1/W16-5901).

        Parameters
        ----------
        emissions : Tensor, shape (batch, time, classes)
            What each step says for each label.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.

        Returns
        -------
        Tensor, shape (batch, time, classes)
            Of sum 1 at each step, and zeros on padding; without a gradient.
        """
        if not emissions.shape[1]:
            return torch.zeros_like(emissions)
        with torch.enable_grad():
            read = emissions.detach().requires_grad_()
            (found,) = torch.autograd.grad(self.log_partition(read, lengths).sum(), read)
        return found

    def log_odds(self, emissions: Tensor, lengths: Tensor, step: int, label: int) -> Tensor:
        r"""Say how much more probable a label is at a step than all others there.

        .. math:: \log \frac{p(y_t = k \mid x)}{1 - p(y_t = k \mid x)}

        Parameters
        ----------
        emissions : Tensor, shape (batch, time, classes)
            What each step says for each label.
        lengths : Tensor of int64, shape (batch,)
            Real steps of each record.
        step, label : int
            The step, which every record has, and the label.

        Returns
        -------
        Tensor, shape (batch,)
            The log odds of the marginal, with a gradient.
        """
        one = torch.zeros(emissions.shape[1:], dtype=torch.bool, device=emissions.device)
        one[step, label] = True
        others = torch.zeros_like(one)
        others[step] = ~one[step]
        parted = [torch.where(barred, FORBIDDEN, emissions) for barred in (others, one)]
        with_it, without = (self.log_partition(each, lengths) for each in parted)
        return with_it - without

    def _log_sum(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Run the forward algorithm; a record that has ended keeps its sums.

        The highest sum is taken out at each step: the small differences between labels, of which
        gradients are made, do not drown in what has been added up over thousands of steps.
        """
        height = emissions.new_zeros(len(emissions))
        if not emissions.shape[1]:
            return height
        sums = self.first + emissions[:, 0]
        for step in range(1, emissions.shape[1]):
            real = step < lengths
            peak = torch.where(real, sums.detach().amax(1), 0.0)
            sums, height = sums - peak[:, None], height + peak
            on = torch.logsumexp(sums[:, :, None] + self.transitions, 1) + emissions[:, step]
            sums = torch.where(real[:, None], on, sums)
        return torch.where(lengths > 0, torch.logsumexp(sums + self.last, 1) + height, 0.0)

    def _real(self, emissions: Tensor, lengths: Tensor) -> Tensor:
        """Put zeros on padding, whatever it holds."""
        steps = torch.arange(emissions.shape[1], device=lengths.device)
        return torch.where((steps < lengths[:, None])[..., None], emissions, 0.0)

    def _check(self, emissions: Tensor, lengths: Tensor) -> None:
        shape = tuple(emissions.shape)
        if emissions.dim() != 3 or shape[2] != self.classes:
            raise ShapeError(
                f"emissions has shape {shape}, but (batch, time, {self.classes}) is read."
            )
        if lengths.shape != shape[:1]:
            message = f"lengths has shape {tuple(lengths.shape)}"
            raise ShapeError(f"{message}, but there are {shape[0]} records. Give one for each.")
