package dev.caravan.coordinator.structure;

import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.text.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Random;

/** A model without sense: writes any token that a constraint allows. */
final class Writer {
  /** After so many tokens it closes what is open, wherever it may, half of the time. */
  private static final int PATIENCE = 200;

  private static final int LIMIT = 20_000;
  private static final int NOT_CLOSING = 3;
  private static final String CLOSING = "\"]}";

  private final Tokenizer tokenizer;
  private final Random random;

  Writer(Tokenizer tokenizer, long seed) {
    this.tokenizer = tokenizer;
    this.random = new Random(seed);
  }

  /** Returns the text up to an end id. */
  String write(TokenConstraint constraint) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int tokens = 0; tokens < LIMIT; tokens++) {
      int id = choose(constraint.allowed(), tokens > PATIENCE && random.nextBoolean());
      if (tokenizer.vocabulary().eosIds().contains(id)) {
        return decode(text.toByteArray());
      }
      text.writeBytes(tokenizer.bytes(id));
      constraint.accept(id);
    }
    throw new AssertionError("no end after " + LIMIT + " tokens: " + text);
  }

  private int choose(BitSet allowed, boolean closing) {
    if (allowed.isEmpty()) {
      throw new AssertionError("a dead end");
    }
    if (closing) {
      int[] ids = allowed.stream().filter(id -> rank(id) < NOT_CLOSING).toArray();
      if (ids.length > 0) {
        return Arrays.stream(ids).boxed().min(Comparator.comparing(this::rank)).orElseThrow();
      }
    }
    int[] ids = allowed.stream().toArray();
    return ids[random.nextInt(ids.length)];
  }

  /** An end before a quote, which ends a string, before brackets, which could be its text. */
  private int rank(int id) {
    byte[] bytes = tokenizer.bytes(id);
    if (tokenizer.vocabulary().eosIds().contains(id)) {
      return -1;
    }
    int at = bytes.length == 1 ? CLOSING.indexOf(bytes[0]) : NOT_CLOSING;
    return at < 0 ? NOT_CLOSING : at;
  }

  private static String decode(byte[] text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
    } catch (CharacterCodingException e) {
      throw new AssertionError("not UTF-8", e);
    }
  }
}
