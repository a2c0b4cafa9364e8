"""Solve a network once for all costs: which of its mappings to keep as traffic."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from carbonopt.arrays import Floats
from carbonopt.hardware.machine import OPERANDS, Machine
from carbonopt.hardware.precision import check_precision, fitted
from carbonopt.mapping.access import TO_ABOVE, TO_BELOW
from carbonopt.mapping.candidates import Mappings, joined
from carbonopt.mapping.evaluation import port_cycles
from carbonopt.mapping.frugal import frugal_chains
from carbonopt.mapping.nest import chain_mappings
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import residency
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.tables import Tables
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cache import Arrays, cached, key_of
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.mapper import solve_layer, unrolled_tables
from carbonopt.performance.network import oriented
from carbonopt.performance.weighing import TrafficTable, unbeaten
from carbonopt.workload.network import Network

_WEIGHTS = 1


def traffic_table(network: Network, machine: Machine) -> TrafficTable:
    """Solve a network once for all costs.

    Per layer and unrolling all mappings are kept that no other beats in every read and write of
    every memory and in the time of every port, and those on the machine's own front.

    Raises
    ------
    MappingError
        If a layer cannot be mapped.

    Notes
    -----
    Whatever accesses and the array cost, the least energy of each layer is exact, over the same
    unrollings as `solve_layer` looks at. So are least latencies without first loads and last
    stores, where the array never waits for a single-buffered tile. Latencies and products with
    these are those of `network_cost` under the machine's own costs; under others they are those
    of mappings that exist. With bandwidths, the time of each port scales, loads and stores do not.
    """
    network = oriented(network, machine)
    check_precision(machine, network.layers)
    hierarchies = residency(network, machine)
    found: dict[object, Arrays] = {}
    count: dict[object, int] = {}
    used: dict[object, list[int]] = {}
    ports: dict[str, int] = {}
    for layer, hierarchy in zip(network.layers, hierarchies, strict=True):
        key = (layer.anonymous, tuple(hierarchy.items()))
        if key not in found:
            own = fitted(machine, layer)
            plan = Plan(Storage(own, hierarchy))
            for name in plan.storage.port_names:
                ports.setdefault(name, len(ports) + 1)
            task = MappingTask(layer, own, hierarchy, plan.storage)
            used[key] = [0, *(ports[name] for name in plan.storage.port_names)]
            found[key] = _layer_traffic(task, plan)
            found[key]["traffic"] = found[key]["traffic"] * _word_shares(machine, own)
        count[key] = count.get(key, 0) + 1
    layers = list(found.values())
    busy = [np.repeat(each["busy"][:, :1], len(ports) + 1, axis=1) for each in layers]
    for times, each, columns in zip(busy, layers, used.values(), strict=True):
        times[:, columns] = each["busy"]
    return TrafficTable(
        tuple(memory.name for memory in machine.memories), tuple(ports),
        np.cumsum([0, *map(len, busy)]), np.array(list(count.values())),
        np.concatenate([each["traffic"] for each in layers]), np.concatenate(busy),
        np.concatenate([each["ends"] for each in layers]),
        all(bool(each["complete"]) for each in layers),
    )  # fmt: skip


def _word_shares(machine: Machine, own: Machine) -> Floats:
    """Return what an access takes of one by the machine's own words (2 memories + 1), 1 or less.

    Registers hold narrower words of a layer of fewer bits.
    """
    pairs = [(getattr(before, name), getattr(after, name))
             for name in ("read_pj", "write_pj")
             for before, after in zip(machine.memories, own.memories, strict=True)]  # fmt: skip
    return np.array([*(after / before if before else 1.0 for before, after in pairs), 1.0])


def _layer_traffic(task: MappingTask, plan: Plan) -> Arrays:
    """Return traffic, port times and ends of the mappings of a layer that are kept."""
    solved = solve_layer(task, plan, supported=True)
    own = _measured(task, joined(solved.mappings))
    free = _without_costs(task.machine)
    key = key_of("traffic", task.layer.anonymous, free, task.hierarchy)
    frugal = cached(key, lambda: _frugal_traffic(task, plan))
    both = {name: np.concatenate([own[name], frugal[name]]) for name in own}
    kept = unbeaten(np.column_stack([*both.values()]))
    found = {name: values[kept] for name, values in both.items()}
    return {**found, "complete": frugal["complete"]}


def _without_costs(machine: Machine) -> Machine:
    """Return a machine without what only weighs its traffic."""
    memories = tuple(
        dataclasses.replace(each, read_pj=0.0, write_pj=0.0, area_mm2=0.0, leakage_w=0.0)
        for each in machine.memories
    )
    return dataclasses.replace(
        machine, name="", memories=memories, area_parts={}, clock_parts={}, leakage_parts={}
    )


def _frugal_traffic(task: MappingTask, plan: Plan) -> Arrays:
    """Return the traffic of the mappings that are worth keeping whatever accesses cost."""
    mappings, complete = _frugal_mappings(task, plan)
    found = _measured(task, joined(mappings))
    kept = unbeaten(np.column_stack([*found.values()]))
    return {name: values[kept] for name, values in found.items()} | {
        "complete": np.array(float(complete))
    }


def _measured(task: MappingTask, mappings: Mappings) -> Arrays:
    """Return traffic, port times and ends of mappings (n, k)."""
    cost = mapped_cost(task, mappings)
    loading = task.machine.variant.loading_in_latency
    computing = cost.compute_cycles[:, None]
    return {
        "traffic": np.column_stack(
            [_by_memory(task, cost.accesses), sum(cost.array_pj.values(), np.zeros(1))]
        ),
        "busy": np.column_stack([computing, computing + cost.port_stall]),
        "ends": cost.cycles(loading=loading) - cost.compute_cycles - cost.stall,
    }


def _by_memory(task: MappingTask, accesses: Floats) -> Floats:
    """Count reads and writes of each memory (n, 2 memories)."""
    reads = accesses[..., TO_BELOW] + accesses[..., TO_ABOVE]
    both = np.stack([reads, accesses.sum(axis=-1) - reads])
    found = np.zeros((len(accesses), 2, len(task.machine.memories)))
    for o in range(len(OPERANDS)):
        for level in range(task.levels[o]):
            found[:, :, task.memory[o, level]] += both[:, :, o, level].T
    return found.reshape(len(accesses), -1)


def _frugal_mappings(task: MappingTask, plan: Plan) -> tuple[list[Mappings], bool]:
    """Return the mappings that no other beats in accesses and port times, by unrolling."""
    tables = unrolled_tables(task, plan)
    accesses = list(_unit_costs(tables))
    found, complete = [], True
    for u in range(len(tables.unrollings)):
        tiles, costs, beside = tables.one(u)
        innermost = (plan.nodes.operand == _WEIGHTS) & (plan.nodes.level == 0)
        times = [*port_cycles(plan, tiles, costs, beside), innermost[:, None] * costs.writing]
        cost = np.array([*(each.one(u)[1].energy for each in accesses), *times])
        chains, whole = frugal_chains(tables, u, cost)
        complete = complete and whole
        unrolling, extents = tables.unrollings.one(u), tables.lattices.one(u)
        found += [chain_mappings(plan, unrolling, extents, chain) for chain in chains]
    return found, complete


def _unit_costs(tables: Tables) -> Iterator[Tables]:
    """Visit tables of a layer where one kind of access to one memory costs 1 pJ, all else 0."""
    task = tables.task
    memories = task.machine.memories
    for read, write in ((1.0, 0.0), (0.0, 1.0)):
        for m in range(len(memories)):
            costly = tuple(
                dataclasses.replace(each, read_pj=read * (i == m), write_pj=write * (i == m))
                for i, each in enumerate(memories)
            )
            storage = Storage(dataclasses.replace(task.machine, memories=costly), task.hierarchy)
            own = MappingTask(task.layer, storage.machine, task.hierarchy, storage)
            yield Tables(Plan(storage), own, tables.unrollings, tables.array)
