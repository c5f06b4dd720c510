package dev.caravan.model.vocabulary;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;

/**
 * What the other files of a Hugging Face directory say about a vocabulary: which tokens begin a
 * text and end a generation, and the chat template. Confined to one call.
 *
 * <p>End ids are the union of what all files say: chat models list their end of turn in one file
 * and their end of text in another, and a generation ends at either.
 */
final class HuggingFaceSettings {
  private final Path directory;
  private final Vocabulary vocabulary;

  HuggingFaceSettings(Path directory, Vocabulary vocabulary) {
    this.directory = directory;
    this.vocabulary = vocabulary;
  }

  /** Returns the vocabulary with what the directory says added. */
  Vocabulary applied() {
    Set<Integer> eosIds = new TreeSet<>(vocabulary.eosIds());
    OptionalInt bosId = OptionalInt.empty();
    for (String name : List.of("generation_config.json", "config.json")) {
      FilePlace place = new FilePlace(directory.resolve(name));
      JsonNode config = json(place);
      JsonNode eos = config.path("eos_token_id");
      for (JsonNode id : eos.isArray() ? eos : List.of(eos)) {
        id(id, "eos_token_id", place).ifPresent(eosIds::add);
      }
      OptionalInt stated = id(config.path("bos_token_id"), "bos_token_id", place);
      bosId = bosId.isPresent() ? bosId : stated;
    }
    FilePlace place = new FilePlace(directory.resolve("tokenizer_config.json"));
    JsonNode config = json(place);
    named(config.path("eos_token"), "eos_token", place).ifPresent(eosIds::add);
    OptionalInt named = named(config.path("bos_token"), "bos_token", place);
    bosId = named.isPresent() ? named : bosId;
    return new Vocabulary(
        vocabulary.algorithm(),
        vocabulary.tokens(),
        vocabulary.merges(),
        bosId.isPresent() ? bosId : vocabulary.bosId(),
        eosIds,
        chatTemplate(config.path("chat_template")));
  }

  private static JsonNode json(FilePlace place) {
    return Files.exists(place.file())
        ? JsonFiles.object(place.readAll(), place)
        : MissingNode.getInstance();
  }

  private OptionalInt id(JsonNode node, String key, FilePlace place) {
    if (node.isMissingNode() || node.isNull()) {
      return OptionalInt.empty();
    }
    if (!node.isInt() || node.intValue() < 0 || node.intValue() >= vocabulary.size()) {
      throw place.corrupt(
          "%s %s is not an id of the %d tokens".formatted(key, node, vocabulary.size()));
    }
    return OptionalInt.of(node.intValue());
  }

  /** The token is given by its text, either plainly or as the content of an object. */
  private OptionalInt named(JsonNode node, String key, FilePlace place) {
    JsonNode content = node.isObject() ? node.path("content") : node;
    if (content.isMissingNode() || content.isNull()) {
      return OptionalInt.empty();
    }
    String text = content.asText();
    List<Token> tokens = vocabulary.tokens();
    for (int id = 0; id < tokens.size(); id++) {
      if (tokens.get(id).text().equals(text)) {
        return OptionalInt.of(id);
      }
    }
    throw place.corrupt(
        "%s \"%s\" is none of the %d tokens".formatted(key, text, vocabulary.size()));
  }

  /** A file of its own wins; in the configuration it is a text, or a list of named ones. */
  private Optional<String> chatTemplate(JsonNode node) {
    FilePlace place = new FilePlace(directory.resolve("chat_template.jinja"));
    if (Files.exists(place.file())) {
      return Optional.of(new String(place.readAll(), StandardCharsets.UTF_8));
    }
    for (JsonNode named : node.isArray() ? node : List.<JsonNode>of()) {
      if (named.path("name").asText("").equals("default")) {
        return Optional.of(named.path("template").asText(""));
      }
    }
    return node.isTextual() ? Optional.of(node.textValue()) : vocabulary.chatTemplate();
  }
}
