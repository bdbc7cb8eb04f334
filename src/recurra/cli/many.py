"""Options with several values after one flag: ``--level 80 95``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from typer.core import TyperCommand

from recurra.cli.options import LAYERS

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["ManyValues", "repeat_flags"]

NUMBER = r"[+-]?\d+(\.\d*)?"
VALUES = {"--level": NUMBER, "--season-length": NUMBER, "--layer": "|".join(LAYERS)}
"""What can be one more value of a flag, and nothing else: no file and no option."""


class ManyValues(TyperCommand):
    """A verb that reads ``--level 80 95`` as ``--level 80 --level 95``, and either alike."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the flags, then parse as ever.

        Parameters
        ----------
        ctx : typer.Context
            The call.
        args : list of str
            What follows the verb.

        Returns
        -------
        list of str
            What is left over.
        """
        several = {
            name for each in self.params if getattr(each, "multiple", False) for name in each.opts
        }
        return super().parse_args(ctx, repeat_flags(args, several))


def repeat_flags(arguments: Sequence[str], several: Collection[str]) -> list[str]:
    """Put the flag before each of its values.

    Parameters
    ----------
    arguments : sequence of str
        As the shell gave them.
    several : collection of str
        The flags that may be repeated.

    Returns
    -------
    list of str
        The same, with a flag for each value.

    Examples
    --------
    >>> repeat_flags(["--level", "80", "95", "sales.csv"], {"--level"})
    ['--level', '80', '--level', '95', 'sales.csv']
    """
    repeated: list[str] = []
    flag, has_value = "", False
    for place, argument in enumerate(arguments):
        if argument == "--":
            return [*repeated, *arguments[place:]]
        if argument.startswith("--"):
            flag, equals, _ = argument.partition("=")
            has_value = bool(equals)
        elif has_value and flag in several and re.fullmatch(VALUES.get(flag, "(?!)"), argument):
            repeated.append(flag)
        elif has_value:
            flag = ""
        else:
            has_value = True
        repeated.append(argument)
    return repeated
