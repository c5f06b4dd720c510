package dev.caravan.model.checkpoint;

/** How GGUF files of the architecture "llama" spell the weights. */
public final class GgufNames {
  static final String TOKEN_EMBEDDING = "token_embd.weight";
  static final String OUTPUT = "output.weight";

  private GgufNames() {}

  /** Returns the name of the tensor. */
  public static String of(WeightName name) {
    return switch (name.kind()) {
      case TOKEN_EMBEDDING -> TOKEN_EMBEDDING;
      case ATTENTION_NORM -> block(name, "attn_norm");
      case QUERY -> block(name, "attn_q");
      case KEY -> block(name, "attn_k");
      case VALUE -> block(name, "attn_v");
      case ATTENTION_OUTPUT -> block(name, "attn_output");
      case FFN_NORM -> block(name, "ffn_norm");
      case FFN_GATE -> block(name, "ffn_gate");
      case FFN_UP -> block(name, "ffn_up");
      case FFN_DOWN -> block(name, "ffn_down");
      case FINAL_NORM -> "output_norm.weight";
      case OUTPUT -> OUTPUT;
    };
  }

  private static String block(WeightName name, String weight) {
    return "blk." + name.layer() + "." + weight + ".weight";
  }
}
