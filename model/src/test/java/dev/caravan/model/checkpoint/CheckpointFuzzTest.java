package dev.caravan.model.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import dev.caravan.model.error.ClusterException;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;

/**
 * Opens damaged checkpoints: each either opens or fails with a {@link ClusterException}, quickly
 * and in little memory.
 */
class CheckpointFuzzTest {
  private static final int TRIES = 400;
  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  /** Of CPU time, so that a busy machine fails no test. */
  private static final Duration TIME_LIMIT = Duration.ofSeconds(1);

  /** Values that break careless arithmetic, beside random bytes. */
  private static final long[] NASTY = {
    0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE, 1L << 31, 1L << 32, 1L << 61, 1L << 40, 31, 33
  };

  private static Path directory = Path.of("");
  private static byte[] gguf = {};
  private static byte[] safetensors = {};

  @BeforeContainer
  static void makeModels() throws IOException {
    directory = Files.createTempDirectory("checkpoint-fuzz");
    Path file = directory.resolve("valid.gguf");
    GgufCheckpointTest.writer()
        .metadata("tokenizer.ggml.model", "llama")
        .metadata("tokenizer.ggml.tokens", List.of("<unk>", "<s>", "</s>", "a"))
        .metadata("tokenizer.ggml.scores", List.of(0f, 0f, 0f, -1f))
        .metadata("tokenizer.ggml.token_type", List.of(2, 3, 3, 1))
        .metadata("tokenizer.chat_template", "{{ messages }}")
        .tensor(
            "rope_freqs.weight",
            DType.F32,
            1,
            4,
            out ->
                out.write(
                    new byte[] {0, 0, -128, 63, 0, 0, -128, 63, 0, 0, -128, 63, 0, 0, -128, 63}))
        .tensor("token_embd.weight", DType.Q8_0, 48, 32, out -> out.write(new byte[48 * 34]))
        .write(file);
    gguf = Files.readAllBytes(file);
    Files.delete(file);
    SafetensorsFixture.writeModel(directory);
    safetensors = Files.readAllBytes(directory.resolve("model.safetensors"));
    // What is damaged must be sound before, and opening it once loads the classes.
    Checkpoints.open(Files.write(directory.resolve("damaged.gguf"), gguf)).close();
    Checkpoints.open(directory).close();
  }

  @AfterContainer
  static void deleteModels() throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  @Property(tries = TRIES, seed = "20251", shrinking = ShrinkingMode.OFF)
  void damagedGguf(
      @ForAll @Size(min = 1, max = 4) List<@IntRange(max = 1_000_000) Integer> places,
      @ForAll @IntRange(max = 3) int kind,
      @ForAll byte value)
      throws IOException {
    Path file = directory.resolve("damaged.gguf");
    Files.write(file, damaged(gguf, gguf.length - 48 * 34, places, kind, value));
    open(file);
  }

  @Property(tries = TRIES, seed = "20252", shrinking = ShrinkingMode.OFF)
  void damagedSafetensors(
      @ForAll @Size(min = 1, max = 4) List<@IntRange(max = 1_000_000) Integer> places,
      @ForAll @IntRange(max = 3) int kind,
      @ForAll byte value)
      throws IOException {
    int header = 8 + (int) ByteBuffer.wrap(safetensors).order(ByteOrder.LITTLE_ENDIAN).getLong(0);
    Files.writeString(directory.resolve("config.json"), SafetensorsFixture.CONFIG);
    Files.write(
        directory.resolve("model.safetensors"), damaged(safetensors, header, places, kind, value));
    open(directory);
  }

  @Property(tries = TRIES, seed = "20253", shrinking = ShrinkingMode.OFF)
  void damagedConfig(
      @ForAll @Size(min = 1, max = 4) List<@IntRange(max = 1_000_000) Integer> places,
      @ForAll @IntRange(max = 3) int kind,
      @ForAll byte value)
      throws IOException {
    byte[] config = SafetensorsFixture.CONFIG.getBytes(StandardCharsets.UTF_8);
    Files.write(
        directory.resolve("config.json"), damaged(config, config.length, places, kind, value));
    Files.write(directory.resolve("model.safetensors"), safetensors);
    open(directory);
  }

  /**
   * Damages the header at some places (millionths of its length): sets a byte, flips a bit, sets 8
   * bytes to a nasty number, or cuts the file off.
   */
  private static byte[] damaged(
      byte[] valid, int headerBytes, List<Integer> places, int kind, byte value) {
    byte[] bytes = valid.clone();
    for (int place : places) {
      int at = (int) ((long) place * (headerBytes - 1) / 1_000_000);
      switch (kind) {
        case 0 -> bytes[at] = value;
        case 1 -> bytes[at] ^= (byte) (1 << (value & 7));
        case 2 -> {
          if (at + 8 <= bytes.length) {
            ByteBuffer.wrap(bytes)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(at, NASTY[Math.floorMod(value, NASTY.length)]);
          }
        }
        default -> {
          return Arrays.copyOf(bytes, at);
        }
      }
    }
    return bytes;
  }

  private static void open(Path path) {
    long allocatedBefore = allocatedBytes();
    long start = THREADS.getCurrentThreadCpuTime();
    try (Checkpoint checkpoint = Checkpoints.open(path)) {
      checkpoint.vocabulary();
      checkpoint.fingerprint();
      for (WeightName name : TinyLlama.weights(GgufCheckpointTest.CONFIG)) {
        if (name.layer() < checkpoint.config().layers()) {
          checkpoint.weight(name);
        }
      }
    } catch (ClusterException e) {
      assertThat(e).hasMessageContaining(path.toString());
    }
    assertThat(Duration.ofNanos(THREADS.getCurrentThreadCpuTime() - start)).isLessThan(TIME_LIMIT);
    assertThat(allocatedBytes() - allocatedBefore).isLessThan(64 << 20);
  }

  private static long allocatedBytes() {
    return THREADS.getCurrentThreadAllocatedBytes();
  }
}
