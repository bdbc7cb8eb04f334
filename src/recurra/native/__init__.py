"""The compiled engine: recurrent layers over raw pointers, for whoever holds arrays.

Knows neither torch nor NumPy: `engine` takes addresses, strides and sizes, and checks none of them.
Where it was not built, as on a machine without a C++ compiler, `engine` is None and `missing` says
why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from recurra.errors import OptionError, near

__all__ = [
    "BFLOAT16",
    "BFLOAT16_TWICE",
    "ISAS",
    "engine",
    "instruction_set",
    "instruction_sets",
    "missing",
    "multiplies_bfloat16",
    "using",
]

engine: Any
missing: str
try:
    engine, missing = import_module("recurra.native._engine"), ""
except ImportError as error:
    engine, missing = None, f"the native engine is not there ({error})"

ISAS = ("baseline", "avx2", "avx512", "avx512_bf16", "amx", "amx_emulated")
"""Instruction sets the engine may be built for, the plainest first; the last for tests only."""

BFLOAT16 = 16
"""Added to a run's bytes of a float: its products may round to bfloat16 what they multiply."""

BFLOAT16_TWICE = 32
"""The same in two parts of bfloat16, an error of some 4e-6: forward only."""


def instruction_sets() -> dict[str, str]:
    """Say of each instruction set whether it can be used, and why not.

    Returns
    -------
    dict of str to str
        ``"can be used"``, ``"not built"``, ``"not on this processor"`` or, where AMX is there but
        computes something else than AVX512_BF16, ``"failed its self-test"``.

    Examples
    --------
    >>> list(instruction_sets())
    ['baseline', 'avx2', 'avx512', 'avx512_bf16', 'amx', 'amx_emulated']
    """
    if engine is None:
        return dict.fromkeys(ISAS, "not built")
    words = {
        (1, 1): "can be used",
        (1, 0): "not on this processor",
        (1, -1): "failed its self-test",
    }
    return {
        name: words.get(one, "not built") for name, one in zip(ISAS, engine.isas(), strict=True)
    }


def instruction_set() -> str | None:
    """Name the instruction set in use; None without an engine.

    Returns
    -------
    str or None
        One of `ISAS`.

    Examples
    --------
    >>> instruction_set() in (*ISAS, None)
    True
    """
    return None if engine is None else ISAS[engine.isa()]


def multiplies_bfloat16(*, twice: bool = False) -> bool:
    """Say whether the instruction set in use has products of bfloat16; without, `BFLOAT16` is idle.

    Parameters
    ----------
    twice : bool, default False
        Ask for products in two parts instead, for `BFLOAT16_TWICE`.

    Returns
    -------
    bool
        False without an engine too.

    Examples
    --------
    >>> with using("baseline"):
    ...     multiplies_bfloat16()
    False
    """
    tiles = ("amx", "amx_emulated")
    return instruction_set() in (tiles if twice else ("avx512_bf16", *tiles))


@contextmanager
def using(isa: str) -> Iterator[None]:
    """Use one instruction set inside a ``with`` block, in the whole process.

    Parameters
    ----------
    isa : str
        One of `ISAS`.

    Yields
    ------
    None
        Nothing: calls in the block take this instruction set.

    Raises
    ------
    OptionError
        If there is no such instruction set, or it cannot be used here.

    Notes
    -----
    What forward saved for backward can only be read by the same instruction set: go forward and
    back inside one block.

    Examples
    --------
    >>> with using("baseline"):
    ...     instruction_set() in ("baseline", None)
    True
    """
    if isa not in ISAS:
        raise OptionError(f"There is no instruction set {isa!r}. {near(isa, ISAS)}")
    said = instruction_sets()[isa]
    if engine is None or said != "can be used":
        raise OptionError(
            f"The instruction set {isa!r} is {said}. There are: {instruction_sets()}."
        )
    before = engine.isa()
    engine.set_isa(ISAS.index(isa))
    try:
        yield
    finally:
        engine.set_isa(before)
