"""The command that shows how one layer is mapped onto one machine."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.cli_model import J_PER_PJ, knobs_of
from carbonopt.cli_text import say, say_json
from carbonopt.errors import SpecError

if TYPE_CHECKING:
    from carbonopt.mapping.task import MappingTask
    from carbonopt.workload.network import Network

_ZIGZAG_OPERATORS = {"conv": "Conv", "gemm": "Gemm", "matmul": "MatMul"}


def map(options: Namespace) -> None:
    """Map one layer onto one machine and show loops, memories and ports."""
    from carbonopt.performance.explain import best_mapping, explain

    task = task_of(options)
    found = {"objective": options.objective, **explain(best_mapping(task, options.objective))}
    if options.json:
        say_json(found)
    else:
        say(mapping_text(found))


def task_of(options: Namespace) -> MappingTask:
    """Return the layer, the machine and the memories that hold its operands.

    On the machine of a template, activations and weights stay on chip as in `evaluate`; on a
    machine from a file every layer comes from, and goes to, the outermost memories.
    """
    from carbonopt.evaluate import load_workload
    from carbonopt.hardware.file import load_machine
    from carbonopt.hardware.machine import OPERANDS
    from carbonopt.hardware.template import TEMPLATES
    from carbonopt.mapping.residency import residency
    from carbonopt.mapping.task import MappingTask
    from carbonopt.performance.network import oriented

    workload = load_workload(options.workload, batch=options.batch)
    network = workload.network
    position = _position(network, options.layer)
    if options.machine in TEMPLATES:
        machine = _template_machine(options, network, workload.dram_byte)
        network = oriented(network, machine)
        return MappingTask(network.layers[position], machine, residency(network, machine)[position])
    if options.knobs:
        allowed = f"knobs for a template alone ({', '.join(TEMPLATES)})"
        raise SpecError(f"--set: got {', '.join(options.knobs)}, allowed: {allowed}")
    rules = None if options.mapping_file is None else Path(options.mapping_file)
    layer = network.layers[position]
    names = (layer.name, _ZIGZAG_OPERATORS[layer.kind])
    machine = load_machine(
        Path(options.machine), model=options.model, mapping_path=rules, layer=names
    )
    levels = {operand: machine.levels(operand) for operand in OPERANDS}
    return MappingTask(layer, machine, levels)


def _template_machine(options: Namespace, network: Network, dram_byte: float) -> Any:  # noqa: ANN401
    """Build the machine of a template for a network."""
    from carbonopt.evaluate import parse_knobs
    from carbonopt.hardware.template import TEMPLATES
    from carbonopt.hardware.variant import load_variant
    from carbonopt.mapping.residency import machine_for

    if options.mapping_file is not None:
        raise SpecError("--mapping-file: got one, allowed: beside an accelerator file of ZigZag")
    knobs = parse_knobs(options.machine, knobs_of(options.knobs))
    variant = load_variant(options.model or "default")
    template = TEMPLATES[options.machine]
    return machine_for(network, template, knobs, variant, dram_byte=dram_byte)


def _position(network: Network, wanted: str) -> int:
    """Find a layer by its name, or by its position counted from 0.

    Raises
    ------
    SpecError
        There is no such layer.
    """
    names = [layer.name for layer in network.layers]
    if wanted in names:
        return names.index(wanted)
    if wanted.isdecimal() and int(wanted) < len(names):
        return int(wanted)
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    allowed = f"0 to {len(names) - 1}, or a name: {shown}"
    raise SpecError(f"--layer: got {wanted}, allowed: {allowed}")


def mapping_text(found: Mapping[str, Any]) -> str:
    """Return a mapped layer in words: totals, the loop nest, the memories, what it waits for."""
    from carbonopt.report.scale import quantity

    loops = " ".join(f"{dim}{size}" for dim, size in found["loops"].items() if size > 1)
    used = found["utilisation"]
    energy, cycles = (_shares(found[name]) for name in ("energy_by_part_pj", "cycles_by_part"))
    return "\n".join(
        [
            f"{found['layer']} ({loops or 'one product'}, {found['macs']:,} MACs) "
            f"on {found['machine']}, {found['model']} model, best {found['objective']} found",
            "",
            f"energy   {quantity(found['energy_pj'] * J_PER_PJ, 'J')}: {energy}",
            f"latency  {found['cycles']:,.0f} cycles "
            f"({quantity(found['latency_s'], 's')}): {cycles}",
            f"array    {used['array']:.1%} of the multipliers busy while computing, "
            f"{used['with_waiting']:.1%} over the whole latency",
            f"waits    {_waits(found['ports'])}",
            "",
            _nest_text(found),
            "",
            _memory_text(found["memories"]),
        ]
    )


def _shares(parts: Mapping[str, float]) -> str:
    """Return the parts of a total as shares, the largest first."""
    total = sum(parts.values())
    ranked = sorted(parts.items(), key=lambda part: -part[1])
    return ", ".join(f"{name} {value / total:.1%}" for name, value in ranked if value)


def _waits(ports: list[dict[str, Any]]) -> str:
    """Say which port makes the array wait."""
    longest = ports[0]
    if not longest["stall_cycles"]:
        return "for no port"
    return f"for {longest['port']}: {longest['stall_cycles']:,.0f} cycles"


def _nest_text(found: Mapping[str, Any]) -> str:
    """Return the loop nest, outermost loop first, with the memory that keeps each operand."""
    from carbonopt.report.table import aligned

    operands = ("I", "W", "O")
    columns: dict[str, list[str]] = {"loop (outermost first)": []}
    columns |= {operand: [] for operand in operands}
    for depth, entry in enumerate(found["nest"]):
        indent = "  " * depth
        columns["loop (outermost first)"].append(
            f"{indent}for {entry['loop']} in {entry['passes']}"
        )
        for operand in operands:
            columns[operand].append(entry["kept_in"][operand])
    for entry in found["in_parallel"]:
        loops = " ".join(f"{dim} {mean:g}" for dim, mean in entry["loops"].items())
        text = f"in parallel on {entry['dimension']}: {loops or '-'} of {entry['size']}"
        columns["loop (outermost first)"].append(text)
        for operand in operands:
            columns[operand].append("")
    return aligned(columns)


def _memory_text(memories: list[dict[str, Any]]) -> str:
    """Return what the memories hold and how often they are accessed, the outermost first."""
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import aligned

    rows = memories[::-1]
    return aligned(
        {
            "memory": [row["memory"] for row in rows],
            "holds": [row["operand"] for row in rows],
            "per instance": [quantity(row["held_byte"], "byte") for row in rows],
            "of its size": [f"{row['share_of_capacity']:.1%}" for row in rows],
            "reads": [f"{row['reads']:,.0f}" for row in rows],
            "writes": [f"{row['writes']:,.0f}" for row in rows],
            "energy": [quantity(row["energy_pj"] * J_PER_PJ, "J") for row in rows],
        }
    )
