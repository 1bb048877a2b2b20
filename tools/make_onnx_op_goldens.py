"""Writes tests/goldens/onnx_ops.safetensors: small ONNX files of single operators in their versions, and what onnxruntime computes.

    python tools/make_onnx_op_goldens.py

Each file takes an image `x` of the formula in networks.py and flattens its operator's result to scores. Sizes are odd, and rows
differ from columns.
"""
from pathlib import Path

import networks
import numpy as np
import onnx
import onnxruntime
import safetensors.numpy
from onnx import TensorProto, helper, numpy_helper

TARGET = Path(__file__).parent.parent / "tests/goldens/onnx_ops.safetensors"
CASES = {}
random = np.random.default_rng(7)


def numbers(*shape):
    return random.standard_normal(shape).astype(np.float32)


def case(name, op, constants=(), opset=17, shape=(1, 6, 5, 7), before=(), after=(), outputs=1, **attributes):
    """An operator on `x`, or on the result of `before`, with constants as further operands."""
    inits, names = [], []
    for i, constant in enumerate(constants):
        if isinstance(constant, str):
            names.append(constant)
        elif constant is None:
            names.append("")
        else:
            inits.append(numpy_helper.from_array(np.asarray(constant), f"c{i}"))
            names.append(f"c{i}")
    nodes, last = [], "x"
    for i, (kind, more) in enumerate(before):
        nodes.append(helper.make_node(kind, [last], [f"b{i}"], **more))
        last = f"b{i}"
    made = [f"r{i}" for i in range(outputs)]
    operands = names if "x" in names else [last, *names]
    nodes.append(helper.make_node(op, operands, made, **attributes))
    last = made[-1]
    for i, (kind, more) in enumerate(after):
        nodes.append(helper.make_node(kind, [last], [f"a{i}"], **more))
        last = f"a{i}"
    nodes.append(helper.make_node("Flatten", [last], ["y"], axis=0))
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
                              [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, "k"])], inits)
    CASES[name] = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), shape


def i64(*values):
    return np.array(values, np.int64)


half = np.float32(0.5)
for op in "Abs Erf Exp HardSwish Identity Mish Neg Relu Selu Softplus Tanh Elu LeakyRelu HardSigmoid".split():
    case(op, op, opset=18 if op == "Mish" else 17)
case("Elu alpha", "Elu", alpha=0.3)
case("Selu alpha", "Selu", alpha=1.2, gamma=0.7)
case("LeakyRelu alpha", "LeakyRelu", alpha=0.2)
case("HardSigmoid alpha", "HardSigmoid", alpha=0.3, beta=0.4)
case("Gelu", "Gelu", opset=20)
case("Gelu tanh", "Gelu", opset=20, approximate="tanh")
for op in ("Log", "Sqrt", "Reciprocal"):
    case(op, op, before=[("Softplus", {})])
case("PRelu", "PRelu", [numbers(6, 1, 1)])
case("PRelu one", "PRelu", [numbers(1)])
case("Clip 6", "Clip", min=-0.5, max=0.8, opset=6)
case("Clip", "Clip", [-half, half])
case("Clip low", "Clip", [-half])
case("Clip high", "Clip", [None, half])
for exponent in (2.0, 3.0, 0.5, -0.5, 1.7):
    case(f"Pow {exponent}", "Pow", [np.float32(exponent)], before=[("Softplus", {})])
for op in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
    for name, constant in (("scalar", np.float32(0.7)), ("channels", numbers(6, 1, 1) + 3), ("rows", numbers(5, 1) + 3),
                           ("columns", numbers(7) + 3), ("map", numbers(1, 6, 5, 7) + 3), ("plane", numbers(5, 7) + 3)):
        case(f"{op} {name}", op, [constant])
    case(f"{op} from a constant", op, [numbers(6, 1, 1), "x"])
    case(f"{op} enlarging", op, [numbers(4, 1, 1, 1)[0] + 3], shape=(1, 1, 5, 7))
