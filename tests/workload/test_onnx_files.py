"""ONNX models that the onnx package carries, against their published counts."""

from pathlib import Path

import onnx
import pytest

from carbonopt.workload.onnx import read_onnx

LIGHT = Path(onnx.__file__).parent / "backend" / "test" / "data" / "light"


@pytest.mark.reference
def test_light_models_have_their_published_counts(reference):
    table = reference("published_networks.csv").set_index("model").filter(like="light_", axis=0)
    assert len(table) == len(list(LIGHT.glob("*.onnx"))) == 9
    for name, fact in table.iterrows():
        network = read_onnx(LIGHT / f"{name}.onnx")
        assert (network.macs, network.weights) == (fact["macs"], fact["weights"]), name
        if fact["published_macs"] > 0:
            relative = fact["macs_tolerance"]
            assert network.macs == pytest.approx(fact["published_macs"], rel=relative), name


def counts(*convolutions):
    """MACs and weights of (filters, channels per group, kernel, output extent)."""
    weights = [k * c * f * f for k, c, f, _ in convolutions]
    return sum(w * o[3] ** 2 for w, o in zip(weights, convolutions, strict=True)), sum(weights)


def test_zfnet_by_formula():
    expected = counts(
        (96, 3, 7, 109), (256, 96, 5, 25), (512, 256, 3, 12), (512, 512, 3, 12),
        (512, 512, 3, 12), (4096, 512, 6, 1), (1024, 4096, 1, 1), (1000, 1024, 1, 1),
    )  # fmt: skip
    network = read_onnx(LIGHT / "light_zfnet512.onnx")
    assert (network.macs, network.weights) == expected


def test_shufflenet_by_formula():
    rows = [(24, 3, 3, 112)]
    before, extent = 24, 56
    for filters, blocks in ((136, 4), (272, 8), (544, 4)):
        for block in range(blocks):
            new = filters - before if block == 0 else filters
            rows.append((new, before // 4, 1, extent))
            extent = extent // 2 if block == 0 else extent
            rows += [(new, 1, 3, extent), (new, new // 4, 1, extent)]
            before = filters
    network = read_onnx(LIGHT / "light_shufflenet.onnx")
    assert (network.macs, network.weights) == counts(*rows, (1000, 544, 1, 1))


def test_inception_v2_by_formula():
    rows = [(64, 3, 7, 112), (64, 64, 1, 56), (192, 64, 3, 56)]
    blocks = (
        (28, 0, 192, 64, (64, 64), (64, 96), 32),
        (28, 0, 256, 64, (64, 96), (64, 96), 64),
        (28, 1, 320, 0, (128, 160), (64, 96), 0),
        (14, 0, 576, 224, (64, 96), (96, 128), 128),
        (14, 0, 576, 192, (96, 128), (96, 128), 128),
        (14, 0, 576, 160, (128, 160), (128, 160), 96),
        (14, 0, 576, 96, (128, 192), (160, 192), 96),
        (14, 1, 576, 0, (128, 192), (192, 256), 0),
        (7, 0, 1024, 352, (192, 320), (160, 224), 128),
        (7, 0, 1024, 352, (192, 320), (192, 224), 128),
    )
    for extent, halved, channels, point, (reduce3, out3), (reduce5, out5), pool in blocks:
        out = extent // 2 if halved else extent
        rows += [(point, channels, 1, extent), (pool, channels, 1, extent)]
        rows += [(reduce3, channels, 1, extent), (out3, reduce3, 3, out)]
        rows += [(reduce5, channels, 1, extent), (out5, reduce5, 3, extent), (out5, out5, 3, out)]
    network = read_onnx(LIGHT / "light_inception_v2.onnx")
    assert (network.macs, network.weights) == counts(*rows, (1000, 1024, 1, 1))


def test_squeezenet_branches_meet_again():
    layers = read_onnx(LIGHT / "light_squeezenet.onnx").layers
    assert [layer.predecessors for layer in layers[:5]] == [(), (0,), (1,), (1,), (2, 3)]
