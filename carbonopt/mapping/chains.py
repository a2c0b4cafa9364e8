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
    """What an unrolling costs beside its transfers.

    Parameters
    ----------
    energy_pj
        Of the array [pJ].
    cycles
        Until the last results have left the array.
    at_ports
        Operands for which the array waits at the ports (3,).
    passes
        Cycles of the array per multiply-accumulate.
    """

    energy_pj: float
    cycles: float
    at_ports: Bools
    passes: float


class Unrolled(NamedTuple):
    """A layer under u unrollings: the fields of `Tiles`, `Costs` and `Beside` one after the other.

    Parameters
    ----------
    start, axes
        Where the tiles and the axes of each unrolling begin, and where the last ones end (u + 1,).
    lengths, fields, kept
        Of all axes.
    packed, size, complete
        Of all tiles (p,).
    guard, digits
        (u,), (u, 3).
    energy, needed, room, single, first, energy_to_go
        Blocks of each unrolling.
    free, whole_room
        (u, shared), (u, 2).
    writing
        Of all tiles (p,).
    beside_pj, drain, at_ports, passes
        (u,), (u,), and what is the same for all: (3,) and a number.
    """

    start: Ints
    axes: Ints
    lengths: Ints
    fields: Ints
    kept: Bools
    packed: Ints
    size: Floats
    complete: Bools
    guard: Ints
    digits: Ints
    energy: Floats
    needed: Floats
    room: Floats
    single: Bools
    first: Floats
    energy_to_go: Floats
    free: Floats
    whole_room: Floats
    writing: Floats
    beside_pj: Floats
    drain: Floats
    at_ports: Bools
    passes: float


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
    risky
        Tiles that may make the array wait, depending on the order of loops (v, p).
    waited
        Operands that have such tiles (3,).
    """

    cycles: Floats
    to_go: Floats
    waits: Bools
    most: Floats
    risky: Bools
    waited: Bools


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
