"""The shipped networks by name, built as ONNX models without weight values."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path

import onnx

from carbonopt.errors import SpecError
from carbonopt.workload import zoo_classic, zoo_mobile, zoo_tiny, zoo_transformer

_BUILDERS: dict[str, Callable[[int], onnx.ModelProto]] = {
    builder.__name__: builder
    for builder in (
        zoo_tiny.resnet8,
        zoo_tiny.ds_cnn,
        zoo_tiny.mobilenet_v1,
        zoo_tiny.autoencoder,
        zoo_mobile.mobilenet_edgetpu,
        zoo_mobile.ssd_mobilenet_v2,
        zoo_mobile.deeplab_v3,
        zoo_transformer.mobilebert,
        zoo_classic.alexnet,
        zoo_classic.vgg16,
        zoo_classic.resnet18,
        zoo_classic.resnet50,
        zoo_transformer.vit_b16_block,
        zoo_transformer.bert_base_block,
        zoo_transformer.llm_decode_block,
    )
}


def names() -> list[str]:
    """List the networks, suite by suite.

    Examples
    --------
    >>> names()[:4]
    ['resnet8', 'ds_cnn', 'mobilenet_v1', 'autoencoder']
    """
    return list(_BUILDERS)


def build(name: str, *, batch: int = 1) -> onnx.ModelProto:
    """Build a shipped network.

    Parameters
    ----------
    name
        One of `names`.
    batch
        Inputs per inference [-].

    Returns
    -------
    onnx.ModelProto
        Its weights have shapes and no values: it can be analysed, not run.

    Raises
    ------
    SpecError
        No network of that name is shipped.
    """
    if name not in _BUILDERS:
        raise unknown_network(name, names())
    return _BUILDERS[name](batch)


def save(name: str, path: str | Path, *, batch: int = 1) -> None:
    """Write a shipped network as an ONNX file.

    Parameters
    ----------
    name
        One of `names`.
    path
        Of the file to write.
    batch
        Inputs per inference [-].

    Raises
    ------
    SpecError
        No network of that name is shipped.
    """
    Path(path).write_bytes(build(name, batch=batch).SerializeToString())


def unknown_network(name: str, allowed: list[str]) -> SpecError:
    """Word the error for a name that is not among those allowed, with the nearest ones."""
    near = difflib.get_close_matches(name, allowed, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    return SpecError(f"network: got {name!r}, allowed: {', '.join(allowed)}, or an ONNX file{hint}")
