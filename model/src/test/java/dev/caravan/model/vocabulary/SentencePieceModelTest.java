package dev.caravan.model.vocabulary;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class SentencePieceModelTest {
  private static final FilePlace PLACE = new FilePlace(Path.of("tokenizer.model"));

  /** Writes protobuf by hand, so that the reader is not tested against itself. */
  private static final class Message {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Message varint(int field, long value) {
      raw(field << 3);
      return raw(value);
    }

    Message float32(int field, float value) {
      raw(field << 3 | 5);
      bytes.writeBytes(
          ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putFloat(value).array());
      return this;
    }

    Message bytes(int field, byte[] value) {
      raw(field << 3 | 2);
      raw(value.length);
      bytes.writeBytes(value);
      return this;
    }

    Message string(int field, String value) {
      return bytes(field, value.getBytes(StandardCharsets.UTF_8));
    }

    Message message(int field, Message value) {
      return bytes(field, value.toBytes());
    }

    private Message raw(long value) {
      long left = value;
      while ((left & ~0x7FL) != 0) {
        bytes.write((int) (left & 0x7F | 0x80));
        left >>>= 7;
      }
      bytes.write((int) left);
      return this;
    }

    byte[] toBytes() {
      return bytes.toByteArray();
    }
  }

  private static Message piece(String text, float score, int type) {
    return new Message().string(1, text).float32(2, score).varint(3, type);
  }

  private static Message model(Message trainer, Message normalizer) {
    return new Message()
        .message(1, piece("<unk>", 0, 2))
        .message(1, piece("<s>", 0, 3))
        .message(1, piece("</s>", 0, 3))
        .message(1, piece("<0x0A>", 0, 6))
        .message(1, piece("[x]", 0, 4))
        .message(1, piece("old", -1, 5))
        .message(1, new Message().string(1, "\u2581a").float32(2, -7.5f))
        .message(2, trainer)
        .message(3, normalizer)
        .string(99, "a field of a later version");
  }

  private static Message trainer() {
    return new Message().varint(3, 2).varint(41, 1).varint(42, 2).varint(43, -1).float32(10, 1);
  }

  private static Message normalizer() {
    return new Message().string(1, "identity").varint(3, 1).varint(4, 0);
  }

  @Test
  void readsPiecesAndSettings() {
    Vocabulary vocabulary =
        SentencePieceModel.read(model(trainer(), normalizer()).toBytes(), PLACE);
    assertThat(vocabulary.algorithm()).isEqualTo(Algorithm.SENTENCEPIECE_BPE);
    assertThat(vocabulary.tokens())
        .containsExactly(
            new Token("<unk>", 0, TokenType.UNKNOWN),
            new Token("<s>", 0, TokenType.CONTROL),
            new Token("</s>", 0, TokenType.CONTROL),
            new Token("<0x0A>", 0, TokenType.BYTE),
            new Token("[x]", 0, TokenType.USER_DEFINED),
            new Token("old", -1, TokenType.UNUSED),
            new Token("\u2581a", -7.5f, TokenType.NORMAL));
    assertThat(vocabulary.bosId()).hasValue(1);
    assertThat(vocabulary.eosIds()).containsExactly(2);
  }

  @Test
  void anIdOfMinusOneIsNoToken() {
    Message trainer = new Message().varint(3, 2).varint(41, -1).varint(42, -1);
    Vocabulary vocabulary = SentencePieceModel.read(model(trainer, normalizer()).toBytes(), PLACE);
    assertThat(vocabulary.bosId()).isEmpty();
    assertThat(vocabulary.eosIds()).containsExactly(2);
  }

  @Test
  void refusesModelsThatNoLlamaHas() {
    assertFails(
        ErrorCode.INVALID_REQUEST, model(new Message().varint(3, 1), normalizer()), "type 1");
    assertFails(
        ErrorCode.INVALID_REQUEST,
        model(trainer(), new Message().varint(4, 1)),
        "whitespaces true");
    assertFails(
        ErrorCode.INVALID_REQUEST,
        model(trainer(), new Message().varint(3, 0).varint(4, 0)),
        "add_dummy_prefix false");
  }

  @Test
  void namesThePlaceOfDamage() {
    ErrorCode corrupt = ErrorCode.CHECKPOINT_CORRUPT;
    assertFails(corrupt, model(trainer().varint(41, 7), normalizer()), "bos id 7", "7 pieces");
    assertFails(
        corrupt, new Message().message(1, piece("a", Float.NaN, 1)), "piece 0", "\"a\"", "NaN");
    assertFails(corrupt, new Message().message(1, piece("a", 0, 9)), "piece 0", "type 9");
    assertFails(
        corrupt, new Message().message(1, new Message().bytes(1, new byte[] {-1})), "UTF-8");
    assertFails(corrupt, new Message().varint(1, 5), "wire type 0, 2 expected");
    assertFails(corrupt, new Message().raw(1 << 3 | 2).raw(1L << 40), "1099511627776 bytes");
    assertFails(corrupt, new Message().raw(1 << 3 | 2).raw(-1), "18446744073709551615 bytes");
    assertFails(corrupt, new Message().raw(1 << 3 | 3), "wire type 3");
    assertFails(corrupt, new Message().raw(0), "field number 0");
    assertFails(corrupt, new Message().string(7, "nothing else"), "no token");
  }

  private static void assertFails(ErrorCode code, Message model, String... parts) {
    assertThatThrownBy(() -> SentencePieceModel.read(model.toBytes(), PLACE))
        .isInstanceOfSatisfying(
            ClusterException.class,
            e -> {
              assertThat(e.code()).isEqualTo(code);
              assertThat(e.getMessage()).contains("tokenizer.model").contains(parts);
            });
  }

  @Property(tries = 2000, seed = "31")
  void damageIsAlwaysAnOperatingError(@ForAll long seed) {
    Random random = new Random(seed);
    byte[] sound = model(trainer(), normalizer()).toBytes();
    byte[] damaged = Arrays.copyOf(sound, 1 + random.nextInt(sound.length));
    for (int i = random.nextInt(4); i > 0; i--) {
      damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
    }
    try {
      assertThat(SentencePieceModel.read(damaged, PLACE).size()).isBetween(1, 7);
    } catch (ClusterException e) {
      assertThat(e.code()).isIn(ErrorCode.CHECKPOINT_CORRUPT, ErrorCode.INVALID_REQUEST);
    }
  }
}
