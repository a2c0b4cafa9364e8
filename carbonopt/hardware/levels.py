"""What a memory hierarchy needs so that every operand can move through it."""

from __future__ import annotations

from carbonopt.errors import SpecError
from carbonopt.hardware.machine import OPERANDS, Direction, Memory, Operand
from carbonopt.spec.load import Document


def check_levels(document: Document, memories: tuple[Memory, ...]) -> None:
    """Refuse operands without a memory, and levels without a port that they need.

    Raises
    ------
    SpecError
        With every fault of the file.
    """
    faults = []
    for operand in OPERANDS:
        levels = [memory for memory in memories if operand in memory.ports]
        if not levels:
            faults.append(document.fault((), f"got no memory for {operand}, allowed: one or more"))
        for position, memory in enumerate(levels):
            needed = _needed(operand, top=position == len(levels) - 1)
            if missing := [each for each in needed if each not in memory.ports[operand]]:
                message = f"got no port for {operand} {', '.join(missing)}, allowed: one for each"
                faults.append(document.fault(("memories", memory.name), message))
    if faults:
        raise SpecError(faults)


def _needed(operand: Operand, *, top: bool) -> tuple[Direction, ...]:
    """Return the directions in which an operand moves at a level."""
    if operand != "O":
        return ("to_below",) if top else ("from_above", "to_below")
    down: tuple[Direction, ...] = ("from_below", "to_below")
    return down if top else (*down, "to_above", "from_above")
