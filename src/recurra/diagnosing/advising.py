"""What to do, in terms of the options that an estimator has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["Advising"]


class Advising:
    """Gives advice that names the options of the estimator at hand.

    Parameters
    ----------
    options : dict of str
        Its options, by name.

    Examples
    --------
    >>> Advising({"layer": "rnn"}).remember(24)
    'Use layer="lstm" or layer="gru".'
    >>> Advising({"layer": "gru", "memory": None}).remember(24)
    'Give memory=24, so that gates begin with memories of that length.'
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self.options = options
        self.layer = options.get("layer")
        self.has_memory = "memory" in options and self.layer in ("lstm", "gru", "grud")

    def remember(self, steps: int) -> str:
        """Say how to remember for so many steps.

        Parameters
        ----------
        steps : int
            How many.

        Returns
        -------
        str
            One sentence.
        """
        training = self.options.get("training")
        cut = getattr(training, "truncation", None)
        if cut is not None and cut < steps:
            return f"Lengthen the truncation: Training(truncation={steps})."
        if self.layer in ("rnn", "jordan"):
            also = f", with memory={steps}" if "memory" in self.options else ""
            return f'Use layer="lstm" or layer="gru"{also}.'
        if self.has_memory:
            return f"Give memory={steps}, so that gates begin with memories of that length."
        if "context" in self.options:
            return f"Give context={2 * steps}, so that a training window holds it twice."
        return (
            f"Begin with open gates (forget_bias=2, or recurra.layers.chrono(layer, {steps})), or "
            "train longer."
        )

    def keep(self, steps: int) -> str:
        """Say how a gate is to keep more, in records of so many steps."""
        if self.has_memory:
            return f"Fit again with memory={steps}: the gate then begins open."
        return "Begin with an open gate: forget_bias=1 or 2 of the layer, or layers.chrono(layer)."

    def steadier(self) -> str:
        """Say what keeps gradients from exploding."""
        gates = 'layer="lstm" or "gru"' if self.layer == "rnn" else "orthogonal recurrent weights"
        return f"Use {gates}, a lower learning_rate, or shorter gradients: Training(clip_norm=0.5)."

    def softer(self) -> str:
        """Say what keeps gates and units from their corners."""
        return (
            "Scale what is read (Scale() among the treatments), lower learning_rate, or add "
            "Training(weight_decay=0.01)."
        )

    def learn_more(self) -> str:
        """Say how to learn what is left."""
        return "Train for more steps, with more units (hidden_size), or with less dropout."

    def calibrate(self) -> str:
        """Say how probabilities come to mean what they say."""
        if "calibration" in self.options and self.options["calibration"] is None:
            return 'Use calibration="temperature", and hold records back: validation=0.15.'
        if "calibration" in self.options:
            return "Hold more records back (validation=0.15): the temperature is learned from them."
        return "Stop earlier, by records that are held back: validation=0.15."

    def slower(self, rate: float | None, hop: float) -> str:
        """Say which learning rate to try."""
        if rate is None:
            return "Lower learning_rate; find_learning_rate suggests one."
        tried = rate / max(10.0, hop / 0.03 if hop > 0 else 10.0)
        return f"Use Training(learning_rate={tried:.1g}); find_learning_rate suggests one."

    def wake(self) -> str:
        """Say what to do where nothing was learned."""
        return "Try the rate that find_learning_rate suggests, and look at the data: recurra.audit."

    def longer(self) -> str:
        """Say how to train on."""
        return "Train for more steps: Training(steps=…)."
