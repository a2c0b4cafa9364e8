"""The command that shows how one layer is mapped onto one machine."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbonopt.cli_model import J_PER_PJ, knobs_of
from carbonopt.cli_text import gap_text, say, say_json, tell_of_compiling
from carbonopt.errors import SpecError

if TYPE_CHECKING:
    from carbonopt.hardware.machine import Machine
    from carbonopt.mapping.task import MappingTask
    from carbonopt.performance.explain import LayerPoint
    from carbonopt.workload.network import Network

_RUNS = Path("runs")
_NO_WORD = re.compile(r"[^\w.-]+")
_ZIGZAG_OPERATORS = {"conv": "Conv", "gemm": "Gemm", "matmul": "MatMul"}


def map(options: Namespace) -> None:
    """Map one layer onto one machine and show loops, memories and ports."""
    from carbonopt.mapping.unrollings import promising
    from carbonopt.performance.explain import best_mapping, explain

    if options.front:
        front(options)
        return
    if options.out is not None:
        raise SpecError(f"--out: got {options.out}, allowed: beside --front, for its figure")
    task, objective = task_of(options), options.objective or "edp"
    tell_of_compiling()
    mapped, gap = best_mapping(task, objective)
    looked_at = len(promising(task))
    found = {"objective": objective, "gap": gap, "unrollings": looked_at, **explain(mapped)}
    if options.json:
        say_json(found)
    else:
        say(mapping_text(found))


def front(options: Namespace) -> None:
    """List and draw the mappings of a layer that no other one found beats."""
    from carbonopt.performance.explain import layer_points
    from carbonopt.report.layer_front import best_product, plot_layer_front
    from carbonopt.report.style import save

    if options.objective is not None:
        allowed = "none beside --front, which has the best of each"
        raise SpecError(f"--objective: got {options.objective}, allowed: {allowed}")
    task = task_of(options)
    tell_of_compiling()
    points = layer_points(task)
    best, told = best_product(points), points[0].explanation
    asked = (told["machine"], Path(options.workload).stem, told["layer"])
    folder = Path(options.out or _RUNS / _NO_WORD.sub("_", "-".join(("map", *asked))))
    figure = plot_layer_front(points)
    files = [save(figure, folder / f"front.{suffix}") for suffix in ("png", "svg")]
    if options.json:
        listed = [{**vars(each), "explanation": dict(each.explanation)} for each in points]
        say_json({"front": listed, "best_edp": best, "figures": [str(file) for file in files]})
    else:
        say(front_text(points, best))
        say("\n".join(["", *(str(file) for file in files)]))


def task_of(options: Namespace) -> MappingTask:
    """Return the layer, the machine and the memories that hold its operands.

    On the machine of a template, activations and weights stay on chip as in `evaluate`; on a
    machine from a file every layer comes from, and goes to, the outermost memories.
    """
    from carbonopt.catalog import find_machine
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
        if options.mapping_file is not None:
            allowed = "beside an accelerator file of ZigZag"
            raise SpecError(f"--mapping-file: got one, allowed: {allowed}")
        model = options.model or "default"
        machine = template_machine(
            options.machine, options.knobs, model, network, workload.dram_byte
        )
        network = oriented(network, machine)
        return MappingTask(network.layers[position], machine, residency(network, machine)[position])
    path = find_machine(options.machine, list(TEMPLATES))
    if options.knobs:
        allowed = f"knobs for a template alone ({', '.join(TEMPLATES)})"
        raise SpecError(f"--set: got {', '.join(options.knobs)}, allowed: {allowed}")
    rules = None if options.mapping_file is None else Path(options.mapping_file)
    layer = network.layers[position]
    names = (layer.name, _ZIGZAG_OPERATORS[layer.kind])
    machine = load_machine(path, model=options.model, mapping_path=rules, layer=names)
    levels = {operand: machine.levels(operand) for operand in OPERANDS}
    return MappingTask(layer, machine, levels)


def template_machine(
    name: str, settings: list[str], model: str, network: Network | None, dram_byte: float
) -> Machine:
    """Build the machine of a template for a network, or for none whose weights could stay."""
    from carbonopt.hardware.knobs import parse_knobs
    from carbonopt.hardware.template import TEMPLATES
    from carbonopt.hardware.variant import load_variant
    from carbonopt.mapping.residency import machine_for

    knobs, variant = parse_knobs(name, knobs_of(settings)), load_variant(model)
    return machine_for(network, TEMPLATES[name], knobs, variant, dram_byte=dram_byte)


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
            f"on {found['machine']}, {found['model']} model, {_proven(found)}",
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


def front_text(points: Sequence[LayerPoint], best: int) -> str:
    """Return the front of a layer as a table, fastest first; `best` has the least product."""
    from carbonopt.report.layer_front import unrolling_text
    from carbonopt.report.scale import quantity
    from carbonopt.report.table import aligned

    told = [point.explanation for point in points]
    columns = {
        "latency": [quantity(point.latency_s, "s") for point in points],
        "energy": [quantity(point.energy_j, "J") for point in points],
        "busy": [f"{each['utilisation']['with_waiting']:.1%}" for each in told],
        "in parallel": [unrolling_text(each) for each in told],
        "": ["least energy x latency" if i == best else "" for i in range(len(points))],
    }
    return f"{told[0]['layer']} on {told[0]['machine']}\n\n{aligned(columns)}"


def _proven(found: Mapping[str, Any]) -> str:
    """Say how good a mapping is known to be."""
    least = f"least {found['objective']} of the {found['unrollings']:,} unrollings looked at"
    return gap_text(found["gap"], least)


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
