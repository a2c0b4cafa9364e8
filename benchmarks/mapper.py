"""CPU seconds and memory of mapping: chains, layers, networks, against ZigZag and CarbonSpot.

python benchmarks/mapper.py [--machine FILE] [PART ...]

Parts: chains, fronts, free, every, tables, zigzag, rows, memory; all unless given, `zigzag` only
where zigzag-dse is installed (extra: peers). Times are CPU seconds of this process with compiled
kernels on disk; ratios are of one run.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import importlib.util
import io
import logging
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from timing import cpu_s

from carbonopt.hardware.file import load_machine
from carbonopt.hardware.machine import OPERANDS, Machine
from carbonopt.hardware.template import TEMPLATES, Knobs, build_machine
from carbonopt.hardware.variant import load_variant
from carbonopt.mapping.evaluation import chain_terms, evaluate_chains, random_chains
from carbonopt.mapping.plan import Plan
from carbonopt.mapping.residency import resident_byte
from carbonopt.mapping.storage import Storage
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cache import FOLDER
from carbonopt.performance.choices import MappingMode
from carbonopt.performance.explain import best_mapping
from carbonopt.performance.mapper import solve_layer, unrolled_tables
from carbonopt.performance.network import network_cost
from carbonopt.performance.traffic import traffic_table
from carbonopt.performance.weighing import Contexts, own_context
from carbonopt.workload.layer import DIMS, Layer
from carbonopt.workload.load import deployment_facts, load_network
from carbonopt.workload.network import Network

ROOT = Path(__file__).parents[1]
TPU_LIKE = ROOT / "problems" / "hardware" / "tpu_like.yaml"
NETWORKS = ("alexnet", "vgg16", "resnet18", "resnet50", "mobilenet_v1", "ssd_mobilenet_v2",
            "mobilebert")  # fmt: skip
GEMM = Layer("gemm", "gemm", (4096, 4096, 1, 1, 1, 2048, 1, 1))
GRID = [(32 * 2**10, dim) for dim in (32, 128, 512)] + [(512 * 2**10, d) for d in (32, 128, 512)]
BATCH, REPEATS = 2**16, 50
PRICED, SPREAD, FRESH = 200_000, 4.0, 20


class Mapper:
    """A machine whose memories all layers share."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.storage = Storage(machine, {o: machine.levels(o) for o in OPERANDS})
        self.plan = Plan(self.storage)

    def task(self, layer: Layer) -> MappingTask:
        """Return a layer on the machine."""
        return MappingTask(layer, self.machine, self.storage.hierarchy, self.storage)

    def solve(self, layer: Layer) -> int:
        """Solve a layer; return the points of its front."""
        return len(solve_layer(self.task(layer), self.plan, supported=True).energy_pj)


def distinct(network: str) -> list[Layer]:
    return list({layer.anonymous: layer for layer in load_network(network).layers}.values())


def chains(file: Path) -> None:
    """Random chains of layers of ResNet-18 per second."""
    machine = load_machine(file)
    mapper = Mapper(machine)
    rng = np.random.default_rng(1)
    print("chains of", machine.name, "| tiles | M evaluations/s")
    for layer in distinct("resnet18")[1::3]:
        task = mapper.task(layer)
        tables = unrolled_tables(task, mapper.plan)
        terms = chain_terms(tables, 0)
        drawn = random_chains(tables, 0, BATCH, rng).astype(np.int32)
        evaluate_chains(terms, drawn)
        best = min(cpu_s(partial(evaluate_chains, terms, drawn)) for _ in range(REPEATS))
        print(f"{layer.name} | {len(tables.lattices.one(0))} | {BATCH / best / 1e6:.0f}")


def fronts(file: Path) -> None:
    """Exact front of every distinct layer."""
    _fronts(load_machine(file))


def free(file: Path) -> None:
    """Exact fronts, any loop along any array dimension."""
    machine = load_machine(file)
    anything = dict.fromkeys(machine.shape, DIMS)
    _fronts(dataclasses.replace(machine, name=f"{machine.name}, free", unrolled=anything))


def every(file: Path) -> None:
    """Networks with the promising and with all unrollings: time, energy x latency, what is left."""
    machine, modes = load_machine(file), ("optimal", "exhaustive")
    for mode in modes:
        network_cost(load_network("autoencoder"), machine, mode)
    print("network | optimal CPU s | all unrollings | energy x latency of all over optimal | gap")
    for name in ("resnet18", "mobilenet_v1", "alexnet"):
        network, times, found = load_network(name), {}, {}
        for mode in modes:
            start = time.process_time()
            found[mode] = network_cost(network, machine, mode)
            times[mode] = time.process_time() - start
        one, all_of_them = (found[mode].energy_pj * found[mode].cycles for mode in modes)
        print(f"{name} | {times['optimal']:.3f} | {times['exhaustive']:.3f}"
              f" | {all_of_them / one:.5f} | {found['exhaustive'].gap:.1e}")  # fmt: skip


