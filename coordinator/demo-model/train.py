"""Trains the Caravan demo model: a small bias-free Llama with grouped-query attention.

    OMP_NUM_THREADS=1 python3 train.py --minutes 45 --checkpoint demo.pt
"""
import argparse
import ctypes
import math
import random
import time

import torch
import torch.nn.functional as F
from torch import nn

import bpe
import stories

HIDDEN, LAYERS, HEADS, KV_HEADS, HEAD_DIM, FFN = 128, 4, 24, 12, 16, 384
CONTEXT, EPS, THETA = 512, 1e-5, 10000.0
SEED, VALIDATION_SEED, BPE_SEED = 20250, 20251, 20252
BATCH_TOKENS = 1536


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(HIDDEN))

    def forward(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + EPS) * self.weight


def rotate(x, angles):
    """Interleaved RoPE: turns the pairs (2i, 2i+1) of each head; GGUF's row order."""
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], HEAD_DIM // 2, 2))
    return torch.view_as_real(pairs * angles).flatten(-2)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn_norm, self.ffn_norm = Norm(), Norm()
        self.attn_q = nn.Linear(HIDDEN, HEADS * HEAD_DIM, bias=False)
        self.attn_k = nn.Linear(HIDDEN, KV_HEADS * HEAD_DIM, bias=False)
        self.attn_v = nn.Linear(HIDDEN, KV_HEADS * HEAD_DIM, bias=False)
        self.attn_output = nn.Linear(HEADS * HEAD_DIM, HIDDEN, bias=False)
        self.ffn_gate = nn.Linear(HIDDEN, FFN, bias=False)
        self.ffn_up = nn.Linear(HIDDEN, FFN, bias=False)
        self.ffn_down = nn.Linear(FFN, HIDDEN, bias=False)

    def forward(self, x, angles, mask):
        b, t, _ = x.shape
        group = HEADS // KV_HEADS
        h = self.attn_norm(x)
        q = rotate(self.attn_q(h).view(b, t, HEADS, HEAD_DIM), angles).transpose(1, 2)
        k = rotate(self.attn_k(h).view(b, t, KV_HEADS, HEAD_DIM), angles).transpose(1, 2)
        v = self.attn_v(h).view(b, t, KV_HEADS, HEAD_DIM).transpose(1, 2)
        # The query heads of one kv head are stacked along time: one product per kv head.
        q = q.reshape(b * KV_HEADS, group * t, HEAD_DIM) * HEAD_DIM ** -0.5
        k, v = k.reshape(b * KV_HEADS, t, HEAD_DIM), v.reshape(b * KV_HEADS, t, HEAD_DIM)
        weights = torch.baddbmm(mask, q, k.transpose(1, 2)).softmax(-1)
        a = torch.bmm(weights, v).view(b, HEADS, t, HEAD_DIM).transpose(1, 2).reshape(b, t, -1)
        x = x + self.attn_output(a)
        h = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(h)) * self.ffn_up(h))


