package dev.caravan.model.checkpoint;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Merge;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/** Reads the vocabulary from the {@code tokenizer.*} metadata of a GGUF file. */
final class GgufVocabulary {
  private static final Set<String> LLAMA_3_PRE_TOKENISERS =
      Set.of("llama-bpe", "llama3", "llama-v3");

  private static final Set<String> LLAMA_3_END_TOKENS =
      Set.of("<|eot_id|>", "<|end_of_text|>", "<|eom_id|>");

  private static final int NORMAL = 1;

  private final Path file;
  private final GgufMetadata metadata;
  private final int vocabSize;

  GgufVocabulary(GgufMetadata metadata, int vocabSize) {
    this.file = metadata.file();
    this.metadata = metadata;
    this.vocabSize = vocabSize;
  }

  /** Reads it; empty if the file has none. */
  Optional<Vocabulary> read() {
    String model = metadata.optionalString("tokenizer.ggml.model").orElse("no_vocab");
    return switch (model) {
      case "no_vocab", "none" -> Optional.empty();
      case "llama" -> Optional.of(vocabulary(Algorithm.SENTENCEPIECE_BPE));
      case "gpt2" -> {
        checkPreTokeniser();
        yield Optional.of(vocabulary(Algorithm.BYTE_LEVEL_BPE));
      }
      default ->
          throw CheckpointErrors.unsupported(
              file,
              "tokenizer.ggml.model \"%s\" is not supported, only \"llama\" and \"gpt2\" are"
                  .formatted(model));
    };
  }

  private void checkPreTokeniser() {
    String pre = metadata.optionalString("tokenizer.ggml.pre").orElse("");
    if (!LLAMA_3_PRE_TOKENISERS.contains(pre)) {
      throw CheckpointErrors.unsupported(
          file,
          "tokenizer.ggml.pre \"%s\" is not supported, only that of Llama 3 (\"llama-bpe\") is"
              .formatted(pre));
    }
  }

  private Vocabulary vocabulary(Algorithm algorithm) {
    List<Token> tokens = tokens(algorithm);
    boolean byteLevel = algorithm == Algorithm.BYTE_LEVEL_BPE;
    return new Vocabulary(
        algorithm,
        tokens,
        byteLevel ? merges(tokens) : List.of(),
        bosId(tokens),
        eosIds(tokens, byteLevel),
        metadata.optionalString("tokenizer.chat_template"));
  }

  private List<Token> tokens(Algorithm algorithm) {
    List<String> texts = metadata.requiredArray("tokenizer.ggml.tokens").strings();
    if (texts.isEmpty() || texts.size() > vocabSize) {
      throw CheckpointErrors.corrupt(
          file,
          "tokenizer.ggml.tokens has %d tokens, the model %d".formatted(texts.size(), vocabSize));
    }
    float[] scores =
        algorithm == Algorithm.SENTENCEPIECE_BPE
            ? metadata.requiredArray("tokenizer.ggml.scores").floats()
            : new float[texts.size()];
    int[] types =
        metadata
            .optionalArray("tokenizer.ggml.token_type")
            .map(GgufArray::ints)
            .orElseGet(() -> allNormal(texts.size()));
    if (scores.length != texts.size() || types.length != texts.size()) {
      throw CheckpointErrors.corrupt(
          file,
          "%d tokens, %d scores and %d token types; their numbers must be equal"
              .formatted(texts.size(), scores.length, types.length));
    }
    List<Token> tokens = new ArrayList<>(texts.size());
    for (int id = 0; id < types.length; id++) {
      tokens.add(new Token(texts.get(id), scores[id], type(id, types[id])));
    }
    return tokens;
  }

  private static int[] allNormal(int size) {
    int[] types = new int[size];
    Arrays.fill(types, NORMAL);
    return types;
  }

  private TokenType type(int id, int number) {
    return switch (number) {
      case NORMAL -> TokenType.NORMAL;
      case 2 -> TokenType.UNKNOWN;
      case 3 -> TokenType.CONTROL;
      case 4 -> TokenType.USER_DEFINED;
      case 5 -> TokenType.UNUSED;
      case 6 -> TokenType.BYTE;
      default ->
          throw CheckpointErrors.corrupt(
              file, "tokenizer.ggml.token_type of token %d is %d, not 1..6".formatted(id, number));
    };
  }

  private List<Merge> merges(List<Token> tokens) {
    Map<String, Integer> ids = HashMap.newHashMap(tokens.size());
    for (int id = 0; id < tokens.size(); id++) {
      ids.putIfAbsent(tokens.get(id).text(), id);
    }
    List<Merge> merges = new ArrayList<>();
    for (String pair : metadata.requiredArray("tokenizer.ggml.merges").strings()) {
      // Byte-level tokens spell a space as U+0120, so the only plain one is between the two.
      int space = pair.indexOf(' ', 1);
      Integer left = space < 0 ? null : ids.get(pair.substring(0, space));
      Integer right = space < 0 ? null : ids.get(pair.substring(space + 1));
      if (left == null || right == null) {
        throw CheckpointErrors.corrupt(
            file,
            "tokenizer.ggml.merges[%d] is \"%s\", not two tokens of the vocabulary"
                .formatted(merges.size(), pair));
      }
      merges.add(new Merge(left, right));
    }
    return merges;
  }

  private OptionalInt bosId(List<Token> tokens) {
    return metadata.bool("tokenizer.ggml.add_bos_token", true)
        ? id("tokenizer.ggml.bos_token_id", tokens)
        : OptionalInt.empty();
  }

  private Set<Integer> eosIds(List<Token> tokens, boolean llama3) {
    Set<Integer> ids = new HashSet<>();
    for (String name : List.of("eos", "eot", "eom")) {
      id("tokenizer.ggml." + name + "_token_id", tokens).ifPresent(ids::add);
    }
    for (int id = 0; llama3 && id < tokens.size(); id++) {
      Token token = tokens.get(id);
      if (token.type() == TokenType.CONTROL && LLAMA_3_END_TOKENS.contains(token.text())) {
        ids.add(id);
      }
    }
    return ids;
  }

  private OptionalInt id(String key, List<Token> tokens) {
    OptionalInt id = metadata.optionalInt(key);
    if (id.isPresent() && id.getAsInt() >= tokens.size()) {
      throw outside(key, id.getAsInt(), tokens.size());
    }
    return id;
  }

  private ClusterException outside(String key, int id, int size) {
    return CheckpointErrors.corrupt(
        file, "%s is %d, the vocabulary has %d tokens".formatted(key, id, size));
  }
}
