"""Writes tests/goldens/onnx/: networks as PyTorch exports them, and what pytorch-grad-cam computes on them.

    python tools/make_onnx_goldens.py [NAME ...]

A golden is a safetensors file: `model` is the ONNX file, compressed, with its large tensors emptied. The metadata say of which
tensor of the formula in networks.py each is made, so that the test can fill them in. Batch norms are such that folding them into
convolutions is exact. Of the heat maps it holds every fifth row and column.
"""
import contextlib
import io
import json
import logging
import sys
import tempfile
import warnings
import zlib
from pathlib import Path

import networks
import numpy as np
import onnx
import safetensors.numpy
import timm
import torch
import torchvision
from onnx import numpy_helper
from torch import nn

GOLDENS = Path(__file__).parent.parent / "tests/goldens/onnx"
# Smaller tensors stay in the file.
SMALL = 64
# An activation of its middle sits at its kink, where the last bits of a sum decide.
AT_A_KINK = {"timm_nf_resnet50"}
# Factors on the weights.
FACTORS = (1.0, 0.5, 0.25, 0.125)
# Networks with their default layers.
TORCHVISION = """resnet18=layer4 resnext50_32x4d=layer4 wide_resnet50_2=layer4 densenet121=features mobilenet_v2=features
mobilenet_v3_large=features mobilenet_v3_small=features efficientnet_b0=features efficientnet_v2_s=features
shufflenet_v2_x0_5=conv5 squeezenet1_1=features mnasnet0_5=layers googlenet=inception5b inception_v3=Mixed_7c
regnet_x_400mf=trunk_output regnet_y_400mf=trunk_output convnext_tiny=features swin_t=norm swin_v2_t=norm maxvit_t=blocks
vit_b_32=encoder.layers.encoder_layer_11.ln_1""".split()
TIMM = """resnet50d=layer4 seresnet50=layer4 resnetv2_50=norm efficientnet_b0=bn2 tf_efficientnetv2_s=bn2 mobilenetv4_conv_small=blocks
nf_resnet50=final_act eca_nfnet_l0=final_act hrnet_w18_small=final_layer mobilevit_s=final_conv mobilevitv2_050=stages
repvgg_a0=stages ghostnet_100=blocks ghostnetv2_100=blocks convnextv2_atto=stages xception41=blocks dpn68=features
dla34=level5 res2net50_26w_4s=layer4 cspdarknet53=stages inception_v4=features mixnet_s=bn2 fastvit_t8=final_conv
efficientvit_b0=head.in_conv edgenext_small=stages coatnet_0_rw_224=norm poolformer_s12=stages convmixer_768_32=blocks
deit_tiny_patch16_224=blocks.11.norm1 vit_tiny_patch16_224=blocks.11.norm1 swin_tiny_patch4_window7_224=norm
resnest14d=layer4 skresnet18=layer4 rexnet_100=features vovnet39a=stages darknet53=stages botnet26t_256=stages
caformer_s18=stages legacy_seresnet18=layer4 mobileone_s0=stages starnet_s1=norm ecaresnet50d=layer4 selecsls42b=head
repvit_m0_9=stages inception_next_tiny=stages rdnet_tiny=dense_stages focalnet_tiny_srf=norm mambaout_femto=stages
tresnet_m=body visformer_tiny=norm efficientformer_l1=norm nest_tiny=norm resnet50_gn=layer4
pvt_v2_b0=stages twins_pcpvt_small=norm cait_xxs24_224=blocks_token_only.1.norm1 pit_ti_224=transformers.2.blocks.3.norm1
mixer_s16_224=norm""".split()
# Also by PyTorch's newer exporter.
DYNAMO = """resnet18 mobilenet_v2 densenet121 efficientnet_b0 convnext_tiny shufflenet_v2_x0_5 squeezenet1_1 timm_resnet50d
timm_vit_tiny_patch16_224 timm_swin_tiny_patch4_window7_224""".split()
# Networks that take one size only, or do not work at a small one.
FIXED = {"inception_v3": 139, "maxvit_t": 224, "vit_b_32": 224, "swin_v2_t": 64, "swin_t": 64}


