"""What recurrent weights look like by themselves: their spectral radius, the bias of what keeps."""

from __future__ import annotations

import torch

from recurra.diagnosing.walking import Walk

__all__ = ["forget_bias", "spectral_radius"]


def spectral_radius(walk: Walk) -> float:
    r"""Give the largest modulus of an eigenvalue of what feeds a state back.

    .. math:: \rho(W) = \max_i |\lambda_i(W)|

    For a tanh network, gradients must vanish where the largest singular value is below 1, and can
    only explode where it is above (Pascanu et al. 2013, arXiv:1211.5063).

    Parameters
    ----------
    walk : Walk
        The layer, in one direction.

    Returns
    -------
    float
        Of ``weight_hh`` without gates; of the part that makes the candidate where there are gates;
        NaN where it is not square (projections, heads) or not finite.
    """
    weight = walk.weights.weight_hh
    rows, columns = weight.shape
    place = {"lstm": -2, "gru": -1}.get(walk.cell)
    if place is not None and rows % columns == 0 and rows > columns:
        weight = weight.split(columns)[place]
    if weight.shape[0] != weight.shape[1] or not bool(torch.isfinite(weight).all()):
        return float("nan")
    return float(torch.linalg.eigvals(weight).abs().max())


def forget_bias(walk: Walk) -> float:
    """Give the mean bias of the gate that keeps the state.

    Parameters
    ----------
    walk : Walk
        The layer, in one direction.

    Returns
    -------
    float
        Both biases added up; NaN for a layer that has none.
    """
    biases = [each for each in (walk.weights.bias_ih, walk.weights.bias_hh) if each is not None]
    size = walk.states[0][-1].shape[-1]
    if walk.keeps is None or not biases:
        return float("nan")
    both = torch.stack(biases).sum(0)
    place = 0 if walk.cell == "lstm" and len(both) == 3 * size else 1  # coupled gates
    return float(both[place * size : (place + 1) * size].mean())
