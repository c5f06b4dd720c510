"""Writes the reference values of the demo model, from the GGUF file alone.

The forward pass is a float64 one in NumPy on the dequantised weights; activations
are never rounded. It shares no code with the training or the GGUF writer.

    python3 golden.py caravan-demo.gguf demo-golden.json
"""
import hashlib
import json
import re
import struct
import sys

import numpy as np

PROMPTS = [
    "",
    "Once upon a time",
    "One day, a caravan came to the village. There were five camels.",
    "Long ago, in a big tent near the oasis, there lived a clever girl named Layla. One morning, she lost her blue "
    "lantern. She felt very sad. She looked by the well, but",
]
VECTORS = [
    "Once upon a time", "a", "Momo", " the camel", "\"Where are you?\" he called.",
    "Zara's grandmother smiled.", "They walked across the hot desert for three days.",
    "  two spaces, and a trailing one ", "Line one.\nLine two.\n\nThe end.", "In 2025, 1234567 stars!?",
    "I'll say it's OUR caravan -- don't you?", "Xylophones (quite rare) cost $5.",
]
STORY = (
    "Once upon a time, there was a kind girl named Zara. She lived in a small village near the desert. One day, Zara "
    "lost her red kite. She began to cry. She looked under the palm trees, but the kite was not there. \"Why are you "
    "sad, Zara?\" asked her friend Omar. \"I lost my red kite,\" said Zara. \"Do not worry,\" said Omar. \"I will help "
    "you.\" They looked and looked. At last Omar saw something red behind the tent. It was the kite! \"Thank you, "
    "Omar,\" said Zara, and she gave him a big hug. Then they played with the kite until the sun went down. "
    "That night, Zara told her grandmother about Omar and the red kite. \"You have a good friend,\" said her "
    "grandmother. Zara smiled and went to sleep.")


