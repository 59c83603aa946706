"""The PyTorch side of the engine-sample bench: a decoder sampled token by token with a key-value cache, f32, on CPU.

Reads one JSON request per line, {"model": CONFIG, "batch": B, "prompt": P, "tokens": N, "threads": T}, and answers
{"seconds": S, "torch": VERSION}: the time of N sampling steps, the prompt's left out.
"""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


class Sampler(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.c = c
        d, ff = c["hiddenSize"], c["feedForwardSize"]
        wide, narrow = c["heads"] * c["headSize"], c["keyValueHeads"] * c["headSize"]
        self.embedding = nn.Embedding(c["vocabularySize"], d)
        nn.init.normal_(self.embedding.weight, std=0.02)
        matrix = lambda rows, columns: nn.Linear(columns, rows, bias=False)
        self.layers = nn.ModuleList(nn.ModuleDict(dict(
            q=matrix(wide, d), k=matrix(narrow, d), v=matrix(narrow, d), o=matrix(d, wide),
            gate=matrix(ff, d), up=matrix(ff, d), down=matrix(d, ff))) for _ in range(c["layers"]))
        self.norms = nn.ParameterList(torch.ones(d) for _ in range(2 * c["layers"] + 1))
        frequencies = c["ropeTheta"] ** (-torch.arange(0, c["headSize"], 2) / c["headSize"])
        angles = torch.arange(c["contextLength"])[:, None] * frequencies[None]
        self.cos, self.sin = angles.cos(), angles.sin()

    def rotate(self, x, start):
        cos, sin = (t[start:start + x.shape[2]] for t in (self.cos, self.sin))
        left, right = x.chunk(2, -1)
        return torch.cat([left * cos - right * sin, right * cos + left * sin], -1)

    def forward(self, ids, cache, start):
        batch, length = ids.shape
        size = self.c["headSize"]
        norm = lambda x, index: F.rms_norm(x, x.shape[-1:], self.norms[index], 1e-6)
        x = self.embedding(ids)
        for index, layer in enumerate(self.layers):
            h = norm(x, 2 * index)
            split = lambda y: y.view(batch, length, -1, size).transpose(1, 2)
            q, k = self.rotate(split(layer["q"](h)), start), self.rotate(split(layer["k"](h)), start)
            keys, values = cache[index]
            keys[:, :, start:start + length], values[:, :, start:start + length] = k, split(layer["v"](h))
            seen = F.scaled_dot_product_attention(q, keys[:, :, :start + length], values[:, :, :start + length],
                                                  is_causal=length > 1)
            x = x + layer["o"](seen.transpose(1, 2).reshape(batch, length, -1))
            h = norm(x, 2 * index + 1)
            x = x + layer["down"](F.silu(layer["gate"](h)) * layer["up"](h))
        return norm(x[:, -1], -1) @ self.embedding.weight.t()


models = {}

for line in sys.stdin:
    request = json.loads(line)
    torch.set_num_threads(request["threads"])
    config = request["model"]
    key = json.dumps(config)
    if key not in models:
        models = {key: Sampler(config)}
    model, batch, prompt = models[key], request["batch"], request["prompt"]
    shape = (batch, config["keyValueHeads"], config["contextLength"], config["headSize"])
    with torch.inference_mode():
        cache = [(torch.zeros(shape), torch.zeros(shape)) for _ in range(config["layers"])]
        logits = model(torch.randint(0, config["vocabularySize"], (batch, prompt)), cache, 0)
        started = time.perf_counter()
        for step in range(request["tokens"]):
            token = torch.multinomial(logits.softmax(-1), 1)
            logits = model(token, cache, prompt + step)
        seconds = time.perf_counter() - started
    print(json.dumps({"seconds": seconds, "torch": torch.__version__}), flush=True)