class Llama(nn.Module):
    def __init__(self):
        super().__init__()
        self.token_embd = nn.Embedding(bpe.VOCABULARY, HIDDEN)
        self.blk = nn.ModuleList(Block() for _ in range(LAYERS))
        self.output_norm = Norm()
        for name, p in self.named_parameters():
            if p.dim() == 2:
                deep = name.endswith(("attn_output.weight", "ffn_down.weight"))
                std = 0.02 if name.startswith("token_embd") else p.shape[1] ** -0.5
                nn.init.normal_(p, 0.0, std / (math.sqrt(2 * LAYERS) if deep else 1))
        frequency = THETA ** (-torch.arange(0, HEAD_DIM, 2).float() / HEAD_DIM)
        angle = torch.outer(torch.arange(CONTEXT).float(), frequency)
        self.angles = torch.polar(torch.ones_like(angle), angle)[:, None]

    def forward(self, ids):
        t = ids.shape[1]
        mask = torch.full((t, t), -1e9).triu(1).repeat(HEADS // KV_HEADS, 1)
        x = self.token_embd(ids)
        for block in self.blk:
            x = block(x, self.angles[:t], mask)
        return F.linear(self.output_norm(x), self.token_embd.weight)


def documents(tokenizer, count, seed):
    return [[bpe.BOS, *tokenizer.encode(text), bpe.EOS] for text in stories.corpus(count, seed)]


def batches(tokenizer, seed):
    """Endless (ids, targets) batches. Most hold one story a row, rows of like length together
    so that little is padding; one in sixteen packs stories into rows of 384 ids, so that later
    positions are trained too."""
    rng = random.Random(seed)
    while True:
        docs = documents(tokenizer, 4096, rng.getrandbits(32))
        packed, docs = docs[:256], sorted(docs[256:], key=len)
        rows, row = [], []
        for doc in packed:
            row += doc
            if len(row) > 384:
                rows.append(row[:385])
                row = []
        groups = [rows[i:i + 3] for i in range(0, len(rows), 3)]
        while docs:
            size = BATCH_TOKENS // len(docs[-1])
            groups.append(docs[-size:])
            del docs[-size:]
        rng.shuffle(groups)
        for group in groups:
            yield tensors(group)


def tensors(rows):
    width = max(map(len, rows))
    ids = torch.tensor([row + [0] * (width - len(row)) for row in rows])
    targets = torch.tensor([row + [-1] * (width - len(row)) for row in rows])
    return ids[:, :-1], targets[:, 1:]


def loss_of(model, ids, targets):
    return F.cross_entropy(model(ids).flatten(0, 1), targets.flatten(), ignore_index=-1)


def sample(model, tokenizer, prompt, temperature, generator, limit=260):
    """Continues a prompt until EOS; temperature 0 is greedy."""
    ids = [bpe.BOS, *tokenizer.encode(prompt)]
    with torch.no_grad():
        while len(ids) < limit:
            logits = model(torch.tensor([ids]))[0, -1]
            if temperature:
                new = torch.multinomial((logits / temperature).softmax(-1), 1, generator=generator).item()
            else:
                new = logits.argmax().item()
            if new == bpe.EOS:
                return tokenizer.decode(ids)
            ids.append(new)
    return tokenizer.decode(ids) + " ..."


def keep_memory():
    """Has glibc keep freed memory; fresh pages for every large tensor cost a third of the time."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(-4, 0)  # M_MMAP_MAX
        libc.mallopt(-1, (1 << 31) - 1)  # M_TRIM_THRESHOLD
        libc.mallopt(-2, 1 << 27)  # M_TOP_PAD


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=0, help="fixes the schedule's length, for an exact repeat")
    parser.add_argument("--minutes", type=float, default=45, help="sets the number of steps by the speed measured here")
    parser.add_argument("--checkpoint", default="demo.pt")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--resume", help="a checkpoint to train further, with a new schedule and new stories")
    args = parser.parse_args()
    keep_memory()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(SEED)

    base = torch.load(args.resume) if args.resume else {"step": 0, "tokens": 0}
    tokenizer = bpe.Tokenizer(base["merges"] if args.resume else bpe.train(stories.corpus(3000, BPE_SEED)))
    validation = sorted(documents(tokenizer, 128, VALIDATION_SEED), key=len)
    validation = [tensors(validation[i:i + 16]) for i in range(0, 128, 16)]
    model = Llama()
    if args.resume:
        model.load_state_dict(base["model"])
    print(f"{sum(p.numel() for p in model.parameters())} parameters", flush=True)
    matrices = [p for p in model.parameters() if p.dim() == 2]
    norms = [p for p in model.parameters() if p.dim() == 1]
    optimiser = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": 0.1}, {"params": norms, "weight_decay": 0.0}],
        lr=args.rate, betas=(0.9, 0.98), foreach=True)

    steps, seen, start, average = args.steps, 0, time.time(), None
    for step, (ids, targets) in enumerate(batches(tokenizer, SEED + base["step"]), 1):
        if not steps and step == 40:  # speed is known now
            steps = int(args.minutes * 60 / ((time.time() - start) / (step - 1)))
            print(f"{steps} steps", flush=True)
        warm = min(1.0, step / 200)
        done = min(1.0, step / steps) if steps else 0.0
        for group in optimiser.param_groups:
            group["lr"] = args.rate * warm * (0.02 + 0.49 * (1 + math.cos(math.pi * done)))
        loss = loss_of(model, ids, targets)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        seen += int((targets >= 0).sum())
        average = loss.item() if average is None else 0.98 * average + 0.02 * loss.item()
        if step % 100 == 0:
            spent = time.time() - start
            print(f"step {step} loss {average:.4f} {seen / spent:.0f} tokens/s {spent / 60:.1f} min", flush=True)
        last = steps and step >= steps
        if step % 500 == 0 or last:
            with torch.no_grad():
                value = sum(loss_of(model, *batch).item() for batch in validation) / len(validation)
            print(f"step {step} of {steps}: validation loss {value:.4f}, {seen} tokens seen", flush=True)
            torch.save({"model": model.state_dict(), "merges": tokenizer.merges,
                        "step": base["step"] + step, "validation": value,
                        "tokens": base["tokens"] + seen}, args.checkpoint)
            print(sample(model, tokenizer, "Once upon a time", 0.8, torch.Generator().manual_seed(step)), flush=True)
        if last:
            break


if __name__ == "__main__":
    main()