class Reader:
    """Metadata and dequantised tensors of a GGUF v3 file."""

    SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

    def __init__(self, path):
        with open(path, "rb") as file:
            self.data = file.read()
        self.at = 4
        version, count, entries = self.take("I"), self.take("Q"), self.take("Q")
        assert self.data[:4] == b"GGUF" and version == 3
        self.metadata = {self.string(): self.value(self.take("I")) for _ in range(entries)}
        infos = [(self.string(), [self.take("Q") for _ in range(self.take("I"))], self.take("I"), self.take("Q"))
                 for _ in range(count)]
        alignment = self.metadata.get("general.alignment", 32)
        base = -(-self.at // alignment) * alignment
        self.tensors = {name: self.tensor(sizes[::-1], kind, base + offset) for name, sizes, kind, offset in infos}

    def take(self, code):
        result = struct.unpack_from("<" + code, self.data, self.at)[0]
        self.at += struct.calcsize("<" + code)
        return result

    def string(self):
        size = self.take("Q")
        self.at += size
        return self.data[self.at - size:self.at].decode()

    def value(self, kind):
        if kind == 8:
            return self.string()
        if kind == 9:
            element, count = self.take("I"), self.take("Q")
            return [self.value(element) for _ in range(count)]
        return self.take(self.SCALARS[kind])

    def tensor(self, shape, kind, offset):
        count = int(np.prod(shape))
        if kind == 0:
            return np.frombuffer(self.data, "<f4", count, offset).astype(np.float64).reshape(shape)
        assert kind == 8
        blocks = np.frombuffer(self.data, np.dtype([("d", "<f2"), ("q", "i1", 32)]), count // 32, offset)
        return (blocks["d"].astype(np.float64)[:, None] * blocks["q"]).reshape(shape)


class Model:
    def __init__(self, gguf):
        get, self.weights = gguf.metadata.get, gguf.tensors
        self.layers, self.eps = get("llama.block_count"), get("llama.attention.layer_norm_rms_epsilon")
        self.heads, self.kv_heads = get("llama.attention.head_count"), get("llama.attention.head_count_kv")
        self.head_dim, self.theta = get("llama.attention.key_length"), get("llama.rope.freq_base")

    def norm(self, x, name):
        return x / np.sqrt((x * x).mean(-1, keepdims=True) + self.eps) * self.weights[name + ".weight"]

    def rope(self, x):
        """x: (time, heads, head_dim); turns the pair (2i, 2i+1)."""
        i = np.arange(self.head_dim // 2)
        angle = np.arange(len(x))[:, None, None] * self.theta ** (-2.0 * i / self.head_dim)
        even, odd, out = x[..., 0::2], x[..., 1::2], np.empty_like(x)
        out[..., 0::2] = even * np.cos(angle) - odd * np.sin(angle)
        out[..., 1::2] = even * np.sin(angle) + odd * np.cos(angle)
        return out

    def logits(self, ids):
        """Logits at every position."""
        w, t = self.weights, len(ids)
        x = w["token_embd.weight"][ids]
        for layer in range(self.layers):
            p = f"blk.{layer}."
            h = self.norm(x, p + "attn_norm")
            q = self.rope((h @ w[p + "attn_q.weight"].T).reshape(t, self.heads, self.head_dim))
            k = self.rope((h @ w[p + "attn_k.weight"].T).reshape(t, self.kv_heads, self.head_dim))
            v = (h @ w[p + "attn_v.weight"].T).reshape(t, self.kv_heads, self.head_dim)
            out = np.empty_like(q)
            for head in range(self.heads):
                kv = head // (self.heads // self.kv_heads)
                score = q[:, head] @ k[:, kv].T / np.sqrt(self.head_dim)
                score[np.triu_indices(t, 1)] = -np.inf
                score = np.exp(score - score.max(-1, keepdims=True))
                out[:, head] = score / score.sum(-1, keepdims=True) @ v[:, kv]
            x = x + out.reshape(t, -1) @ w[p + "attn_output.weight"].T
            h = self.norm(x, p + "ffn_norm")
            gate = h @ w[p + "ffn_gate.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * (h @ w[p + "ffn_up.weight"].T)) @ w[p + "ffn_down.weight"].T
        return self.norm(x, "output_norm") @ w["token_embd.weight"].T


class Tokenizer:
    """Byte-level BPE from the GGUF vocabulary, for ASCII text."""

    PATTERN = re.compile(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\nA-Za-z0-9]?[A-Za-z]+|[0-9]{1,3}"
                         r"| ?[^\sA-Za-z0-9]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

    def __init__(self, metadata):
        self.ids = {token: i for i, token in enumerate(metadata["tokenizer.ggml.tokens"])}
        self.ranks = {tuple(merge.split(" ")): i for i, merge in enumerate(metadata["tokenizer.ggml.merges"])}

    def encode(self, text):
        ids = []
        for piece in self.PATTERN.findall(text):
            # GPT-2's spelling; enough for printable text, spaces and newlines
            parts = [c if 33 <= ord(c) <= 126 else chr(256 + ord(c)) for c in piece]
            while len(parts) > 1:
                ranked = [(self.ranks[pair], i) for i, pair in enumerate(zip(parts, parts[1:])) if pair in self.ranks]
                if not ranked:
                    break
                i = min(ranked)[1]
                parts[i:i + 2] = [parts[i] + parts[i + 1]]
            ids += [self.ids[part] for part in parts]
        return ids


def main():
    source, target = sys.argv[1:]
    gguf = Reader(source)
    model, tokenizer = Model(gguf), Tokenizer(gguf.metadata)
    bos = gguf.metadata["tokenizer.ggml.bos_token_id"]
    cases = []
    for text in PROMPTS:
        prompt = [bos] + tokenizer.encode(text)
        ids, first, gaps = list(prompt), None, []
        for _ in range(48):  # greedy; goes on after an end token
            row = model.logits(ids)[-1]
            first = row if first is None else first
            second, best = np.sort(row)[-2:]
            gaps.append(round(best - second, 6))
            ids.append(int(row.argmax()))
        cases.append({"text": text, "prompt_ids": prompt, "logits": [round(x, 6) for x in first.tolist()],
                      "greedy_ids": ids[len(prompt):], "gaps": gaps})
    ids = [bos] + tokenizer.encode(STORY)
    rows = model.logits(ids)[:-1]
    shifted = rows - rows.max(-1, keepdims=True)
    nll = np.log(np.exp(shifted).sum(-1)) - shifted[np.arange(len(rows)), ids[1:]]
    golden = {
        "model_sha256": hashlib.sha256(gguf.data).hexdigest(),
        "cases": cases,
        "tokenizer": [{"text": text, "ids": tokenizer.encode(text)} for text in VECTORS],
        "perplexity": {"text": STORY, "ids": ids, "mean_nll": round(nll.mean(), 6),
                       "perplexity": round(float(np.exp(nll.mean())), 6)},
    }
    text = json.dumps(golden, indent=1)
    text = re.sub(r"\[\s*([-\d.e][^\[\]\"{}]*?)\s*\]", lambda m: "[" + re.sub(r"\s+", " ", m.group(1)) + "]", text)
    with open(target, "w") as file:
        file.write(text + "\n")


if __name__ == "__main__":
    main()
