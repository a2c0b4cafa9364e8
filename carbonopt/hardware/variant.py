"""Named sets of model switches: the choices of CarbonSpot, of ZigZag, and ours."""

from __future__ import annotations

from dataclasses import dataclass

from carbonopt.errors import SpecError


@dataclass(frozen=True)
class ModelVariant:
    """Where our hardware and cost models part from those of CarbonSpot and ZigZag.

    Parameters
    ----------
    name
        ``carbonspot``, ``zigzag`` or ``default``.
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
    unit_stride_rows
        Output positions along the columns spread kernels over the rows as if stride and
        dilation were 1.
    room_counted_twice
        A memory keeps all weights if they fit beside the activations of some layer, and each
        layer's activations as if no weights were there; DRAM holds whatever is asked of it.
        Otherwise weights stay only beside the largest activations that fit, and count.
    batch_off_rows
        Output-stationary arrays: no batch along the rows, so that matrix products fill one.
    free_activation_products
        Digital adder trees: no energy for products of two activations.
    outputs_double_buffered
        Outputs too may be double-buffered where a memory has room for a second tile.
    inputs_before_weights
        In matrix products, inputs claim the room for a second tile before weights do.
    whole_units_down
        Where the passes fill a broken number of units on average, latency counts its whole
        part instead of the next whole number.
    whole_positions
        Inputs under a broken number of output or kernel positions count its whole part.
    whole_accesses
        Word accesses of a transfer count their whole part.
    overlapped_loading
        First loads and last stores that happen once use port time that computing leaves free;
        of several boundaries where one side shares its port, the outermost one counts.
    macros_wait_for_ports
        In-memory macros wait for their ports as other arrays do, instead of one cycle per row
        of new weights.
    macro_form
        Published form of the in-memory-computing macro of a template, see
        `carbonopt.hardware.imc.MacroForm`.

    References
    ----------
    .. [1] CarbonSpot, expr.py and zigzag/classes at commit 0839b49; docs/validation/carbonspot.md
       lists the differences with their sizes.
    .. [2] zigzag-dse 3.9.1, cost_model/cost_model.py, mapping/mapping.py,
       stages/mapping/spatial_mapping_conversion.py, hardware/architecture/imc_array.py.
    """

    name: str
    product_of_precisions: bool
    every_register: bool
    loading_in_latency: bool
    kernel_axes_swapped: bool
    pointwise_rows_shared: bool
    trees_of_fractions: bool
    unit_stride_rows: bool
    room_counted_twice: bool
    batch_off_rows: bool
    free_activation_products: bool
    macro_form: str
    outputs_double_buffered: bool = False
    inputs_before_weights: bool = False
    whole_units_down: bool = False
    whole_positions: bool = False
    whole_accesses: bool = False
    overlapped_loading: bool = False
    macros_wait_for_ports: bool = False


_VARIANTS = {
    "carbonspot": ModelVariant(
        name="carbonspot",
        product_of_precisions=True,
        every_register=False,
        loading_in_latency=False,
        kernel_axes_swapped=True,
        pointwise_rows_shared=True,
        trees_of_fractions=True,
        unit_stride_rows=True,
        room_counted_twice=True,
        batch_off_rows=True,
        free_activation_products=True,
        macro_form="zigzag-imc",
    ),
    "default": ModelVariant(
        name="default",
        product_of_precisions=False,
        every_register=True,
        loading_in_latency=True,
        kernel_axes_swapped=False,
        pointwise_rows_shared=False,
        trees_of_fractions=False,
        unit_stride_rows=False,
        room_counted_twice=False,
        batch_off_rows=False,
        free_activation_products=False,
        macro_form="default",
    ),
    "zigzag": ModelVariant(
        name="zigzag",
        product_of_precisions=False,
        every_register=True,
        loading_in_latency=True,
        kernel_axes_swapped=False,
        pointwise_rows_shared=True,
        trees_of_fractions=False,
        unit_stride_rows=True,
        room_counted_twice=True,
        batch_off_rows=False,
        free_activation_products=False,
        macro_form="zigzag",
        outputs_double_buffered=True,
        inputs_before_weights=True,
        whole_units_down=True,
        whole_positions=True,
        whole_accesses=True,
        overlapped_loading=True,
        macros_wait_for_ports=True,
    ),
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
