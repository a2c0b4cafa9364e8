"""The four MLPerf Tiny networks, after the reference models of the benchmark.

References
----------
C. Banbury et al., "MLPerf Tiny Benchmark", NeurIPS Datasets and Benchmarks, 2021, table 1;
https://github.com/mlcommons/tiny, benchmark/training.
"""

from __future__ import annotations

from onnx import ModelProto

from carbonopt.workload.zoo_graph import GraphBuilder


def resnet8(batch: int) -> ModelProto:
    """Build ResNet-8 for image classification: CIFAR-10, 32 x 32, three residual stacks."""
    graph = GraphBuilder("resnet8")
    x = graph.conv(graph.image(batch, 3, 32, 32), 16, 3, "stem")
    for stack, (filters, stride) in enumerate(((16, 1), (32, 2), (64, 2)), start=1):
        y = graph.conv(x, filters, 3, f"stack{stack}/conv1", stride=stride)
        y = graph.conv(y, filters, 3, f"stack{stack}/conv2", activation=None)
        if stride > 1:
            x = graph.conv(x, filters, 1, f"stack{stack}/shortcut", stride=stride, activation=None)
        x = graph.add(x, y, f"stack{stack}/add", "Relu")
    return _classified(graph, x, 10)


def ds_cnn(batch: int) -> ModelProto:
    """Build DS-CNN for keyword spotting: 49 frames of 10 coefficients, 12 words."""
    graph = GraphBuilder("ds_cnn")
    x = graph.conv(graph.image(batch, 1, 49, 10), 64, (10, 4), "stem", stride=2)
    for block in range(1, 5):
        x = graph.depthwise(x, 3, f"block{block}/depthwise")
        x = graph.conv(x, 64, 1, f"block{block}/pointwise")
    return _classified(graph, x, 12)


def mobilenet_v1(batch: int) -> ModelProto:
    """Build MobileNetV1 0.25 for visual wake words: 96 x 96, person or none."""
    graph = GraphBuilder("mobilenet_v1")
    x = graph.conv(graph.image(batch, 3, 96, 96), 8, 3, "stem", stride=2)
    blocks = ((16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2), *(((128, 1),) * 5))
    for block, (filters, stride) in enumerate((*blocks, (256, 2), (256, 1)), start=1):
        x = graph.depthwise(x, 3, f"block{block}/depthwise", stride=stride)
        x = graph.conv(x, filters, 1, f"block{block}/pointwise")
    return _classified(graph, x, 2)


def autoencoder(batch: int) -> ModelProto:
    """Build the dense autoencoder for anomaly detection: 5 frames of 128 mel bands."""
    graph = GraphBuilder("autoencoder")
    x = graph.input("spectrum", (batch, 640), 640)
    for position, features in enumerate((*(128,) * 4, 8, *(128,) * 4), start=1):
        x = graph.dense(x, features, f"dense{position}", "Relu")
    return graph.model([graph.dense(x, 640, "dense10")])


def _classified(graph: GraphBuilder, data: str, classes: int) -> ModelProto:
    """Close a classifier with the mean over the image, one dense layer and the softmax."""
    pooled = graph.flatten(graph.global_pool(data), graph.channels[data])
    return graph.model([graph.node("Softmax", [graph.dense(pooled, classes, "dense")], "softmax")])
