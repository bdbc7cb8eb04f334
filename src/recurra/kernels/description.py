"""What runs the layers on this machine, in words for people."""

from __future__ import annotations

import torch

from recurra.native import engine, instruction_set, instruction_sets, missing

__all__ = ["describe"]


def describe() -> str:
    """Say what runs recurrent layers here, and why.

    Returns
    -------
    str
        A few lines: the engine and its instruction set, the threads, the memory it keeps for the
        next call, and what runs where it cannot. For one input ask `recurra.kernels.choose`.

    Examples
    --------
    >>> print(describe())
    native: ...
    """
    if engine is None:
        first = f"native: no; {missing}. Torch's own kernels and the reference run instead."
        return "\n".join([first, *_others()])
    sets = instruction_sets()
    rest = "; ".join(f"{name} {said}" for name, said in sets.items() if name != instruction_set())
    return "\n".join(
        [
            f"native: the compiled engine, instruction set {instruction_set()} ({rest}).",
            f"threads: {torch.get_num_threads()}, as torch.set_num_threads says.",
            f"memory: {engine.kept() / 2**20:.1f} MiB kept for the next calls; "
            "recurra.native.engine.release() gives them back.",
            *_others(),
        ]
    )


def _others() -> list[str]:
    return [
        "aten: torch's own kernels, for what the engine does not know, and for GPUs.",
        "reference: the definitions in plain PyTorch, for the rest.",
    ]
