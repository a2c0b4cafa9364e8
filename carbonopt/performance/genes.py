"""The mappings of whole networks as decision variables."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from carbonopt.hardware.machine import Machine, Operand
from carbonopt.mapping.genes import GeneMap, LayerGenes
from carbonopt.mapping.residency import residency
from carbonopt.mapping.task import MappingTask
from carbonopt.performance.cost import mapped_cost
from carbonopt.performance.mapped import MappedLayer, mapped_layer
from carbonopt.performance.network import NetworkCost, oriented
from carbonopt.workload.layer import Layer
from carbonopt.workload.network import Network

_MACHINES = 64  # machines whose tables are kept, per network


class _Place(NamedTuple):
    """A layer on a machine, the variables it listens to, and what they say there."""

    task: MappingTask
    variables: int
    map: GeneMap


class MappingGenes:
    """The mapping variables of some networks, and what their values say.

    Equal layers share their variables, ``layer0.unrolling`` and so on, numbered as they come.

    Parameters
    ----------
    networks
        Every one runs on the design.
    levels
        Memory levels of each operand, at most.
    """

    def __init__(self, networks: Sequence[Network], levels: Mapping[Operand, int]) -> None:
        self.layers: dict[Layer, list[str]] = {}
        for network in networks:
            for layer in network.layers:
                where = f"{network.name}/{layer.name}"
                self.layers.setdefault(layer.anonymous, []).append(where)
        self._genes = [LayerGenes(layer, levels) for layer in self.layers]
        self._names = [
            [f"layer{number}.{name}" for name in genes.sizes]
            for number, genes in enumerate(self._genes)
        ]
        self._places: dict[tuple[Any, ...], list[_Place]] = {}

    @property
    def sizes(self) -> dict[str, int]:
        """Name of each variable to the number of its values."""
        return {
            name: size
            for names, genes in zip(self._names, self._genes, strict=True)
            for name, size in zip(names, genes.sizes.values(), strict=True)
        }

    def network_cost(
        self, network: Network, machine: Machine, design: Mapping[str, Any]
    ) -> NetworkCost:
        """Map every layer of a network as a design says, and sum up.

        Parameters
        ----------
        network, machine
            What is mapped onto what; the machine must be that of the design.
        design
            Values of the variables and of the hardware's.

        Raises
        ------
        MappingError
            If a layer cannot be mapped; the message names it and the memory that is too small.
        """
        mapped: dict[int, MappedLayer] = {}
        layers = []
        for task, number, gene_map in self._places_on(network, machine, design):
            if id(gene_map) not in mapped:
                chosen = gene_map.mapping([int(design[name]) for name in self._names[number]])
                cost = mapped_cost(gene_map.task, chosen)
                mapped[id(gene_map)] = mapped_layer(gene_map.task, chosen, cost, 0)
            layers.append(dataclasses.replace(mapped[id(gene_map)], task=task))
        return NetworkCost(tuple(layers))

    def _places_on(
        self, network: Network, machine: Machine, design: Mapping[str, Any]
    ) -> list[_Place]:
        """Return the layers of a network on a machine, from memory where it was met before."""
        ours = self.sizes
        hardware = tuple(item for item in design.items() if item[0] not in ours)
        key = (network.name, *sorted(hardware))
        if key not in self._places:
            if len(self._places) >= _MACHINES:
                del self._places[next(iter(self._places))]
            self._places[key] = self._placed(network, machine)
        return self._places[key]

    def _placed(self, network: Network, machine: Machine) -> list[_Place]:
        """Prepare the layers of a network on a machine; equal ones in equal memories once."""
        numbers = {layer: number for number, layer in enumerate(self.layers)}
        turned = oriented(network, machine)
        maps: dict[tuple[Any, ...], GeneMap] = {}
        places = []
        for given, layer, hierarchy in zip(
            network.layers, turned.layers, residency(turned, machine), strict=True
        ):
            number = numbers[given.anonymous]
            task = MappingTask(layer, machine, hierarchy)
            key = (number, *hierarchy.items())
            if key not in maps:
                maps[key] = GeneMap(task, self._genes[number])
            places.append(_Place(task, number, maps[key]))
        return places

    def __getstate__(self) -> dict[str, Any]:
        """Leave the tables behind: a worker makes its own."""
        return {**self.__dict__, "_places": {}}
