"""Image classifiers that most papers on accelerators report: ImageNet, 1000 classes."""

from __future__ import annotations

from onnx import ModelProto

from carbonopt.workload.zoo_graph import GraphBuilder


def alexnet(batch: int) -> ModelProto:
    """Build AlexNet with its two groups, 227 x 227, as the reference Caffe model has it.

    References
    ----------
    A. Krizhevsky et al., "ImageNet Classification with Deep Convolutional Neural Networks",
    NeurIPS, 2012; https://github.com/BVLC/caffe, models/bvlc_alexnet.
    """
    graph = GraphBuilder("alexnet")
    x = graph.conv(graph.image(batch, 3, 227, 227), 96, 11, "conv1", stride=4, pad=0)
    x = graph.node("LRN", [x], "norm1", size=5)
    x = graph.max_pool(x, 3, 2, "pool1")
    x = graph.conv(x, 256, 5, "conv2", groups=2)
    x = graph.node("LRN", [x], "norm2", size=5)
    x = graph.max_pool(x, 3, 2, "pool2")
    x = graph.conv(x, 384, 3, "conv3")
    x = graph.conv(x, 384, 3, "conv4", groups=2)
    x = graph.conv(x, 256, 3, "conv5", groups=2)
    x = graph.max_pool(x, 3, 2, "pool5")
    return _classified(graph, graph.flatten(x, 256 * 6 * 6), (4096, 4096, 1000))


def vgg16(batch: int) -> ModelProto:
    """Build VGG-16 (configuration D), 224 x 224.

    References
    ----------
    K. Simonyan and A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition", ICLR, 2015, table 1.
    """
    graph = GraphBuilder("vgg16")
    x = graph.image(batch, 3, 224, 224)
    stages = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
    for stage, (convolutions, filters) in enumerate(stages, start=1):
        for position in range(1, convolutions + 1):
            x = graph.conv(x, filters, 3, f"conv{stage}_{position}")
        x = graph.max_pool(x, 2, 2, f"pool{stage}")
    return _classified(graph, graph.flatten(x, 512 * 7 * 7), (4096, 4096, 1000))


def resnet18(batch: int) -> ModelProto:
    """Build ResNet-18, 224 x 224, with projection shortcuts.

    References
    ----------
    K. He et al., "Deep Residual Learning for Image Recognition", CVPR, 2016, table 1.
    """
    return _resnet("resnet18", batch, (2, 2, 2, 2), bottleneck=False)


def resnet50(batch: int) -> ModelProto:
    """Build ResNet-50 v1.5, 224 x 224: the 3 x 3 convolution of a bottleneck has the stride.

    References
    ----------
    K. He et al., "Deep Residual Learning for Image Recognition", CVPR, 2016, table 1; the place
    of the stride as in MLPerf Inference and torchvision.
    """
    return _resnet("resnet50", batch, (3, 4, 6, 3), bottleneck=True)


def _resnet(name: str, batch: int, stages: tuple[int, ...], *, bottleneck: bool) -> ModelProto:
    """Build a residual network of four stages."""
    graph = GraphBuilder(name)
    x = graph.conv(graph.image(batch, 3, 224, 224), 64, 7, "stem", stride=2, pad=3)
    x = graph.max_pool(x, 3, 2, "pool1", pad=1)
    for stage, blocks in enumerate(stages, start=1):
        for position in range(1, blocks + 1):
            stride = 2 if stage > 1 and position == 1 else 1
            block = f"stage{stage}/block{position}"
            x = _residual(graph, x, 32 * 2**stage, stride, block, bottleneck=bottleneck)
    x = graph.global_pool(x)
    return _classified(graph, graph.flatten(x, graph.channels[x]), (1000,))


def _residual(
    graph: GraphBuilder, data: str, width: int, stride: int, name: str, *, bottleneck: bool
) -> str:
    """Add a residual block; its shortcut is a convolution where the shape changes."""
    if bottleneck:
        filters = 4 * width
        y = graph.conv(data, width, 1, f"{name}/conv1")
        y = graph.conv(y, width, 3, f"{name}/conv2", stride=stride, pad=1)
        y = graph.conv(y, filters, 1, f"{name}/conv3", activation=None)
    else:
        filters = width
        y = graph.conv(data, width, 3, f"{name}/conv1", stride=stride, pad=1)
        y = graph.conv(y, width, 3, f"{name}/conv2", pad=1, activation=None)
    if stride > 1 or graph.channels[data] != filters:
        data = graph.conv(
            data, filters, 1, f"{name}/shortcut", stride=stride, pad=0, activation=None
        )
    return graph.add(data, y, f"{name}/add", "Relu")


def _classified(graph: GraphBuilder, data: str, features: tuple[int, ...]) -> ModelProto:
    """Close a classifier with dense layers and the softmax."""
    for position, size in enumerate(features[:-1], start=1):
        data = graph.dense(data, size, f"dense{position}", "Relu")
    logits = graph.dense(data, features[-1], f"dense{len(features)}")
    return graph.model([graph.node("Softmax", [logits], "softmax")])
