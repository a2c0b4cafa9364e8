"""The three vision networks of MLPerf Mobile v0.7.

References
----------
V. Janapa Reddi et al., "MLPerf Mobile Inference Benchmark", MLSys, 2022; model sources listed
in https://github.com/mlcommons/mobile_models, v0_7/tflite/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from onnx import ModelProto, TensorProto

from carbonopt.workload.zoo_graph import GraphBuilder

_EDGETPU_STAGES = (
    (True, 3, ((1, 16, 1), (8, 32, 2), (4, 32, 1), (4, 32, 1), (4, 32, 1))),
    (True, 3, ((8, 48, 2), (4, 48, 1), (4, 48, 1), (4, 48, 1))),
    (False, 3, ((8, 96, 2), (4, 96, 1), (4, 96, 1), (4, 96, 1))),
    (False, 3, ((8, 96, 1), (4, 96, 1), (4, 96, 1), (4, 96, 1))),
    (False, 5, ((8, 160, 2), (4, 160, 1), (4, 160, 1), (4, 160, 1))),
    (False, 3, ((8, 192, 1),)),
)
"""Stages of MobileNetEdgeTPU: fused expansion, kernel, (expansion, filters, stride) per block."""

_V2_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Stages of MobileNetV2: expansion, filters, blocks, stride of the first block."""


@dataclass(frozen=True)
class _Block:
    """Settings of an inverted bottleneck; `fused` expands with the full kernel."""

    name: str
    expansion: int
    filters: int
    kernel: int = 3
    stride: int = 1
    dilation: int = 1
    fused: bool = False
    residual: bool = True


def _bottleneck(graph: GraphBuilder, data: str, block: _Block) -> str:
    """Add an inverted bottleneck; an expansion by 1 has no layer of its own."""
    channels = graph.channels[data]
    x = data
    if block.expansion > 1:
        kernel, stride = (block.kernel, block.stride) if block.fused else (1, 1)
        x = graph.conv(x, channels * block.expansion, kernel, f"{block.name}/expand", stride=stride)
    if not block.fused:
        x = graph.depthwise(
            x,
            block.kernel,
            f"{block.name}/depthwise",
            stride=block.stride,
            dilation=block.dilation,
        )
    x = graph.conv(x, block.filters, 1, f"{block.name}/project", activation=None)
    if block.residual and block.stride == 1 and block.filters == channels:
        x = graph.add(data, x, f"{block.name}/add")
    return x


def mobilenet_edgetpu(batch: int) -> ModelProto:
    """Build MobileNetEdgeTPU 1.0 for image classification: ImageNet, 224 x 224, 1001 classes.

    References
    ----------
    V3_EDGETPU in https://github.com/tensorflow/models, research/slim/nets/mobilenet/mobilenet_v3.py
    """
    graph = GraphBuilder("mobilenet_edgetpu")
    x = graph.conv(graph.image(batch, 3, 224, 224), 32, 3, "stem", stride=2)
    for stage, (fused, kernel, blocks) in enumerate(_EDGETPU_STAGES, start=1):
        for position, (expansion, filters, stride) in enumerate(blocks, start=1):
            name = f"stage{stage}/block{position}"
            block = _Block(name, expansion, filters, kernel, stride, 1, fused, position > 1)
            x = _bottleneck(graph, x, block)
    x = graph.global_pool(graph.conv(x, 1280, 1, "top"))
    x = graph.flatten(graph.conv(x, 1001, 1, "logits", activation=None), 1001)
    return graph.model([graph.node("Softmax", [x], "softmax")])


