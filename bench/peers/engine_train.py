"""The PyTorch side of the engine-train bench: the same decoder, batch and optimizer, eager, f32, on CPU.

Reads one JSON request per line and answers with one line:
    {"model": CONFIG, "rows": [{"tokens", "targets", "weights"}], "optimizer": "adamw" | "muon", "threads": N}
    {"steps": N}       takes N training steps, answers with {"seconds": [...], "loss": LAST}
Rows are padded to the longest and every position is scored, as training loops on PyTorch ordinarily do.
"""

import json
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F


def rotate(x, cos, sin):
    left, right = x.chunk(2, -1)
    return torch.cat([left * cos - right * sin, right * cos + left * sin], -1)


class Norm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, 1e-6)


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, ff = c["hiddenSize"], c["feedForwardSize"]
        self.heads, self.key_heads, self.size = c["heads"], c["keyValueHeads"], c["headSize"]
        self.before, self.between = Norm(d), Norm(d)
        self.q = nn.Linear(d, self.heads * self.size, bias=False)
        self.k = nn.Linear(d, self.key_heads * self.size, bias=False)
        self.v = nn.Linear(d, self.key_heads * self.size, bias=False)
        self.o = nn.Linear(self.heads * self.size, d, bias=False)
        self.gate, self.up = nn.Linear(d, ff, bias=False), nn.Linear(d, ff, bias=False)
        self.down = nn.Linear(ff, d, bias=False)
        self.query_norm = Norm(self.size) if c["queryKeyNorm"] else nn.Identity()
        self.key_norm = Norm(self.size) if c["queryKeyNorm"] else nn.Identity()

    def forward(self, x, cos, sin):
        batch, length, _ = x.shape
        h = self.before(x)
        split = lambda y: y.view(batch, length, -1, self.size)
        q = rotate(self.query_norm(split(self.q(h))).transpose(1, 2), cos, sin)
        k = rotate(self.key_norm(split(self.k(h))).transpose(1, 2), cos, sin)
        v = split(self.v(h)).transpose(1, 2)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=self.heads != self.key_heads)
        x = x + self.o(seen.transpose(1, 2).reshape(batch, length, -1))
        h = self.between(x)
        return x + self.down(F.silu(self.gate(h)) * self.up(h))


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embedding = nn.Embedding(c["vocabularySize"], c["hiddenSize"])
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["layers"]))
        self.norm = Norm(c["hiddenSize"])
        frequencies = c["ropeTheta"] ** (-torch.arange(0, c["headSize"], 2) / c["headSize"])
        angles = torch.arange(c["contextLength"])[:, None] * frequencies[None]
        self.cos, self.sin = angles.cos(), angles.sin()

    def forward(self, ids):
        x, length = self.embedding(ids), ids.shape[1]
        for block in self.blocks:
            x = block(x, self.cos[:length], self.sin[:length])
        return F.linear(self.norm(x), self.embedding.weight)


def optimizers(model, kind):
    hidden = [p for block in model.blocks for p in block.parameters() if p.dim() == 2] if kind == "muon" else []
    taken = {id(p) for p in hidden}
    rest = [p for p in model.parameters() if id(p) not in taken]
    made = [torch.optim.AdamW(rest, lr=3e-4, betas=(0.9, 0.95), weight_decay=0.01, fused=True)]
    if hidden:
        made.append(torch.optim.Muon(hidden, lr=3e-4, weight_decay=0.01, adjust_lr_fn="match_rms_adamw"))
    return made


def prepare(request):
    torch.set_num_threads(request["threads"])
    torch.manual_seed(0)
    model = Decoder(request["model"])
    own = optimizers(model, request["optimizer"])
    rows = request["rows"]
    longest = max(len(row["tokens"]) for row in rows)
    pad = lambda name, dtype: torch.tensor(
        [row[name] + [0] * (longest - len(row[name])) for row in rows], dtype=dtype)
    ids, targets, weights = pad("tokens", torch.long), pad("targets", torch.long), pad("weights", torch.float32)

    def step():
        logits = model(ids)
        losses = F.cross_entropy(logits.flatten(0, 1), targets.flatten(), reduction="none")
        loss = (losses * weights.flatten()).sum()
        for one in own:
            one.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for one in own:
            one.step()
        return loss.item()

    return step


def main():
    step = None
    for line in sys.stdin:
        request = json.loads(line)
        if "steps" not in request:
            step = prepare(request)
            print(json.dumps({"torch": torch.__version__}), flush=True)
            continue
        seconds = []
        for _ in range(request["steps"]):
            start = time.perf_counter()
            loss = step()
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"seconds": seconds, "loss": loss}), flush=True)


if __name__ == "__main__":
    main()
