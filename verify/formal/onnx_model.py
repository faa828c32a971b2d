"""A network as an ONNX model: the very weights of its file, layer by layer, in the precision in which they are stored.

Inputs are (batch, 2n) numbers, a one-hot vector for x and behind it one for y, in the file's own numbering; outputs are the (batch, n)
logits. Every pre-activation and every logit is the sum of products that `net.folded` speaks of, in some order, so where the certificate
counts a pair for float32 in any order of summation, a runtime that computes in float32 gives the same answer.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from net.errors import MalformedInput

if TYPE_CHECKING:
    from collections.abc import Mapping

    from onnx import NodeProto

    from net.formats.layers import Layers

#: Version of the operators, which all are as in ONNX 1.8.
OPSET = 13
#: Version of the file format that goes with it.
IR_VERSION = 7


def onnx_bytes(layers: Layers, about: Mapping[str, object]) -> bytes:
    """The model as a file; the same network gives the same bytes. ``about`` becomes the metadata of the model, as JSON.

    Raises:
        MalformedInput: the package onnx is not installed.

    """
    try:
        from onnx import TensorProto, helper, numpy_helper
    except ImportError as error:
        raise MalformedInput("expected the package onnx, got none: pip install 'coset-verify[onnx]'") from error
    single = layers.in_float32()
    dtype, kind = (np.float32, TensorProto.FLOAT) if single else (np.float64, TensorProto.DOUBLE)
    nodes: list[NodeProto] = []
    constants: list[TensorProto] = []

    def constant(name: str, array: object) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(array, dtype=dtype), name))
        return name

    def apply(operator: str, *inputs: str, name: str) -> str:
        nodes.append(helper.make_node(operator, list(inputs), [name], name=name))
        return name

    n = layers.order
    constants.append(numpy_helper.from_array(np.array([n, n], dtype=np.int64), "sizes"))
    nodes.append(helper.make_node("Split", ["inputs", "sizes"], ["x", "y"], name="split", axis=1))
    sides = []
    for at, side, factors, added in (("x", "left", layers.left, layers.left_added), ("y", "right", layers.right, layers.right_added)):
        found = apply("MatMul", at, constant(f"{side}_0", factors[0]), name=f"{side}_read")
        embedded = [chain[0] for chain in added if len(chain) == 2]  # biases of the embedding, before the matrix
        for k, vector in enumerate(embedded):
            found = apply("Add", found, constant(f"{side}_embedding_bias_{k}", vector), name=f"{side}_embedded_{k}")
        for k, factor in enumerate(factors[1:], 1):
            found = apply("MatMul", found, constant(f"{side}_{k}", factor), name=f"{side}_through_{k}")
        for k, vector in enumerate(chain[0] for chain in added if len(chain) == 1):
            found = apply("Add", found, constant(f"{side}_bias_{k}", vector), name=f"{side}_with_bias_{k}")
        sides.append(found)
    found = apply("Add", *sides, name="preactivations")
    if layers.activation == "square":
        found = apply("Mul", found, found, name="activations")
    else:
        found = apply("Relu", found, name="activations")
    if layers.after_relu is not None:
        found = apply("Add", found, constant("after", layers.after_relu), name="moved")
    found = apply("MatMul", found, constant("votes", layers.unembedding), name="voted")
    if layers.middle is not None:
        found = apply("Add", found, constant("middle", layers.middle), name="middle_added")
    if layers.through is not None:
        found = apply("MatMul", found, constant("through", layers.through), name="unembedded")
    if layers.bias is not None:
        found = apply("Add", found, constant("bias", layers.bias), name="biased")
    apply("Identity", found, name="logits")
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("inputs", kind, ["batch", 2 * n])],
        [helper.make_tensor_value_info("logits", kind, ["batch", n])],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="coset-verify", producer_version=""
    )
    helper.set_model_props(model, {"coset-verify": json.dumps(about, sort_keys=True)})
    return bytes(model.SerializeToString(deterministic=True))