case("Add twice", "Add", ["x", "x"])
case("Sum", "Sum", ["x", "x", "x"])
case("Conv", "Conv", [numbers(4, 6, 3, 2), numbers(4)], pads=[1, 0, 0, 1], strides=[2, 1], dilations=[1, 2])
case("Conv groups", "Conv", [numbers(4, 3, 3, 3)], group=2, auto_pad="SAME_UPPER", strides=[2, 2])
case("Conv lower", "Conv", [numbers(6, 1, 2, 2)], group=6, auto_pad="SAME_LOWER")
case("Conv valid", "Conv", [numbers(3, 6, 3, 3)], auto_pad="VALID")
case("ConvTranspose", "ConvTranspose", [numbers(6, 4, 3, 3), numbers(4)], strides=[2, 2], pads=[1, 0, 1, 1], output_padding=[1, 0])
case("ConvTranspose groups", "ConvTranspose", [numbers(6, 2, 2, 3)], group=3, strides=[1, 2], dilations=[2, 1])
case("MaxPool", "MaxPool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
case("MaxPool ceil", "MaxPool", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
case("AveragePool", "AveragePool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
case("AveragePool with borders", "AveragePool", kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
case("AveragePool same", "AveragePool", kernel_shape=[2, 3], auto_pad="SAME_UPPER")
case("GlobalAveragePool", "GlobalAveragePool")
case("GlobalMaxPool", "GlobalMaxPool")
case("BatchNormalization", "BatchNormalization", [numbers(6), numbers(6), numbers(6), np.abs(numbers(6)) + half], epsilon=1e-3)
case("InstanceNormalization", "InstanceNormalization", [numbers(6), numbers(6)])
case("GroupNormalization", "GroupNormalization", [numbers(6), numbers(6)], opset=21, num_groups=3)
case("LayerNormalization", "LayerNormalization", [numbers(7), numbers(7)])
case("LayerNormalization plane", "LayerNormalization", [numbers(5, 7)], axis=-2)
case("LayerNormalization all", "LayerNormalization", [numbers(6, 5, 7), numbers(6, 5, 7)], axis=1)
case("LayerNormalization last", "LayerNormalization", [numbers(6), numbers(6)], before=[("Transpose", {"perm": [0, 2, 3, 1]})])
case("LRN", "LRN", size=3, alpha=0.1, beta=0.6, bias=1.5)
# At the end these two would make probabilities of scores.
case("Sigmoid", "Sigmoid", after=[("Neg", {})])
case("Softmax", "Softmax", after=[("Neg", {})])
case("Softmax channels", "Softmax", axis=1, after=[("Neg", {})])
case("Softmax rows", "Softmax", axis=2, after=[("Neg", {})])
case("Softmax 11", "Softmax", axis=2, opset=11, after=[("Neg", {})])
for op in ("ReduceMean", "ReduceMax", "ReduceL2"):
    for name, axes in (("space", [2, 3]), ("channels", [1]), ("columns", [-1]), ("rows", [2]), ("mixed", [1, 3])):
        case(f"{op} {name}", op, axes=axes, keepdims=0)
        case(f"{op} {name} kept", op, axes=axes)
case("ReduceMean 18", "ReduceMean", [i64(1, 2)], opset=18)
case("ReduceSum", "ReduceSum", [i64(1, 2)], keepdims=0)
case("ReduceSum 11", "ReduceSum", axes=[3], opset=11)
case("Transpose", "Transpose", perm=[0, 2, 3, 1])
case("Reshape", "Reshape", [i64(0, 3, 2, -1)], after=[("Transpose", {"perm": [0, 2, 1, 3]})])
case("Reshape across", "Reshape", [i64(1, 14, 15)], before=[("Transpose", {"perm": [0, 2, 3, 1]})])
case("Flatten", "Flatten", axis=2, after=[("Transpose", {})])
case("Squeeze", "Squeeze", [i64(1)], shape=(1, 1, 5, 7))
case("Unsqueeze 11", "Unsqueeze", axes=[1, 5], opset=11)
case("Expand", "Expand", [i64(1, 3, 5, 7)], shape=(1, 1, 5, 7))
case("Slice", "Slice", [i64(1, 0), i64(5, 100), i64(1, 3), i64(2, 3)])
case("Slice rows", "Slice", [i64(-3), i64(-1), i64(2)])
case("Slice backwards", "Slice", [i64(-1), i64(-100), i64(3), i64(-1)])
case("Slice 9", "Slice", starts=[1, 2], ends=[4, 9], axes=[1, 3], opset=9)
case("Split", "Split", [i64(1, 2, 3)], axis=1, outputs=3)
case("Split columns", "Split", [i64(3, 4)], axis=3, outputs=2)
case("Split equal", "Split", axis=1, outputs=2)
case("Gather", "Gather", [i64(4, 0, 0, 2)], axis=1)
case("Gather one", "Gather", [np.int64(2)], axis=2)
case("Gather table", "Gather", [np.array([[0, 1], [6, 3]], np.int64)], axis=3)
case("Concat channels", "Concat", ["x", "x"], axis=1)
case("Concat rows", "Concat", ["x", numbers(1, 6, 2, 7)], axis=2)
case("Concat before", "Concat", [numbers(1, 6, 5, 1), "x"], axis=-1)
case("Pad", "Pad", [i64(0, 0, 1, 2, 0, 0, 0, 1)])
case("Pad channels", "Pad", [i64(0, 2, 0, 0, 0, 1, 0, 0), np.float32(0.3)])
case("Pad reflected", "Pad", [i64(0, 0, 2, 1, 0, 0, 1, 3)], mode="reflect")
case("Pad edges", "Pad", [i64(0, 0, 2, 1, 0, 0, 1, 3)], mode="edge")
case("Pad less", "Pad", [i64(0, 0, -1, 0, 0, -2, 0, 1)])
case("Pad before a convolution", "Pad", [i64(0, 0, 1, 2, 0, 0, 0, 1)], after=[("MaxPool", {"kernel_shape": [2, 2]})])
for name, more in (("nearest", {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}),
                   ("nearest half", {"mode": "nearest"}), ("linear", {"mode": "linear"}),
                   ("linear corners", {"mode": "linear", "coordinate_transformation_mode": "align_corners"}),
                   ("linear pytorch", {"mode": "linear", "coordinate_transformation_mode": "pytorch_half_pixel"}),
                   ("cubic", {"mode": "cubic", "cubic_coeff_a": -0.75})):
    case(f"Resize {name} twice", "Resize", [None, np.array([1, 1, 2, 2], np.float32)], **more)
    case(f"Resize {name}", "Resize", [None, None, i64(1, 6, 8, 4)], **more)
case("Upsample", "Upsample", [np.array([1, 1, 2, 3], np.float32)], opset=9, mode="nearest")
case("DepthToSpace", "DepthToSpace", shape=(1, 12, 3, 5), blocksize=2)
case("DepthToSpace CRD", "DepthToSpace", shape=(1, 12, 3, 5), blocksize=2, mode="CRD")
case("SpaceToDepth", "SpaceToDepth", shape=(1, 3, 4, 6), blocksize=2)
case("Gemm", "Gemm", [numbers(210, 4), numbers(4)], before=[("Flatten", {})], alpha=0.5, beta=2.0)
case("Gemm transposed", "Gemm", [numbers(4, 210)], before=[("Transpose", {"perm": [0, 2, 3, 1]}), ("Flatten", {})], transB=1)
case("MatMul", "MatMul", [numbers(7, 3)])
case("MatMul before", "MatMul", [numbers(4, 5), "x"])
case("MatMul of maps", "MatMul", [numbers(1, 6, 7, 3)])
case("MatMul of values", "MatMul", ["x", "x"], shape=(1, 6, 5, 5))
case("Einsum", "Einsum", ["x", "x"], equation="nchw,nkhw->nck")
case("Einsum attention", "Einsum", ["x", "x"], equation="bhid,bhjd->bhij")
case("CumSum on a constant", "Add", [np.cumsum(np.ones((1, 1, 5, 7), np.float32), 2)])
case("Tile", "Tile", [i64(1, 2, 3, 1)])
case("Tile of tokens", "Tile", [i64(2, 3)], before=[("Transpose", {"perm": [0, 2, 3, 1]}), ("Flatten", {"axis": 3})])
case("Tile images", "Tile", [i64(2, 1, 1, 1)])
case("LpPool", "LpPool", kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
case("LpPool 3", "LpPool", kernel_shape=[2, 2], strides=[2, 2], p=3)
case("LpPool 1", "LpPool", kernel_shape=[3, 3], p=1, auto_pad="SAME_UPPER")
case("GlobalLpPool", "GlobalLpPool", p=2)
for op in ("ReduceL1", "ReduceMin", "ReduceSumSquare"):
    case(f"{op} rows", op, axes=[2, 3])
    case(f"{op} channels", op, axes=[1], keepdims=0)

if __name__ == "__main__":
    tensors = {}
    for name, (model, shape) in CASES.items():
        onnx.checker.check_model(model)
        x = networks.formula("x", shape, 1.0).numpy() * np.float32(10)
        y, = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})
        tensors[f"{name}/model"] = np.frombuffer(model.SerializeToString(), np.uint8)
        tensors[f"{name}/scores of {list(shape)}"] = y[0]
    safetensors.numpy.save_file(tensors, TARGET)
    print(f"{len(CASES)} cases, {TARGET.stat().st_size // 1024} kB")
