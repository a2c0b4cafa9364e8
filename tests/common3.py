"""The machine on which AccelForge, Timeloop, ZigZag and our mapper were compared: common3.

DRAM 25 pJ/bit, a global buffer of 128 KiB at 0.75 pJ/bit, private memories of 64, 16 and 16 byte
for weights, inputs and sums at 0.125 pJ/bit, 16 x 16 multipliers of 0.5 pJ, all words of 8 bit.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from designs import layer

from carbonopt.hardware.digital import DigitalArray
from carbonopt.hardware.machine import DIRECTIONS, OPERANDS, Machine, Memory, Port
from carbonopt.hardware.variant import load_variant
from carbonopt.workload.layer import DIMS, Layer

KC = {"cols": ("K",), "rows": ("C",)}
ANY = {"cols": DIMS, "rows": DIMS}
WORD = 8  # bit
WIDE = 2.0**40  # bit


def _memory(
    name: str, size_byte: int, pj_per_bit: float, held: str, bus_bits: float, *, shared: bool
) -> Memory:
    served = frozenset(KC) if shared else frozenset[str]()
    ports = {
        operand: {
            direction: Port("rw" if shared else operand + direction, WORD, bus_bits)
            for direction in DIRECTIONS
        }
        for operand in OPERANDS
        if operand in held
    }
    energy = pj_per_bit * bus_bits
    return Memory(name, "sram", size_byte * 8, energy, energy, 0.0, served, ports)


def common3(
    size: int = 16,
    unrolled: Mapping[str, tuple[str, ...]] = KC,
    *,
    input_reads_pj_per_bit: float = 0.125,
    unlimited: bool = False,
) -> Machine:
    """Build it, or one of another size, with other loops in parallel, or that never waits."""
    private = {
        name: _memory(name, byte, 0.125, operand, WORD, shared=False)
        for name, byte, operand in (("weights", 64, "W"), ("inputs", 16, "I"), ("sums", 16, "O"))
    }
    for name in ("weights", "inputs"):
        read_pj = input_reads_pj_per_bit * WORD
        private[name] = dataclasses.replace(private[name], read_pj=read_pj)
    memories = (
        *private.values(),
        _memory("global_buffer", 2**17, 0.75, "IWO", 512, shared=True),
        _memory("dram", 2**34, 25.0, "IWO", 64, shared=True),
    )
    if unlimited:
        memories = tuple(map(_unlimited, memories))
    array = DigitalArray(0.5, adder_tree=False, tree_bits=16)
    return Machine(
        "common3", load_variant("default"), dict.fromkeys(KC, size), array, memories, unrolled,
        diagonal=False, clock_parts={"mac": 1.0},
    )  # fmt: skip


def _unlimited(memory: Memory) -> Memory:
    """The same memory with the same energy per bit and ports of any width."""
    wider = WIDE / memory.bandwidth_bits
    ports = {
        operand: {way: dataclasses.replace(port, wide_bits=WIDE) for way, port in own.items()}
        for operand, own in memory.ports.items()
    }
    return dataclasses.replace(
        memory, read_pj=memory.read_pj * wider, write_pj=memory.write_pj * wider, ports=ports
    )


def words(**bounds: int) -> Layer:
    """Make a layer whose operands, partial sums included, are all words of 8 bit."""
    return dataclasses.replace(layer(**bounds), psum_bits=WORD)
