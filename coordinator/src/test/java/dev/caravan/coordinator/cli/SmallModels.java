package dev.caravan.coordinator.cli;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.TinyLlama;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.config.RopeScaling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Models with random weights that load in no time. */
public final class SmallModels {
  /** Ids: unk 0, begin 1, end 2, byte b = 3 + b, then a few pieces; the last ids have no token. */
  public static final int VOCABULARY = 270;

  public static final int CONTEXT = 512;
  public static final int BEGIN = 1;
  public static final int END = 2;

  /** 8 query heads, 4 KV heads, 2 layers: 1 to 8 ranks and 1 or 2 stages can hold it. */
  public static final LlamaConfig CONFIG = config(CONTEXT);

  private static final List<String> PIECES = List.of("▁", "a", "b", "▁a", "ab", "▁ab");

  private SmallModels() {}

  /** Writes a model without a vocabulary. */
  public static Path plain(Path file, DType dtype) throws IOException {
    TinyLlama.write(file, CONFIG, name -> dtype, 1);
    return file;
  }

  /** Writes a model with room for very long texts. */
  static Path endless(Path file) throws IOException {
    TinyLlama.write(file, config(1 << 20), name -> DType.F32, 1);
    return file;
  }

  /** Writes a model with a small SentencePiece vocabulary. */
  static Path withVocabulary(Path file) throws IOException {
    return withVocabulary(file, Map.of());
  }

  /** Writes a model with a small SentencePiece vocabulary and a chat template. */
  static Path withChatTemplate(Path file, String template) throws IOException {
    return withVocabulary(file, Map.of("tokenizer.chat_template", template));
  }

  private static Path withVocabulary(Path file, Map<String, Object> more) throws IOException {
    List<String> texts = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    List<Integer> types = new ArrayList<>(List.of(2, 3, 3));
    for (int value = 0; value < 256; value++) {
      texts.add("<0x%02X>".formatted(value));
      types.add(6);
    }
    for (String piece : PIECES) {
      texts.add(piece);
      types.add(1);
    }
    List<Float> scores = new ArrayList<>();
    for (int id = 0; id < texts.size(); id++) {
      scores.add((float) -id);
    }
    Map<String, Object> metadata = new HashMap<>(more);
    metadata.put("tokenizer.ggml.model", "llama");
    metadata.put("tokenizer.ggml.tokens", texts);
    metadata.put("tokenizer.ggml.scores", scores);
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put("tokenizer.ggml.bos_token_id", BEGIN);
    metadata.put("tokenizer.ggml.eos_token_id", END);
    TinyLlama.write(file, CONFIG, name -> DType.F32, 1, metadata);
    return file;
  }

  private static LlamaConfig config(int context) {
    return new LlamaConfig(
        64, 128, 2, 8, 4, 8, VOCABULARY, context, 1e-5f, 10_000, new RopeScaling.None(), true);
  }
}
