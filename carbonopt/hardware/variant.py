"""Named sets of model switches: CarbonSpot's choices and ours."""

from __future__ import annotations

from dataclasses import dataclass

from carbonopt.errors import SpecError


@dataclass(frozen=True)
class ModelVariant:
    """Where our hardware and latency models part from CarbonSpot's.

    Parameters
    ----------
    name
        ``carbonspot`` or ``default``.
    product_of_precisions
        Weight-stationary adder trees as wide as the product (64 bit) of the precisions instead
        of their sum (16 bit), and one tree per row instead of one per column.
    every_register
        In-memory macros: area of all input and output registers instead of one of each.
        Digital arrays: no register area beside the PE, whose measured area contains them.
    loading_in_latency
        Latency contains the first loads and the last store of each layer; the first weights of
        an in-memory macro count once, as weight loading.
    kernel_axes_swapped
        Kernel height unrolled along the width of the feature map, and the other way round.
    pointwise_rows_shared
        In-memory macros: output positions along the columns take extra rows only where a kernel
        is unrolled along the rows, as if 1 x 1 kernels could share their inputs.
    trees_of_fractions
        Digital adder trees: energy of the mean number of active inputs, which may be fractional,
        instead of the mean energy over passes with whole numbers of them.

    References
    ----------
    .. [1] CarbonSpot, expr.py and zigzag/classes at commit 0839b49: defects 4, 5, 7, 8, 18 of
       docs/validation.md.
    """

    name: str
    product_of_precisions: bool
    every_register: bool
    loading_in_latency: bool
    kernel_axes_swapped: bool
    pointwise_rows_shared: bool
    trees_of_fractions: bool


_VARIANTS = {
    "carbonspot": ModelVariant("carbonspot", True, False, False, True, True, True),
    "default": ModelVariant("default", False, True, True, False, False, False),
}


def load_variant(name: str) -> ModelVariant:
    """Return the model switches called `name`.

    Raises
    ------
    SpecError
        If there is no such variant.

    Examples
    --------
    >>> load_variant("default").kernel_axes_swapped
    False
    """
    if name not in _VARIANTS:
        message = f"model variant: got {name!r}, allowed: {', '.join(_VARIANTS)}"
        raise SpecError(message)
    return _VARIANTS[name]
