"""The colours and markers of all figures; what is drawn without matplotlib takes them here."""

from __future__ import annotations

from collections.abc import Iterable

BLUE, ORANGE, GREEN, PINK = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
SKY, YELLOW, BLACK, GREY = "#56B4E9", "#E69F00", "#222222", "#8C8C8C"
"""The palette of Okabe and Ito, legible with every common colour blindness."""

CLOUD, INFEASIBLE, LIMIT = "#C9CDD2", "#B9806B", "#F3E3DC"

TEMPLATE_LOOKS = {
    "aimc": (ORANGE, "o"),
    "dimc": (BLUE, "s"),
    "digital_os": (GREEN, "^"),
    "digital_ws": (PINK, "D"),
    "eyeriss": (YELLOW, "v"),
}
SPARE_LOOKS = ((SKY, "P"), (BLACK, "X"), (YELLOW, "<"), (GREY, ">"))

PART_COLOURS = {
    "operational": BLUE,
    "fab_energy": ORANGE,
    "fab_gas": "#E98B4A",
    "fab_material": "#F6BE94",
    "package": GREY,
    "array": BLUE,
    "register": SKY,
    "sram": GREEN,
    "dram": PINK,
    "compute": BLUE,
    "stall": ORANGE,
    "loading": YELLOW,
}
SPARE_COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, YELLOW, GREY, BLACK)


def template_looks(templates: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return colour and marker of each template; unknown ones share out the spare looks.

    Examples
    --------
    >>> template_looks(["dimc", "mine"])["mine"]
    ('#56B4E9', 'P')
    """
    names = sorted(set(templates))
    strangers = [name for name in names if name not in TEMPLATE_LOOKS]
    spare = {name: SPARE_LOOKS[i % len(SPARE_LOOKS)] for i, name in enumerate(strangers)}
    return {name: TEMPLATE_LOOKS.get(name) or spare[name] for name in names}


def part_colours(parts: Iterable[str]) -> dict[str, str]:
    """Return a colour for each part of a breakdown, the same and in one order in every figure.

    Examples
    --------
    >>> list(part_colours(["dram", "cooling", "array"]))
    ['array', 'dram', 'cooling']
    """
    names = list(parts)
    known = [name for name in PART_COLOURS if name in names]
    strangers = [name for name in names if name not in PART_COLOURS]
    taken = {PART_COLOURS[name] for name in known}
    free = [colour for colour in SPARE_COLOURS if colour not in taken]
    spare = {name: free[i % len(free)] for i, name in enumerate(strangers)}
    return {name: PART_COLOURS.get(name) or spare[name] for name in [*known, *strangers]}
