"""Byte-level BPE in the manner of Llama 3: trainer, encoder, and GPT-2 spelling.

Token ids: 0-255 are the bytes, then one id per merge, then the two special tokens.
"""
import re
from collections import Counter

VOCABULARY = 768
SPECIALS = ["<|begin_of_text|>", "<|end_of_text|>"]
BOS, EOS = VOCABULARY - 2, VOCABULARY - 1

# Llama 3's pattern with \p{L} and \p{N} spelled for `re`; equal to it for ASCII text.
L, N = r"[^\W\d_]", r"\d"
PATTERN = re.compile(
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|(?:(?![\r\n])[\W_])?" + L + "+|" + N + r"{1,3}"
    r"| ?(?:(?!\s)[\W_])+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def byte_spelling():
    """GPT-2's printable character for each byte."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    spelling, extra = {}, 256
    for byte in range(256):
        if byte in printable:
            spelling[byte] = chr(byte)
        else:
            spelling[byte] = chr(extra)
            extra += 1
    return spelling


def _merge(ids, pair, new):
    out, i = [], 0
    while i < len(ids):
        if i + 1 < len(ids) and (ids[i], ids[i + 1]) == pair:
            out.append(new)
            i += 2
        else:
            out.append(ids[i])
            i += 1
    return out


def train(texts):
    """Returns the merges, as pairs of ids, learned from the texts."""
    counts = Counter(piece for text in texts for piece in PATTERN.findall(text))
    words = [(list(piece.encode()), count) for piece, count in sorted(counts.items())]
    merges = []
    for new in range(256, BOS):
        pairs = Counter()
        for ids, count in words:
            for pair in zip(ids, ids[1:]):
                pairs[pair] += count
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        words = [(_merge(ids, best, new), count) for ids, count in words]
    return merges


class Tokenizer:
    def __init__(self, merges):
        self.merges = [tuple(pair) for pair in merges]
        self.ranks = {pair: 256 + i for i, pair in enumerate(self.merges)}
        self.bytes = [bytes([byte]) for byte in range(256)]
        for left, right in self.merges:
            self.bytes.append(self.bytes[left] + self.bytes[right])
        self.cache = {}

    def _piece(self, piece):
        ids = list(piece.encode())
        while len(ids) > 1:
            pair = min(zip(ids, ids[1:]), key=lambda p: self.ranks.get(p, 1 << 30))
            if pair not in self.ranks:
                break
            ids = _merge(ids, pair, self.ranks[pair])
        return ids

    def encode(self, text):
        """The ids of a plain text, without BOS."""
        ids = []
        for piece in PATTERN.findall(text):
            if piece not in self.cache:
                self.cache[piece] = self._piece(piece)
            ids += self.cache[piece]
        return ids

    def decode(self, ids):
        return b"".join(self.bytes[i] for i in ids if i < BOS).decode(errors="replace")

    def spelled(self):
        """(tokens, merges) as GGUF stores them."""
        spelling = byte_spelling()
        tokens = ["".join(spelling[b] for b in token) for token in self.bytes]
        return tokens + SPECIALS, [tokens[a] + " " + tokens[b] for a, b in self.merges]