def _fronts(machine: Machine) -> None:
    mapper = Mapper(machine)
    mapper.solve(GEMM)
    every = []
    print("fronts on", machine.name, "| layers | points | total s | median ms | worst ms | layer")
    for network in NETWORKS:
        times, points = [], 0
        for layer in distinct(network):
            start = time.process_time()
            points += mapper.solve(layer)
            times.append((time.process_time() - start, layer.name))
        every += [seconds for seconds, _ in times]
        worst, name = max(times)
        print(
            f"{network} | {len(times)} | {points} | {sum(t for t, _ in times):.3f}"
            f" | {1e3 * statistics.median(t for t, _ in times):.1f} | {1e3 * worst:.0f} | {name}",
            flush=True,
        )
    print(f"all | {len(every)} | | {sum(every):.3f} | {1e3 * statistics.median(every):.1f}"
          f" | {1e3 * max(every):.0f} |")  # fmt: skip


def tables(file: Path) -> None:
    """ResNet-18 as traffic: networks per second in random costs, and what fresh searches gain."""
    machine, network = load_machine(file), load_network("resnet18")
    with tempfile.TemporaryDirectory() as folder:
        os.environ[FOLDER] = folder
        traffic_table(load_network("autoencoder"), machine)
        start = time.process_time()
        table = traffic_table(network, machine)
        seconds = time.process_time() - start
        again = cpu_s(lambda: traffic_table(network, machine))
    print(f"resnet18 on {machine.name}: {seconds:.1f} s, from disk {again:.3f} s,"
          f" {len(table.count)} layers, {len(table.ends)} mappings,"
          f" complete: {table.complete}")  # fmt: skip
    rng, own, shape = np.random.default_rng(2), own_context(machine), (PRICED, len(table.memories))
    contexts = Contexts(
        own.read_pj * SPREAD ** rng.uniform(-1, 1, shape),
        own.write_pj * SPREAD ** rng.uniform(-1, 1, shape),
        np.ones(PRICED), own.clock_ns * SPREAD ** rng.uniform(-1, 1, PRICED),
    )  # fmt: skip
    slowed = SPREAD ** rng.uniform(-1, 1, (PRICED, len(table.ports)))
    print("M networks/s | energy | latency | weighted | energy x latency")
    for title, each in (
        ("own bandwidths", contexts),
        ("bandwidths too", dataclasses.replace(contexts, bandwidth=slowed)),
    ):
        chosen = [partial(table.least, each, *w) for w in ((1.0, 0.0), (0.0, 1.0), (1.0, 10.0))]
        times = [
            min(cpu_s(a) for _ in range(3)) for a in (*chosen, partial(table.least_product, each))
        ]
        print(" | ".join([title, *(f"{PRICED / t / 1e6:.2f}" for t in times)]))
    energy, latency = table.least_product(contexts)
    excess = []
    for i in range(FRESH):
        memories = zip(machine.memories, contexts.read_pj[i], contexts.write_pj[i], strict=True)
        costly = tuple(dataclasses.replace(m, read_pj=r, write_pj=w) for m, r, w in memories)
        fresh = network_cost(network, dataclasses.replace(machine, memories=costly), "optimal")
        product = fresh.energy_pj * fresh.cycles * contexts.clock_ns[i]
        excess.append(energy[i] * latency[i] / product - 1)
    mean, worst, best = statistics.mean(excess), max(excess), min(excess)
    print(f"energy x latency above a fresh search, {FRESH} contexts: mean {mean:.3%},"
          f" worst {worst:.3%}, best {best:.3%}")  # fmt: skip


def zigzag(_: Path) -> None:
    """ResNet-18 on ZigZag's own tpu_like, layer by layer as it solves them, by it and by us."""
    if importlib.util.find_spec("zigzag") is None:
        print("zigzag-dse is not installed (extra: peers): skipped")
        return
    import zigzag.inputs

    inputs = Path(next(iter(zigzag.inputs.__path__)))
    files = inputs / "hardware/tpu_like.yaml", inputs / "mapping/tpu_like.yaml"
    ours = load_machine(files[0], mapping_path=files[1], model="zigzag")
    mapper, layers = Mapper(ours), load_network("resnet18").layers
    best_mapping(mapper.task(layers[0]), "edp")
    front = cpu_s(lambda: [mapper.solve(layer) for layer in distinct("resnet18")])
    theirs = mine = 0.0
    gains = []
    for layer in distinct("resnet18"):
        start = time.process_time()
        energy, cycles = _their_best(layer, *files)
        found_at = time.process_time()
        found, _ = best_mapping(mapper.task(layer), "edp")
        count = sum(each.anonymous == layer.anonymous for each in layers)
        theirs += (found_at - start) * count
        mine += time.process_time() - found_at
        gains.append(energy * cycles / (found.energy_pj * found.cycles))
    print(f"resnet18, {len(layers)} layers | CPU s | energy x latency of theirs over ours")
    print(f"zigzag-dse | {theirs:.2f}")
    print(f"fronts | {front:.4f} ({theirs / front:.0f} times less) |")
    print(f"best mappings by all that ZigZag counts | {mine:.4f} ({theirs / mine:.0f} times less)"
          f" | {min(gains):.4f} to {max(gains):.4f}")  # fmt: skip