def build(name):
    """The network with weights from the formula, and the size of its images."""
    torch.manual_seed(0)
    if name.startswith("timm_"):
        name = name[5:]
        model = timm.create_model(name, num_classes=networks.CLASSES, exportable=True)
        own = model.default_cfg["input_size"][-1]
        small = not model.default_cfg.get("fixed_input_size") and not any(k in name for k in ("coatnet", "botnet", "levit", "visformer", "efficientformer", "nest", "twins"))
        size = 96 if small else own
    else:
        quick = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        model = torchvision.models.get_model(name, weights=None, num_classes=networks.CLASSES, **quick)
        size = FIXED.get(name, 96)
    model.eval()
    # The largest weights at which the network is well conditioned.
    for factor in FACTORS:
        fill(model, factor)
        x = networks.images(1, size, size)
        with torch.no_grad():
            single, double = model(x).double(), model.double()(x.double())
        model.float()
        fill(model, factor)
        if (single - double).abs().max() < 3e-6 * double.abs().max():
            break
    return model, size


def fill(model, factor):
    gain = 0.5 if any(isinstance(m, nn.modules.batchnorm._BatchNorm) for m in model.modules()) else 1.0
    with torch.no_grad():
        for key, tensor in model.state_dict().items():
            if tensor.is_floating_point() and tensor.numel() >= SMALL:
                tensor.copy_(networks.formula(key, tuple(tensor.shape), 1.0) * (factor if tensor.dim() > 1 else 1.0))
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                module.running_mean.zero_()
                module.running_var.fill_(1 - module.eps)
                module.weight.fill_(gain if module.weight.numel() >= SMALL else 1.0)
            if hasattr(module, "fused_attn"):
                module.fused_attn = False


def export(model, x, dynamo):
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        path = f"{folder}/model.onnx"
        if dynamo:
            torch.onnx.export(model, (x,), path, dynamo=True, opset_version=20, external_data=False, verbose=False)
        else:
            torch.onnx.export(model, (x,), path, dynamo=False, opset_version=17, dynamic_axes={"x": {0: "n"}}, input_names=["x"], output_names=["y"])
        return onnx.load(path)


def empty(file, model):
    """Empties the tensors that the formula can make again, and says how."""
    known = {}
    for key, tensor in model.state_dict().items():
        made = networks.formula(key, tuple(tensor.shape), 1.0).numpy() if tensor.is_floating_point() and tensor.numel() >= SMALL else None
        if made is not None:
            for factor in FACTORS:
                known.setdefault((made.size, (made * np.float32(factor)).tobytes()), (key, list(made.shape), factor, False))
                if made.ndim >= 2:
                    rows = made.reshape(len(made), -1)
                    turned = np.ascontiguousarray(rows.T) * np.float32(factor)
                    known.setdefault((made.size, turned.tobytes()), (key, list(rows.shape), factor, True))
    fill = {}
    tensors = list(file.graph.initializer)
    for tensor in tensors:
        if tensor.data_type != onnx.TensorProto.FLOAT:
            continue
        values = numpy_helper.to_array(tensor)
        found = known.get((values.size, np.ascontiguousarray(values).tobytes()))
        if found:
            fill[tensor.name] = found
            tensor.ClearField("raw_data")
            tensor.ClearField("float_data")
    return fill


def hooked(model, layer, x, cls):
    """Logits, raw map and heat map. Tokens come back into the rows and columns of their patches."""
    def grid(tensor):
        if tensor.dim() == 3:
            side = int(tensor.shape[1] ** 0.5)
            tensor = tensor[:, tensor.shape[1] - side * side:].reshape(1, side, side, -1).permute(0, 3, 1, 2)
        elif tensor.shape[1] == tensor.shape[2] != tensor.shape[3]:
            tensor = tensor.permute(0, 3, 1, 2)
        return tensor
    with networks.GradCAM(model=model, target_layers=[layer], reshape_transform=grid) as cam:
        hook = layer.register_forward_hook(lambda _m, _i, out: out.clone())
        maps = cam(input_tensor=x, targets=[networks.ClassifierOutputTarget(cls)])
        hook.remove()
        return maps[0]