def _mobilenet_v2(graph: GraphBuilder, data: str, output_stride: int) -> str:
    """Add MobileNetV2 up to its 320 channels; past the output stride, strides dilate instead."""
    x = graph.conv(data, 32, 3, "stem", stride=2)
    reached, dilation = 2, 1
    for stage, (expansion, filters, blocks, first_stride) in enumerate(_V2_STAGES, start=1):
        for position in range(1, blocks + 1):
            stride = first_stride if position == 1 else 1
            rate = dilation
            if reached * stride > output_stride:
                dilation, stride = dilation * stride, 1
            reached *= stride
            name = f"stage{stage}/block{position}"
            x = _bottleneck(graph, x, _Block(name, expansion, filters, 3, stride, rate))
    return x


def ssd_mobilenet_v2(batch: int) -> ModelProto:
    """Build SSD-MobileNetV2 for object detection: COCO, 300 x 300, 90 classes and background.

    Six feature maps with 3 boxes per cell in the first and 6 in the others; 3 x 3 predictors,
    the added maps by depthwise and pointwise convolution. Non-maximum suppression is left out.

    References
    ----------
    https://github.com/tensorflow/models, research/object_detection:
    samples/configs/ssd_mobilenet_v2_coco.config, models/ssd_mobilenet_v2_feature_extractor.py
    """
    graph = GraphBuilder("ssd_mobilenet_v2")
    x = _mobilenet_v2(graph, graph.image(batch, 3, 300, 300), 32)
    maps = ["stage6/block1/expand/Relu", graph.conv(x, 1280, 1, "top")]
    for position, filters in enumerate((512, 256, 256, 128), start=3):
        x = graph.conv(maps[-1], filters // 2, 1, f"map{position}/reduce")
        x = graph.depthwise(x, 3, f"map{position}/depthwise", stride=2)
        maps.append(graph.conv(x, filters, 1, f"map{position}/pointwise"))
    outputs = []
    for position, data in enumerate(maps, start=1):
        boxes = 3 if position == 1 else 6
        for head, size in (("box", 4), ("class", 91)):
            outputs.append(
                graph.conv(data, boxes * size, 3, f"map{position}/{head}", activation=None)
            )
    return graph.model(outputs)


def deeplab_v3(batch: int) -> ModelProto:
    """Build DeepLabV3+ on MobileNetV2 for segmentation: ADE20K, 512 x 512, 32 classes.

    Output stride 16; image pooling and a pointwise branch; the decoder joins the 144 expanded
    channels of the third bottleneck at a quarter of the resolution.

    References
    ----------
    L.-C. Chen et al., "Encoder-Decoder with Atrous Separable Convolution for Semantic Image
    Segmentation", ECCV, 2018; https://github.com/tensorflow/models, research/deeplab/core.
    """
    graph = GraphBuilder("deeplab_v3")
    x = _mobilenet_v2(graph, graph.image(batch, 3, 512, 512), 16)
    pooled = graph.conv(graph.global_pool(x), 256, 1, "image_pooling")
    pooled = _resized(graph, pooled, (batch, 256, 32, 32), "image_pooling/resize")
    x = graph.concat([pooled, graph.conv(x, 256, 1, "aspp")], "join")
    x = graph.conv(x, 256, 1, "projection")
    x = _resized(graph, x, (batch, 256, 128, 128), "decoder/resize")
    low = graph.conv("stage2/block2/depthwise/Relu", 48, 1, "decoder/low_level")
    x = graph.concat([x, low], "decoder/join")
    for position in (1, 2):
        x = graph.depthwise(x, 3, f"decoder/conv{position}/depthwise")
        x = graph.conv(x, 256, 1, f"decoder/conv{position}/pointwise")
    x = graph.conv(x, 32, 1, "logits", activation=None)
    x = _resized(graph, x, (batch, 32, 512, 512), "resize")
    return graph.model([graph.node("ArgMax", [x], "classes", axis=1)], TensorProto.INT64)


def _resized(graph: GraphBuilder, data: str, shape: tuple[int, ...], name: str) -> str:
    """Add a bilinear resize to a shape."""
    sizes = graph.integers(f"{name}/sizes", shape)
    return graph.node("Resize", [data, "", "", sizes], name, mode="linear")
