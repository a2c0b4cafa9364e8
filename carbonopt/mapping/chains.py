"""What the search for chains of tiles is given, and what it works with."""

from __future__ import annotations

from typing import NamedTuple

from carbonopt.arrays import Bools, Floats, Ints


class Orders(NamedTuple):
    """All orders in which the nodes of three operands can follow each other.

    Parameters
    ----------
    node, state
        Next node of each operand and the state after it; -1 where none is left (s, 3). A state
        is how many nodes of each operand have their tile; the last one has them all.
    """

    node: Ints
    state: Ints


class Tiles(NamedTuple):
    """The lattice of tiles, see `carbonopt.mapping.lattice.Lattice`.

    Parameters
    ----------
    lengths, fields
        Of each axis (a,).
    packed, guard
        Points (p,), and the guard bits of their digits.
    size, complete
        Passes that a tile keeps, and whether it keeps all reductions (p,).
    digits
        Digits of loops that do not index an operand (3,).
    kept
        Axes without which an output's tile is always worse: reductions (a,).
    """

    lengths: Ints
    fields: Ints
    packed: Ints
    guard: int
    size: Floats
    complete: Bools
    digits: Ints
    kept: Bools


class Places(NamedTuple):
    """The nodes of a memory hierarchy, see `carbonopt.mapping.plan.Plan`.

    Parameters
    ----------
    operand, level, ports
        Of each node (v,), (v,), (v, 4).
    memory, closed
        Position of its memory among the shared ones, or -1 (v,); whether all nodes of a shared
        memory have their tiles in a state (s, shared).
    last_output, whole_memory
        Outermost node of the output, and position of the shared memory that keeps all outputs;
        -1 where there is none.
    port_count
        Ports in all.
    """

    operand: Ints
    level: Ints
    ports: Ints
    memory: Ints
    closed: Bools
    last_output: int
    whole_memory: int
    port_count: int


class Costs(NamedTuple):
    """What tiles cost at the nodes, see `carbonopt.mapping.nodes.node_costs`.

    Parameters
    ----------
    energy, needed, room
        (v, p), (v, 4, p), (2, v, p).
    single
        Whether there is no room for a second tile (v, p).
    first
        Cycles of the first load, or the last store, where the latency counts it (v, p).
    free, whole_room
        Bits that each shared memory has to give (shared,), and bits of all outputs (2,).
    energy_to_go
        Least energy of the nodes that a state lacks (s, p).
    writing
        Cycles that an in-memory macro waits for new weights in all, if its cells keep a tile (p,).
    """

    energy: Floats
    needed: Floats
    room: Floats
    single: Bools
    first: Floats
    free: Floats
    whole_room: Floats
    energy_to_go: Floats
    writing: Floats


class Beside(NamedTuple):
    """What an unrolling costs beside its transfers, and how its latency counts.

    Parameters
    ----------
    energy_pj
        Of the array [pJ].
    cycles
        Until the last results have left the array.
    rows
        Cycles to write one weight of each group of an in-memory macro, row by row; negative if
        the array waits for weights as for all else, at its ports.
    overlapped
        Such weights arrive while the array computes with others.
    ports
        Inputs and outputs are waited for at the ports.
    passes
        Cycles of the array per multiply-accumulate.
    loading
        Latency contains first loads and last stores.
    outputs_doubled
        Outputs may be double-buffered.
    """

    energy_pj: float
    cycles: float
    rows: float
    overlapped: bool
    ports: bool
    passes: float
    loading: bool
    outputs_doubled: bool


class Limits(NamedTuple):
    """Resources that limit the latency: the time of a port, with the first loads of one input.

    Parameters
    ----------
    cycles, to_go
        Of each resource at each node (r, v, p), and the least of the nodes that a state lacks
        (r, s, p).
    waits
        Ways for which the resource counts waiting instead of the time on the port (r, v, 4).
    most
        Cycles that may be spent (r,).
    waited
        Operands for whose single tiles the array may wait (3,).
    needless
        Loops without which a tile is no worse at a node: digit masks (v, p).
    """

    cycles: Floats
    to_go: Floats
    waits: Bools
    most: Floats
    waited: Bools
    needless: Ints


class Labels(NamedTuple):
    """Partial chains.

    Parameters
    ----------
    sums
        Energy, cycles of each resource, room taken in each shared memory, and for each operand
        the product of the outermost loops since its last level that do not index it, as few as
        an order of the loops between two nodes allows (n, 1 + r + shared + 3).
    steps
        State, last tile, last node, the label it continues (-1: none), and whether the last
        output node keeps all reductions (n, 5).
    """

    sums: Floats
    steps: Ints


STATE, POINT, NODE, PARENT, DONE = range(5)