def middle(model, x, default, best):
    """A module with others inside, about in the middle, with rows and columns."""
    seen, hooks = [], []
    for path, module in model.named_modules():
        if path and len(list(module.children())):
            def note(_m, _i, out, path=path):
                if torch.is_tensor(out) and out.dim() == 4 and out.shape[1] != out.shape[2] == out.shape[3] > 3:
                    seen.append(path)
            hooks.append(module.register_forward_hook(note))
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    # A folded batch norm has no path of its own. Where f32 and f64 differ, an activation sits at its kink.
    seen = [path for path in seen if path != default and not default.startswith(path + ".") and "bn" not in path.split(".")[-1]]
    modules = dict(model.named_modules())
    shaken = x * (1 + 3e-7 * torch.randn(x.shape, generator=torch.Generator().manual_seed(0)))
    for path in sorted(seen, key=lambda path: abs(seen.index(path) - len(seen) // 2))[:5]:
        single, other = hooked(model, modules[path], x, best), hooked(model, modules[path], shaken, best)
        double = hooked(model.double(), modules[path], x.double(), best)
        fault = slope_error(model, modules[path], x.double(), best)
        model.float()
        if max(np.abs(single - double).max(), np.abs(single - other).max()) < 1e-4 and fault < 1e-4:
            return path
        print(f"{path}: f32 {np.abs(single - double).max():.1e}, gradient and differences {fault:.1e}", flush=True)
    return None


def slope_error(model, layer, x, cls):
    """How far autograd is from central differences along a random direction at a layer. In a few networks with attention, PyTorch
    2.15's is."""
    kept = {}

    def replaced(step):
        def hook(_m, _i, out):
            direction = torch.randn(out.shape, generator=torch.Generator().manual_seed(1), dtype=out.dtype)
            kept["at"] = (out.detach() + step * direction).requires_grad_(True)
            kept["direction"] = direction
            return kept["at"].clone()
        handle = layer.register_forward_hook(hook)
        score = model(x)[0, cls]
        handle.remove()
        return score
    gradient, = torch.autograd.grad(replaced(0.0), kept["at"])
    analytic = (gradient * kept["direction"]).sum().item()
    with torch.no_grad():
        numeric = (replaced(1e-6) - replaced(-1e-6)).item() / 2e-6
    return abs(analytic - numeric) / (gradient.norm() + 1e-30).item()


def write(name, dynamo):
    model, size = build(name)
    x = networks.images(1, size, size)
    file = export(model, x, dynamo)
    with torch.no_grad():
        logits = model(x)[0]
    best = int(logits.argmax())
    default = DEFAULTS[name]
    layers = [layer for layer in (default, None if name in AT_A_KINK else middle(model, x, default, best)) if layer]
    modules = dict(model.named_modules())
    # A list of modules has no output of its own.
    called = lambda layer: modules[layer] if not isinstance(modules[layer], nn.ModuleList) else modules[layer][-1]
    maps = {f"map{i}": (hooked(model, called(layer), x, best)[::5, ::5] * 65535).round().astype(np.uint16)
            for i, layer in enumerate(layers)}
    fill = empty(file, model)
    packed = np.frombuffer(zlib.compress(file.SerializeToString(), 9), np.uint8)
    if len(packed) > 500_000:
        raise ValueError(f"{len(packed)} bytes: tensors are left that the formula does not make")
    GOLDENS.mkdir(parents=True, exist_ok=True)
    target = GOLDENS / f"{name}{'.dynamo' if dynamo else ''}.safetensors"
    safetensors.numpy.save_file({"model": packed, "logits": logits.numpy(), "class": np.array([best], np.int64), **maps}, target,
                                {"size": str(size), "layers": json.dumps(layers), "fill": json.dumps(fill)})
    print(f"{target.name}: {target.stat().st_size // 1024} kB, class {best}, {layers}, map mean {maps['map0'].mean() / 65535:.3f}", flush=True)


# The layers that are explained if nobody names one.
DEFAULTS = dict(pair.split("=") for pair in TORCHVISION + [f"timm_{pair}" for pair in TIMM])

if __name__ == "__main__":
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    for name in sys.argv[1:] or DEFAULTS:
        for dynamo in [False] + [True] * (name in DYNAMO):
            try:
                write(name, dynamo)
            except Exception as error:
                print(f"{name}: {type(error).__name__} {str(error)[:200]}", flush=True)