def _their_best(layer: Layer, accelerator: Path, mapping: Path) -> tuple[float, float]:
    """Least energy x latency that ZigZag finds with its defaults [pJ, cycles]."""
    from zigzag.api import get_hardware_performance_zigzag

    sizes = layer.loops
    dims = [dim for dim in DIMS if dim != "G"]
    node = {
        "id": 0, "name": "layer", "operator_type": "Conv",
        "equation": "O[b][k][oy][ox]+=W[k][c][fy][fx]*I[b][c][iy][ix]",
        "loop_dims": dims, "loop_sizes": [sizes[dim] for dim in dims],
        "dimension_relations": [
            f"{i}={layer.stride[0]}*{o}+1*{f}"
            for i, o, f in (("ix", "ox", "fx"), ("iy", "oy", "fy"))
        ],
        "pr_loop_dims": ["IX", "IY"], "pr_loop_sizes": list(layer.input_size),
        "padding": [[0, 0], [0, 0]], "operand_source": {"I": 0, "W": 0},
        "operand_precision": {"W": 8, "I": 8, "O": 16, "O_final": 8},
    }  # fmt: skip
    quiet = contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO())
    with tempfile.TemporaryDirectory() as folder, quiet[0], quiet[1]:
        logging.disable(logging.INFO)
        energy, cycles, _ = get_hardware_performance_zigzag(
            [node], str(accelerator), str(mapping), opt="EDP", dump_folder=folder,
            loma_show_progress_bar=False,
        )  # fmt: skip
        logging.disable(logging.NOTSET)
    return energy, cycles


def rows(_: Path) -> None:
    """Every row that CarbonSpot's CPU time was measured on, end to end at optimum."""
    reference = pd.read_csv(ROOT / "benchmarks" / "carbonspot_cpu.csv", comment="#")
    modes = ("optimal", "exhaustive")
    print("row | rows | CarbonSpot CPU s | optimal | ratio | all unrollings | ratio")
    total = dict.fromkeys(modes, 0.0)
    for row in reference.itertuples():
        network = load_network(row.workload)
        dram = deployment_facts(row.workload).dram_byte
        told = [f"{row.workload}, {row.template} | {len(GRID)} | {row.cpu_s:.3f}"]
        for mode in modes:
            solve = partial(_row, network, row.template, dram, mode)
            solve(*GRID[0])
            seconds = sum(cpu_s(partial(solve, sram, dim)) for sram, dim in GRID)
            total[mode] += seconds
            told.append(f"{seconds / len(GRID):.4f} | {row.cpu_s * len(GRID) / seconds:.0f}")
        print(" | ".join(told), flush=True)
    theirs, count = (reference["cpu_s"] * reference["rows"]).sum(), reference["rows"].sum()
    told = [f"{total[mode] / count:.4f} | {theirs / total[mode]:.0f}" for mode in modes]
    print(" | ".join([f"all | {count} | {theirs / count:.3f}", *told]))


def _row(
    network: Network, template: str, dram_byte: float, mode: MappingMode, sram_byte: float, dim: int
) -> None:
    """Build a machine and map a network onto it."""
    variant = load_variant("default")
    machine = build_machine(
        TEMPLATES[template], Knobs(dim, dim, 1, sram_byte), variant, dram_byte=dram_byte,
        resident_byte=resident_byte(network, sram_byte, variant),
    )  # fmt: skip
    network_cost(network, machine, mode)


def memory(file: Path) -> None:
    """Largest memory of a process that solves all layers of a network, or a large product."""
    print("layers | largest resident memory MiB | of these before any of them")
    for name in ("resnet50", "vgg16", "gemm"):
        command = [sys.executable, __file__, "--machine", str(file), f"memory:{name}"]
        subprocess.run(command, check=True)


def _peak(file: Path, name: str) -> None:
    mapper = Mapper(load_machine(file))
    mapper.solve(Layer("small", "gemm", (4, 4, 1, 1, 1, 4, 1, 1)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for layer in [GEMM] if name == "gemm" else distinct(name):
        mapper.solve(layer)
    largest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{name} | {largest / 2**10:.0f} | {before / 2**10:.0f}", flush=True)


PARTS = {
    part.__name__: part for part in (chains, fronts, free, every, tables, zigzag, rows, memory)
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--machine", type=Path, default=TPU_LIKE)
    parser.add_argument("parts", nargs="*", default=list(PARTS))
    given = parser.parse_args()
    for part in given.parts:
        if part.startswith("memory:"):
            _peak(given.machine, part.removeprefix("memory:"))
        else:
            PARTS[part](given.machine)
            print()


if __name__ == "__main__":
    main()
