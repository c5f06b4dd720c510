package dev.caravan.model.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.caravan.model.error.ClusterException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * One safetensors file, mapped: a u64 header length, a JSON header, the data. Thread-safe.
 *
 * <p>Layout after the safetensors format description of Hugging Face.
 */
final class SafetensorsFile implements AutoCloseable {
  private static final int LENGTH_BYTES = Long.BYTES;
  private static final ValueLayout.OfLong LONG =
      ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private record Placed(TensorEntry entry, long begin, long end) {}

  private final MappedFile mapped;
  private final List<TensorEntry> tensors;

  private SafetensorsFile(MappedFile mapped, List<TensorEntry> tensors) {
    this.mapped = mapped;
    this.tensors = tensors;
  }

  /** Returns true if the first bytes of a file can be those of a safetensors file. */
  static boolean matches(byte[] start) {
    return start.length > LENGTH_BYTES
        && start[LENGTH_BYTES] == '{'
        && start[LENGTH_BYTES - 1] == 0;
  }

  /**
   * Maps a file and checks its header.
   *
   * @throws ClusterException CHECKPOINT_CORRUPT if it is broken, INVALID_REQUEST if it cannot be
   *     read or has an element type that is not supported
   */
  static SafetensorsFile open(Path file) {
    MappedFile mapped = MappedFile.open(file);
    try {
      return new SafetensorsFile(mapped, parse(mapped));
    } catch (RuntimeException e) {
      mapped.close();
      throw e;
    }
  }

  Path path() {
    return mapped.path();
  }

  /** All tensors in the order of their bytes. */
  List<TensorEntry> tensors() {
    return tensors;
  }

  @Override
  public void close() {
    mapped.close();
  }

  private static List<TensorEntry> parse(MappedFile mapped) {
    int headerBytes = headerBytes(mapped);
    byte[] json = mapped.bytes().asSlice(LENGTH_BYTES, headerBytes).toArray(ValueLayout.JAVA_BYTE);
    JsonNode header = JsonDocument.parse(mapped.path(), "header: ", json);
    MemorySegment data = mapped.bytes().asSlice(LENGTH_BYTES + headerBytes);
    JsonFields fields = new JsonFields(mapped.path(), header, "");
    List<Placed> placed = new ArrayList<>();
    header
        .fieldNames()
        .forEachRemaining(name -> {
          if (!name.equals("__metadata__")) {
            placed.add(tensor(name, fields.requiredObject(name), data));
          }
        });
    placed.sort(Comparator.comparingLong(Placed::begin).thenComparingLong(Placed::end));
    checkNoOverlap(mapped.path(), placed);
    return placed.stream().map(Placed::entry).toList();
  }

  private static int headerBytes(MappedFile mapped) {
    long fileBytes = mapped.bytes().byteSize();
    if (fileBytes < LENGTH_BYTES) {
      throw CheckpointErrors.corrupt(
          mapped.path(), "%d bytes are too few for a safetensors file".formatted(fileBytes));
    }
    long headerBytes = mapped.bytes().get(LONG, 0);
    long max = Math.min(fileBytes - LENGTH_BYTES, JsonDocument.MAX_BYTES);
    if (headerBytes < 0 || headerBytes > max) {
      throw CheckpointErrors.corrupt(
          mapped.path(),
          "header of %s bytes in a file of %d; at most %d can be read"
              .formatted(Long.toUnsignedString(headerBytes), fileBytes, max));
    }
    return (int) headerBytes;
  }

  private static Placed tensor(String name, JsonFields fields, MemorySegment data) {
    DType dtype = dtype(name, fields);
    long[] shape = fields.requiredLongs("shape");
    long columns = shape.length == 0 ? 1 : shape[shape.length - 1];
    long rows = 1;
    long[] offsets = fields.requiredLongs("data_offsets");
    if (offsets.length != 2 || offsets[0] > offsets[1] || offsets[1] > data.byteSize()) {
      throw CheckpointErrors.corrupt(
          fields.file(),
          ("tensor %s: data_offsets %s are not a range within %d bytes of data;"
                  + " the file is cut off or damaged, fetch it again")
              .formatted(name, Arrays.toString(offsets), data.byteSize()));
    }
    long bytes = offsets[1] - offsets[0];
    try {
      for (int i = 0; i < shape.length - 1; i++) {
        rows = Math.multiplyExact(rows, shape[i]);
      }
      if (Math.multiplyExact(Math.multiplyExact(rows, columns), dtype.blockBytes()) != bytes) {
        throw wrongSize(name, fields, dtype, shape, bytes);
      }
    } catch (ArithmeticException e) {
      throw wrongSize(name, fields, dtype, shape, bytes);
    }
    MemorySegment slice = data.asSlice(offsets[0], bytes);
    return new Placed(new TensorEntry(name, dtype, rows, columns, slice), offsets[0], offsets[1]);
  }

  private static ClusterException wrongSize(
      String name, JsonFields fields, DType dtype, long[] shape, long bytes) {
    return CheckpointErrors.corrupt(
        fields.file(),
        "tensor %s: %s %s does not take the %d bytes that its data_offsets give it"
            .formatted(name, dtype, Arrays.toString(shape), bytes));
  }

  private static DType dtype(String name, JsonFields fields) {
    Optional<String> type = fields.optionalString("dtype");
    return switch (type.orElseThrow(() -> fields.missing("dtype"))) {
      case "F32" -> DType.F32;
      case "F16" -> DType.F16;
      case "BF16" -> DType.BF16;
      default ->
          throw CheckpointErrors.unsupported(
              fields.file(),
              ("tensor %s has element type %s, which is not supported;"
                      + " use the F32, F16 or BF16 model, or a GGUF file for a quantised one")
                  .formatted(name, type.get()));
    };
  }

  private static void checkNoOverlap(Path file, List<Placed> sorted) {
    long end = 0;
    for (Placed tensor : sorted) {
      if (tensor.begin() < end) {
        throw CheckpointErrors.corrupt(
            file,
            "tensor %s: data_offsets [%d, %d] overlap those of the one before, which end at %d"
                .formatted(tensor.entry().name(), tensor.begin(), tensor.end(), end));
      }
      end = tensor.end();
    }
  }
}
