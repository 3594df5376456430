"""A Llama forward in PyTorch, written from the definitions, to hold slm's losses against:

    python3 forward.py FOLDER IDS T

prints, one a line, the loss in nats of each target of the ids (u16, little-endian), in windows of
T.  Everything is computed in double precision.  config.json may have all the forms that slm
reads."""
import json
import math
import struct
import sys

import torch

TYPES = {"F32": torch.float32, "BF16": torch.bfloat16, "F16": torch.float16}


def read_weights(path):
    with open(path, "rb") as file:
        data = file.read()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    header.pop("__metadata__", None)
    weights = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        numbers = bytearray(data[8 + size + begin : 8 + size + end])
        tensor = torch.frombuffer(numbers, dtype=TYPES[entry["dtype"]])
        weights[name] = tensor.reshape(entry["shape"]).double()
    return weights


def frequencies(config, head_dim):
    """theta^(-2i/D), changed by the scaling."""
    rope = config.get("rope_parameters") or {}
    theta = rope.get("rope_theta") or config.get("rope_theta") or 10000.0
    scaling = config.get("rope_scaling") or rope
    kind = scaling.get("rope_type") or scaling.get("type") or "default"
    exponents = torch.arange(0, head_dim, 2, dtype=torch.float64) / head_dim
    f = theta**-exponents
    if kind == "linear":
        return f / scaling["factor"]
    if kind == "default":
        return f
    assert kind == "llama3", kind
    low = scaling["low_freq_factor"]
    high = scaling["high_freq_factor"]
    turns = scaling["original_max_position_embeddings"] * f / (2 * math.pi)
    share = ((turns - low) / (high - low)).clamp(0, 1)
    return share * f + (1 - share) * f / scaling["factor"]


def rotate(x, angles):
    """Turns the pairs (i, i + D/2) of x (T, heads, D) by angles (T, D/2)."""
    half = x.shape[-1] // 2
    a, b = x[..., :half], x[..., half:]
    cos, sin = angles.cos()[:, None], angles.sin()[:, None]
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def norm(x, weight, eps):
    return x / (x.pow(2).mean(-1, keepdim=True) + eps).sqrt() * weight


def losses(config, w, ids):
    inputs, targets = ids[:-1], ids[1:]
    heads = config["num_attention_heads"]
    kv_heads = config.get("num_key_value_heads") or heads
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    eps = config.get("rms_norm_eps", 1e-6)
    T = len(inputs)
    angles = torch.arange(T, dtype=torch.float64)[:, None] * frequencies(config, head_dim)
    future = torch.ones(T, T, dtype=torch.bool).triu(1)
    x = w["model.embed_tokens.weight"][inputs]
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        y = norm(x, w[layer + "input_layernorm.weight"], eps)
        q = (y @ w[layer + "self_attn.q_proj.weight"].T).reshape(T, heads, head_dim)
        k = (y @ w[layer + "self_attn.k_proj.weight"].T).reshape(T, kv_heads, head_dim)
        v = (y @ w[layer + "self_attn.v_proj.weight"].T).reshape(T, kv_heads, head_dim)
        q, k = rotate(q, angles), rotate(k, angles)
        k = k.repeat_interleave(heads // kv_heads, 1)
        v = v.repeat_interleave(heads // kv_heads, 1)
        a = torch.einsum("thd,shd->hts", q, k) / math.sqrt(head_dim)
        a = a.masked_fill(future, -math.inf).softmax(-1)
        y = torch.einsum("hts,shd->thd", a, v).reshape(T, heads * head_dim)
        x = x + y @ w[layer + "self_attn.o_proj.weight"].T
        y = norm(x, w[layer + "post_attention_layernorm.weight"], eps)
        gate = torch.nn.functional.silu(y @ w[layer + "mlp.gate_proj.weight"].T)
        up = y @ w[layer + "mlp.up_proj.weight"].T
        x = x + (gate * up) @ w[layer + "mlp.down_proj.weight"].T
    x = norm(x, w["model.norm.weight"], eps)
    tied = config.get("tie_word_embeddings", False)
    logits = x @ w["model.embed_tokens.weight" if tied else "lm_head.weight"].T
    return -logits.log_softmax(-1)[torch.arange(T), targets]


def main():
    folder, path, T = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(folder + "/config.json") as file:
        config = json.load(file)
    weights = read_weights(folder + "/model.safetensors")
    with open(path, "rb") as file:
        data = file.read()
    ids = torch.tensor(struct.unpack(f"<{len(data) // 2}H", data))
    for first in range(0, len(ids) - 1, T):
        for loss in losses(config, weights, ids[first : first + T + 1]).tolist():
            print(f"{loss:.9f}")


main()
