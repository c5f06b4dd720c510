package dev.caravan.coordinator.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.type.LogicalType;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads the files and lists of token ids and texts that commands take. */
final class IdsFiles {
  private static final int MAX_STRING = 64 << 20;

  private IdsFiles() {}

  /**
   * Reads a JSON array of arrays of ids.
   *
   * @return at least one array
   * @throws ClusterException INVALID_REQUEST if it is something else
   */
  static List<int[]> readIds(Path file) {
    String what = "a JSON array of arrays of token ids";
    List<int[]> cases = checkNoNull(file, read(file, int[][].class, what), what);
    if (cases.isEmpty()) {
      throw invalid("%s holds an empty array; give %s".formatted(file, what), null);
    }
    return cases;
  }

  /**
   * Reads a JSON array of strings.
   *
   * @throws ClusterException INVALID_REQUEST if it is something else
   */
  static List<String> readTexts(Path file) {
    String what = "a JSON array of strings";
    return checkNoNull(file, read(file, String[].class, what), what);
  }

  /**
   * Reads a text file.
   *
   * @throws ClusterException INVALID_REQUEST if it is not there or not UTF-8
   */
  static String readText(Path file) {
    try {
      return Files.readString(file);
    } catch (CharacterCodingException e) {
      throw invalid("%s is not valid UTF-8; convert it first".formatted(file), e);
    } catch (NoSuchFileException e) {
      throw invalid("%s: no such file".formatted(file), e);
    } catch (IOException e) {
      throw invalid("cannot read %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  /**
   * Parses "1,2,3".
   *
   * @throws ClusterException INVALID_REQUEST if it is something else
   */
  static int[] parseIds(String text) {
    try {
      return Arrays.stream(text.split(",", -1))
          .map(String::strip)
          .mapToInt(Integer::parseInt)
          .toArray();
    } catch (NumberFormatException e) {
      throw invalid("--ids '%s' is not a list of token ids such as 1,2,3".formatted(text), e);
    }
  }

  /**
   * Checks ids against the vocabulary.
   *
   * @throws ClusterException INVALID_REQUEST naming the first bad one
   */
  static int[] check(int[] ids, int vocabSize, int minLength, String where) {
    if (ids.length < minLength) {
      throw invalid(
          "%s has %d token ids; at least %d are needed".formatted(where, ids.length, minLength),
          null);
    }
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 0 || ids[i] >= vocabSize) {
        throw invalid(
            "%s: token id %d at index %d is outside the vocabulary of %d"
                .formatted(where, ids[i], i, vocabSize),
            null);
      }
    }
    return ids;
  }

  /** Jackson lets null stand for anything. */
  private static <T> List<T> checkNoNull(Path file, T[] values, String what) {
    for (int i = 0; i < values.length; i++) {
      if (values[i] == null) {
        throw invalid("%s is not %s: it holds null at index %d".formatted(file, what, i), null);
      }
    }
    return List.of(values);
  }

  private static <T> T read(Path file, Class<T> type, String what) {
    T value;
    try {
      value = mapper().readValue(readText(file), type);
    } catch (IOException e) {
      throw invalid("%s is not %s: %s".formatted(file, what, firstLine(e.getMessage())), e);
    }
    if (value == null) {
      throw invalid("%s is not %s: it holds null".formatted(file, what), null);
    }
    return value;
  }

  /** Takes what is written and nothing that could be made of it: 1.5 and "1" are no ids. */
  private static ObjectMapper mapper() {
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxStringLength(MAX_STRING)
                    .maxNestingDepth(16)
                    .build())
            .build();
    return JsonMapper.builder(factory)
        .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
        .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
        .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
        .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
        .withCoercionConfig(
            LogicalType.Textual,
            config -> {
              config.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail);
              config.setCoercion(CoercionInputShape.Float, CoercionAction.Fail);
              config.setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
            })
        .build();
  }

  private static String firstLine(@Nullable String message) {
    return message == null ? "unreadable" : message.lines().findFirst().orElse("unreadable");
  }

  private static ClusterException invalid(String message, @Nullable Throwable cause) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message, cause);
  }
}
