"""MobileBERT, and single blocks of transformers for images, text and text generation."""

from __future__ import annotations

from onnx import ModelProto, TensorProto

from carbonopt.workload.zoo_graph import GraphBuilder


def vit_b16_block(batch: int) -> ModelProto:
    """Build one of the 12 blocks of ViT-B/16: 196 patches and a class token, 768 wide.

    References
    ----------
    A. Dosovitskiy et al., "An Image is Worth 16x16 Words", ICLR, 2021, table 1.
    """
    return _encoder_block("vit_b16_block", batch, tokens=197, pre_norm=True)


def bert_base_block(batch: int) -> ModelProto:
    """Build one of the 12 blocks of BERT-base on 384 tokens, 768 wide.

    References
    ----------
    J. Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers for Language
    Understanding", NAACL, 2019, section 3; sequence length of MLPerf Inference (SQuAD).
    """
    return _encoder_block("bert_base_block", batch, tokens=384, pre_norm=False)


def llm_decode_block(batch: int) -> ModelProto:
    """Build one of the 32 blocks of Llama 2 7B while it decodes one token.

    Width 4096, 32 heads of 128, gated feed-forward of 11008; the cache holds the keys and values
    of 2047 tokens, so that 2048 are attended to. Rotary embedding is left out.

    References
    ----------
    H. Touvron et al., "Llama 2: Open Foundation and Fine-Tuned Chat Models", arXiv:2307.09288,
    2023; dimensions in H. Touvron et al., "LLaMA", arXiv:2302.13971, 2023, table 2.
    """
    width, heads, hidden, cached = 4096, 32, 11008, 2047
    graph = GraphBuilder("llm_decode_block")
    x = graph.input("token", (batch, 1, width), width)
    normed = _rms_norm(graph, x, "norm1")
    query, key, value = (
        _heads(graph, graph.linear(normed, width, name, bias=False), heads, name)
        for name in ("query", "key", "value")
    )
    shape = (batch, heads, cached, width // heads)
    key, value = (
        graph.concat([graph.input(f"{name}_cache", shape, width), new], f"{name}/all", axis=2)
        for name, new in (("key", key), ("value", value))
    )
    y = _attention(graph, query, key, value, width)
    x = graph.add(x, graph.linear(y, width, "attention/output", bias=False), "add1")
    normed = _rms_norm(graph, x, "norm2")
    gate = graph.linear(normed, hidden, "gate", bias=False)
    gate = graph.node("Mul", [gate, graph.node("Sigmoid", [gate], "gate/Sigmoid")], "gate/Silu")
    y = graph.node("Mul", [gate, graph.linear(normed, hidden, "up", bias=False)], "gated")
    return graph.model([graph.add(x, graph.linear(y, width, "down", bias=False), "add2")])


def mobilebert(batch: int) -> ModelProto:
    """Build MobileBERT for question answering: 384 tokens, 24 blocks, 512 wide, 128 inside.

    References
    ----------
    Z. Sun et al., "MobileBERT: a Compact Task-Agnostic BERT for Resource-Limited Devices", ACL,
    2020, table 1 (MobileBERT) and figure 1.
    """
    graph = GraphBuilder("mobilebert")
    x = _mobilebert_embedding(graph, batch, tokens=384, width=512)
    for position in range(1, 25):
        x = _mobilebert_block(graph, x, f"block{position}")
    return graph.model([graph.linear(x, 2, "answer")])


def _mobilebert_embedding(graph: GraphBuilder, batch: int, tokens: int, width: int) -> str:
    """Add word vectors of 128, each joined with those of its neighbours, made `width` wide."""
    ids = graph.input("ids", (batch, tokens), 128, TensorProto.INT64)
    table = graph.weight("words/table", (30522, 128))
    words = graph.node("Gather", [table, ids], "words", channels=128)
    pads = graph.integers("trigram/pads", (0, 1, 0, 0, 1, 0))
    words = graph.node("Pad", [words, pads], "trigram/pad")
    axis = graph.integers("trigram/axis", (1,))
    parts = []
    for offset in range(3):
        name = f"trigram/slice{offset}"
        start = graph.integers(f"{name}/start", (offset,))
        end = graph.integers(f"{name}/end", (offset + tokens,))
        parts.append(graph.node("Slice", [words, start, end, axis], name))
    joined = graph.node("Concat", parts, "trigram", channels=3 * 128, axis=2)
    x = graph.linear(joined, width, "embedding")
    x = graph.add(x, graph.weight("positions", (tokens, width)), "embedding/positions")
    return _no_norm(graph, x, "embedding/norm")


def _mobilebert_block(graph: GraphBuilder, data: str, name: str) -> str:
    """Add a block: bottlenecks, attention of 4 heads, four feed-forward networks, and back."""
    inner = _no_norm(graph, graph.linear(data, 128, f"{name}/reduce"), f"{name}/reduce/norm")
    shared = graph.linear(data, 128, f"{name}/shared")
    shared = _no_norm(graph, shared, f"{name}/shared/norm")
    query, key, value = (
        _heads(graph, graph.linear(source, 128, f"{name}/{part}"), 4, f"{name}/{part}")
        for part, source in (("query", shared), ("key", shared), ("value", data))
    )
    y = _attention(graph, query, key, value, 128, f"{name}/")
    y = graph.add(graph.linear(y, 128, f"{name}/attention/output"), inner, f"{name}/attention/add")
    y = _no_norm(graph, y, f"{name}/attention/norm")
    for position in range(1, 5):
        network = f"{name}/feed{position}"
        z = graph.linear(y, 512, f"{network}/expand")
        z = graph.linear(graph.node("Relu", [z], f"{network}/Relu"), 128, f"{network}/project")
        y = _no_norm(graph, graph.add(z, y, f"{network}/add"), f"{network}/norm")
    y = graph.add(graph.linear(y, 512, f"{name}/restore"), data, f"{name}/add")
    return _no_norm(graph, y, f"{name}/norm")


def _encoder_block(name: str, batch: int, *, tokens: int, pre_norm: bool) -> ModelProto:
    """Build an encoder block of 768 channels, 12 heads and a feed-forward of 3072."""
    width, heads, hidden = 768, 12, 3072
    graph = GraphBuilder(name)
    x = graph.input("tokens", (batch, tokens, width), width)
    source = _layer_norm(graph, x, "norm1") if pre_norm else x
    query, key, value = (
        _heads(graph, graph.linear(source, width, part), heads, part)
        for part in ("query", "key", "value")
    )
    y = _attention(graph, query, key, value, width)
    x = graph.add(x, graph.linear(y, width, "attention/output"), "add1")
    x, source = (
        (x, _layer_norm(graph, x, "norm2")) if pre_norm else (_layer_norm(graph, x, "norm1"),) * 2
    )
    y = graph.node("Gelu", [graph.linear(source, hidden, "expand")], "expand/Gelu")
    x = graph.add(x, graph.linear(y, width, "project"), "add2")
    return graph.model([x if pre_norm else _layer_norm(graph, x, "norm2")])


def _heads(graph: GraphBuilder, data: str, heads: int, name: str) -> str:
    """Split (batch, tokens, width) into (batch, heads, tokens, width / heads)."""
    width = graph.channels[data]
    x = graph.reshape(data, (0, 0, heads, width // heads), f"{name}/split", width)
    return graph.node("Transpose", [x], f"{name}/heads", perm=[0, 2, 1, 3])


def _attention(
    graph: GraphBuilder, query: str, key: str, value: str, width: int, prefix: str = ""
) -> str:
    """Add softmax(Q K^T) V of tensors (batch, heads, tokens, channels), and join the heads."""
    transposed = graph.node("Transpose", [key], f"{prefix}key/transposed", perm=[0, 1, 3, 2])
    scores = graph.node("MatMul", [query, transposed], f"{prefix}attention/scores")
    weights = graph.node("Softmax", [scores], f"{prefix}attention/softmax")
    x = graph.node("MatMul", [weights, value], f"{prefix}attention/context")
    x = graph.node("Transpose", [x], f"{prefix}attention/transposed", perm=[0, 2, 1, 3])
    return graph.reshape(x, (0, 0, width), f"{prefix}attention/join", width)


def _layer_norm(graph: GraphBuilder, data: str, name: str) -> str:
    """Add layer normalisation over the channels."""
    shape = (graph.channels[data],)
    scale, bias = graph.weight(f"{name}/scale", shape), graph.weight(f"{name}/bias", shape)
    return graph.node("LayerNormalization", [data, scale, bias], name)


def _no_norm(graph: GraphBuilder, data: str, name: str) -> str:
    """Add the scale and bias that MobileBERT has in place of a normalisation."""
    shape = (graph.channels[data],)
    x = graph.node("Mul", [data, graph.weight(f"{name}/w", shape)], f"{name}/scale")
    return graph.node("Add", [x, graph.weight(f"{name}/b", shape)], name)


def _rms_norm(graph: GraphBuilder, data: str, name: str) -> str:
    """Add division by the root mean square over the channels, and a scale."""
    square = graph.node("Mul", [data, data], f"{name}/square")
    axes = graph.integers(f"{name}/axes", (-1,))
    mean = graph.node("ReduceMean", [square, axes], f"{name}/mean")
    x = graph.node("Div", [data, graph.node("Sqrt", [mean], f"{name}/root")], f"{name}/unit")
    return graph.node("Mul", [x, graph.weight(f"{name}/w", (graph.channels[data],))], name)
