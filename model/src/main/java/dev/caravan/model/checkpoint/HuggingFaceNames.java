package dev.caravan.model.checkpoint;

/** How Hugging Face checkpoints of the model type "llama" spell the weights. */
final class HuggingFaceNames {
  private HuggingFaceNames() {}

  static String of(WeightName name) {
    return switch (name.kind()) {
      case TOKEN_EMBEDDING -> "model.embed_tokens.weight";
      case ATTENTION_NORM -> layer(name, "input_layernorm");
      case QUERY -> layer(name, "self_attn.q_proj");
      case KEY -> layer(name, "self_attn.k_proj");
      case VALUE -> layer(name, "self_attn.v_proj");
      case ATTENTION_OUTPUT -> layer(name, "self_attn.o_proj");
      case FFN_NORM -> layer(name, "post_attention_layernorm");
      case FFN_GATE -> layer(name, "mlp.gate_proj");
      case FFN_UP -> layer(name, "mlp.up_proj");
      case FFN_DOWN -> layer(name, "mlp.down_proj");
      case FINAL_NORM -> "model.norm.weight";
      case OUTPUT -> "lm_head.weight";
    };
  }

  private static String layer(WeightName name, String weight) {
    return "model.layers." + name.layer() + "." + weight + ".weight";
  }
}
