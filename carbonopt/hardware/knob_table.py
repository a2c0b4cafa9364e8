"""What a designer can choose: the knobs of the templates, their units, defaults and ranges."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache

from carbonopt.data.tables import load_facts
from carbonopt.hardware.cacti import sram_rows_range
from carbonopt.hardware.nvm import cell_names
from carbonopt.hardware.technology import load_technology

MACROS = ("dimc", "aimc")
ANALOG = ("aimc",)
ROW_STATIONARY = ("eyeriss",)
DIGITAL = ("digital",)
_SUFFIX = {"byte": "byte", "nm": "nm", "V": "v", "byte/s": "byte_per_s"}
_FASTEST = 1e18  # byte/s: beyond any port; from 1 byte/s, so that times stay numbers


@dataclass(frozen=True)
class Knob:
    """One thing to choose.

    Parameters
    ----------
    name, meaning
        As in ``--set name=value``, and what it is.
    unit
        Canonical unit, '' for counts, shares and words.
    default
        Value where it is not given; none where it must be given or follows from others.
    low, high
        Smallest and largest value, both allowed; an infinite `high` stands for all above 0.
    whole
        Whole numbers only.
    words
        Allowed words, for knobs that are no numbers.
    kinds
        Kinds of template that have it; every template where there are none.
    required
        Must be given.
    """

    name: str
    meaning: str
    unit: str = ""
    default: float | str | None = None
    low: float = 1.0
    high: float = math.inf
    whole: bool = False
    words: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    required: bool = False

    @property
    def column(self) -> str:
        """Name with its unit, as in problem files and tables.

        Examples
        --------
        >>> Knob("supply", "of the macro", "V").column
        'supply_v'
        """
        return f"{self.name}_{_SUFFIX[self.unit]}" if self.unit else self.name

    @property
    def allowed(self) -> str:
        """What it can be, in words.

        Examples
        --------
        >>> Knob("adc", "", words=("fitted", "survey")).allowed
        'fitted, survey'
        >>> Knob("supply", "", "V", low=0.6, high=1.2).allowed
        '0.6 to 1.2 V'
        """
        if self.words:
            return ", ".join(self.words)
        if math.isinf(self.high):
            return "> 0"
        numbers = "whole numbers from " if self.whole else ""
        high = f"{self.high:.0f}" if self.whole else f"{self.high:g}"
        return f"{numbers}{self.low:g} to {high} {self.unit}".rstrip()

    def holds(self, value: float | str) -> bool:
        """Whether it can take a value, in its canonical unit."""
        if self.words or isinstance(value, str):
            return value in self.words
        if math.isinf(self.high):
            return 0 < value < math.inf
        return self.low <= value <= self.high and (not self.whole or float(value).is_integer())


@dataclass(frozen=True)
class MacroOptions:
    """What can be chosen of in-memory macros beside their size, and node and supply of all arrays.

    Fields are columns of `knob_table`.

    The defaults are the macro of CarbonSpot: SRAM cells, gates of the technology table that
    switch in every cycle, one ADC per bit column, no pipeline, weights written while the array
    stands still. Without a node the gates are those of the table, and a scenario says where the
    die is made.
    """

    group_depth: int = 1
    bits_per_cycle: int | None = None
    stages: int = 1
    input_toggle: float = 1.0
    weight_density: float = 1.0
    flipflop_activity: float = 1.0
    node_nm: float | None = None
    supply_v: float = field(default_factory=lambda: float(load_technology().supply_v))
    cell: str = "sram"
    adc: str = "fitted"
    adc_bits: float | None = None
    adc_share: int = 1
    loading: str = "stopped"
    sram_bandwidth_byte_per_s: float | None = None
    dram_bandwidth_byte_per_s: float | None = None
    leakage: str = "sram"

    @property
    def given(self) -> dict[str, float | str]:
        """Columns that are not at their default."""
        return _given(self)


def _chip(name: str) -> int:
    """Return a whole number of the Eyeriss chip."""
    return int(load_facts("eyeriss_chip.csv")[name])


@dataclass(frozen=True)
class RowStationaryOptions:
    """What can be chosen of a row-stationary array beside its size; the defaults are the chip.

    Fields are columns of `knob_table`.
    """

    weight_words: int = field(default_factory=lambda: _chip("weight_words"))
    input_words: int = field(default_factory=lambda: _chip("input_words"))
    psum_words: int = field(default_factory=lambda: _chip("psum_words"))
    weight_word_bits: int = field(default_factory=lambda: _chip("word_bits"))
    data_word_bits: int = field(default_factory=lambda: _chip("word_bits"))
    bus_words: int = field(default_factory=lambda: _chip("bus_words"))
    gating: str = "on"
    compression: str = "rlc"
    control: str = "measured"
    mappings: str = "any"


def _given(options: MacroOptions | RowStationaryOptions) -> dict[str, float | str]:
    """Return the columns of options that are not at their default."""
    plain = type(options)()
    return {
        each.name: getattr(options, each.name)
        for each in fields(options)
        if getattr(options, each.name) != getattr(plain, each.name)
    }


@dataclass(frozen=True)
class Knobs:
    """A design of a template: array dimensions D2, D1, D3, the SRAM [byte], and the rest.

    Parameters
    ----------
    rows, cols, macros
        Array dimensions.
    sram_byte
        Size of the buffer [byte].
    options
        Of in-memory macros, and node and supply of every array.
    row_stationary
        Of row-stationary arrays, likewise.
    """

    rows: int
    cols: int
    macros: int
    sram_byte: float
    options: MacroOptions = field(default_factory=MacroOptions)
    row_stationary: RowStationaryOptions = field(default_factory=RowStationaryOptions)

    @property
    def given(self) -> dict[str, float | str]:
        """Columns of options that are not at their default."""
        return {**self.options.given, **_given(self.row_stationary)}

    def value(self, knob: Knob) -> float | str | None:
        """Value of one knob in its canonical unit; none where it follows from others."""
        holders = (self.options, self.row_stationary, self)
        holder = next(each for each in holders if hasattr(each, knob.column))
        chosen: float | str | None = getattr(holder, knob.column)
        return chosen


@cache
def knob_table() -> Mapping[str, Knob]:
    """Return every knob by name, in the order in which they are shown."""
    most = sram_rows_range()[1]
    sizes = (
        Knob(
            "rows",
            "inputs that are summed, D2 (digital_ws, dimc: a power of two)",
            high=most,
            whole=True,
            required=True,
        ),
        Knob("cols", "outputs side by side, D1", high=most, whole=True, required=True),
        Knob(
            "macros",
            "copies of the array, D3",
            default=1,
            high=most,
            whole=True,
            kinds=(*DIGITAL, *MACROS),
        ),
        Knob("sram", "buffer on the chip", "byte", required=True),
    )
    listed = (
        *sizes, *_macro_knobs(), *_gate_knobs(), *_analog_knobs(), *_system_knobs(),
        *_row_stationary_knobs(),
    )  # fmt: skip
    return {knob.name: knob for knob in listed}


def _macro_knobs() -> Iterator[Knob]:
    """Visit the knobs that shape a macro."""
    plain, bits = MacroOptions(), load_facts("imc_28nm.csv")["input_bits"]
    what = "weights stored beside one multiplier"
    most, depth = sram_rows_range()[1], plain.group_depth
    yield Knob("group_depth", what, default=depth, high=most, whole=True, kinds=MACROS)
    what = "input bits applied per cycle (1, aimc 2)"
    yield Knob("bits_per_cycle", what, high=bits, whole=True, kinds=MACROS)
    what = "2: registers before place-value adders and accumulators"
    yield Knob("stages", what, default=plain.stages, high=2, whole=True, kinds=MACROS)


def _gate_knobs() -> Iterator[Knob]:
    """Visit the knobs of gates: how often they switch, process, supply."""
    gates, scaling = load_technology(), load_facts("imc_scaling.csv")
    for name, what in (
        ("input_toggle", "share of input bits that switch"),
        ("weight_density", "share of weight bits that are 1"),
        ("flipflop_activity", "share of cycles in which accumulators switch"),
    ):
        yield Knob(name, what, default=1.0, low=0.0, high=1.0, kinds=MACROS)
    for name, what, unit, default, kinds in (
        (
            "node",
            "process of the chip (eyeriss: 65)",
            "nm",
            float(gates.node_nm),
            (*DIGITAL, *MACROS, *ROW_STATIONARY),
        ),
        (
            "supply",
            "of the array and its registers",
            "V",
            float(gates.supply_v),
            (*DIGITAL, *MACROS),
        ),
    ):
        low, high = (scaling[f"range.{name}_{end}_{unit.lower()}"] for end in ("low", "high"))
        yield Knob(name, what, unit, default, low, high, kinds=kinds)


def _analog_knobs() -> Iterator[Knob]:
    """Visit the knobs that analog macros alone have."""
    plain, facts = MacroOptions(), load_facts("imc_28nm.csv")
    words = ("sram", *cell_names())
    yield Knob("cell", "what stores the weights", default=plain.cell, words=words, kinds=ANALOG)
    words = ("fitted", "survey")
    yield Knob("adc", "model of the ADCs", default=plain.adc, words=words, kinds=ANALOG)
    low, high = facts["adc_bits_low"], facts["adc_bits_high"]
    what = "resolution of the ADCs (from bits per cycle and rows)"
    yield Knob("adc_bits", what, low=low, high=high, kinds=ANALOG)
    what = "bit columns that share one ADC, converted in turn"
    most, share = sram_rows_range()[1], plain.adc_share
    yield Knob("adc_share", what, default=share, high=most, whole=True, kinds=ANALOG)


def _system_knobs() -> Iterator[Knob]:
    """Visit the knobs of what is around a macro."""
    plain = MacroOptions()
    words, what = ("stopped", "overlapped"), "computing while weights are written"
    yield Knob("loading", what, default=plain.loading, words=words, kinds=MACROS)
    what = "of each port of the buffer (a word per cycle)"
    yield Knob("sram_bandwidth", what, "byte/s", high=_FASTEST, kinds=MACROS)
    what = "of each port of the memory beside the chip (a row per cycle; eyeriss: 480 MB/s in all)"
    kinds = (*MACROS, *ROW_STATIONARY)
    yield Knob("dram_bandwidth", what, "byte/s", high=_FASTEST, kinds=kinds)
    words, what = ("sram", "all"), "what leaks: the buffer, or the macro too"
    yield Knob("leakage", what, default=plain.leakage, words=words, kinds=MACROS)


def _row_stationary_knobs() -> Iterator[Knob]:
    """Visit the knobs of a row-stationary array."""
    plain, most = RowStationaryOptions(), 512  # 1 KiB, up to which an access costs one MAC
    for name, what, default, high in (
        ("weight_words", "words of filters in a PE", plain.weight_words, most),
        ("input_words", "words of inputs in a PE", plain.input_words, most),
        ("psum_words", "words of partial sums in a PE", plain.psum_words, most),
        ("weight_word_bits", "bits of a word of filters", plain.weight_word_bits, 16),
        ("data_word_bits", "bits of any other word", plain.data_word_bits, 16),
        ("bus_words", "words per cycle to and from PEs (a quarter of it inputs)",
         plain.bus_words, 64),
    ):  # fmt: skip
        yield Knob(name, what, default=default, high=high, whole=True, kinds=ROW_STATIONARY)
    for name, what, word, words in (
        ("gating", "PEs rest while an input is zero", plain.gating, ("on", "off")),
        ("compression", "of zeros on the way to and from DRAM", plain.compression, ("rlc", "none")),
        (
            "control",
            "clock, control and leakage of PEs (no other template has them)",
            plain.control,
            ("measured", "none"),
        ),
        (
            "mappings",
            "that are looked at: any, or the one that the chip would take",
            plain.mappings,
            ("any", "chip"),
        ),
    ):
        yield Knob(name, what, default=word, words=words, kinds=ROW_STATIONARY)
