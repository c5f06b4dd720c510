"""Writes a training checkpoint as a GGUF v3 file: matrices Q8_0, norms F32.

    python3 gguf.py demo.pt ../src/main/resources/dev/caravan/coordinator/demo/caravan-demo.gguf
"""
import struct
import sys

import numpy as np

U32, F32, BOOL, STRING, ARRAY, I32 = 4, 6, 7, 8, 9, 5  # metadata value types
TENSOR_F32, TENSOR_Q8_0 = 0, 8
ALIGNMENT = 32
SCALARS = {U32: "<I", I32: "<i", F32: "<f", BOOL: "<?"}


def string(text):
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def value(kind, item):
    return string(item) if kind == STRING else struct.pack(SCALARS[kind], item)


def entry(key, kind, item, element=None):
    """One metadata entry; `element` is the type of an array's items."""
    head = string(key) + struct.pack("<I", kind)
    if kind != ARRAY:
        return head + value(kind, item)
    return head + struct.pack("<IQ", element, len(item)) + b"".join(value(element, one) for one in item)


def q8_0(matrix):
    """Blocks of 32 weights: an f16 scale and 32 signed bytes."""
    blocks = matrix.astype(np.float32).reshape(-1, 32)
    scale = np.abs(blocks).max(1, keepdims=True) / np.float32(127)
    inverse = np.divide(np.float32(1), scale, out=np.zeros_like(scale), where=scale != 0)
    x = blocks * inverse
    quants = np.trunc(x + np.copysign(np.float32(0.5), x)).astype(np.int8)  # halves away from zero
    return b"".join(s + q for s, q in zip(map(bytes, scale.astype("<f2")), map(bytes, quants)))


def pad(size):
    return b"\0" * (-size % ALIGNMENT)


def write(path, metadata, tensors):
    """`metadata`: entry() results; `tensors`: (name, array) in file order."""
    infos, data = b"", b""
    for name, array in tensors:
        kind = TENSOR_Q8_0 if array.ndim == 2 else TENSOR_F32
        infos += string(name) + struct.pack("<I", array.ndim)
        infos += b"".join(struct.pack("<Q", size) for size in reversed(array.shape))  # fastest-varying first
        infos += struct.pack("<IQ", kind, len(data))
        data += q8_0(array) if kind == TENSOR_Q8_0 else array.astype("<f4").tobytes()
        data += pad(len(data))
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(metadata)) + b"".join(metadata) + infos
    with open(path, "wb") as file:
        file.write(head + pad(len(head)) + data)


def main():
    import torch
    import bpe
    import train
    source, target = sys.argv[1:]
    checkpoint = torch.load(source)
    tokens, merges = bpe.Tokenizer(checkpoint["merges"]).spelled()
    metadata = [
        entry("general.architecture", STRING, "llama"),
        entry("general.name", STRING, "Caravan demo"),
        entry("general.license", STRING, "Apache-2.0"),
        entry("general.file_type", U32, 7),  # mostly Q8_0
        entry("general.quantization_version", U32, 2),
        entry("general.alignment", U32, ALIGNMENT),
        entry("llama.block_count", U32, train.LAYERS),
        entry("llama.context_length", U32, train.CONTEXT),
        entry("llama.embedding_length", U32, train.HIDDEN),
        entry("llama.feed_forward_length", U32, train.FFN),
        entry("llama.attention.head_count", U32, train.HEADS),
        entry("llama.attention.head_count_kv", U32, train.KV_HEADS),
        entry("llama.attention.key_length", U32, train.HEAD_DIM),
        entry("llama.attention.value_length", U32, train.HEAD_DIM),
        entry("llama.rope.dimension_count", U32, train.HEAD_DIM),
        entry("llama.rope.freq_base", F32, train.THETA),
        entry("llama.attention.layer_norm_rms_epsilon", F32, train.EPS),
        entry("llama.vocab_size", U32, bpe.VOCABULARY),
        entry("tokenizer.ggml.model", STRING, "gpt2"),
        entry("tokenizer.ggml.pre", STRING, "llama-bpe"),
        entry("tokenizer.ggml.tokens", ARRAY, tokens, STRING),
        entry("tokenizer.ggml.token_type", ARRAY, [1] * bpe.BOS + [3] * len(bpe.SPECIALS), I32),
        entry("tokenizer.ggml.merges", ARRAY, merges, STRING),
        entry("tokenizer.ggml.bos_token_id", U32, bpe.BOS),
        entry("tokenizer.ggml.eos_token_id", U32, bpe.EOS),
        entry("tokenizer.ggml.add_bos_token", BOOL, True),
    ]
    # Training already uses the interleaved RoPE rows and GGUF's names, so tensors are copied as they are.
    tensors = [(name, weight.numpy()) for name, weight in checkpoint["model"].items()]
    write(target, metadata, tensors)


if __name__ == "__main__":
    main()
