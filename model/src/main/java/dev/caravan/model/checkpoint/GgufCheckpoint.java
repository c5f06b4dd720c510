package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.vocabulary.Vocabulary;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A GGUF file of the architecture "llama", mapped. Thread-safe. */
public final class GgufCheckpoint implements Checkpoint {
  private static final int DEFAULT_ALIGNMENT_BYTES = 32;
  private static final int MAX_ALIGNMENT_BYTES = 1 << 16;

  private final MappedFile mapped;
  private final GgufHeader header;
  private final LlamaConfig config;
  private final List<TensorEntry> tensors;
  private final LlamaWeights weights;
  private final CheckpointFingerprint fingerprint;
  private @Nullable Optional<Vocabulary> vocabulary;

  private GgufCheckpoint(
      MappedFile mapped, GgufHeader header, LlamaConfig config, Map<String, TensorEntry> tensors) {
    this.mapped = mapped;
    this.header = header;
    this.config = config;
    this.tensors = List.copyOf(tensors.values());
    this.weights = new LlamaWeights(mapped.path(), config, tensors, GgufNames::of);
    this.fingerprint = new CheckpointFingerprint(config, QkRowOrder.INTERLEAVED, this.tensors);
  }

  /**
   * Maps a file and checks its header.
   *
   * @throws dev.caravan.model.error.ClusterException as {@link Checkpoint} says
   */
  public static GgufCheckpoint open(Path file) {
    MappedFile mapped = MappedFile.open(file);
    try {
      GgufHeader header = new GgufHeaderParser(mapped).parse();
      GgufMetadata metadata = new GgufMetadata(file, header.metadata());
      checkNotSplit(metadata);
      Map<String, TensorEntry> tensors = LlamaWeights.byName(entries(mapped, header, metadata));
      LlamaConfig config = new GgufGeometry(metadata, tensors).read();
      return new GgufCheckpoint(mapped, header, config, tensors);
    } catch (RuntimeException e) {
      mapped.close();
      throw e;
    }
  }

  @Override
  public Path path() {
    return mapped.path();
  }

  @Override
  public String format() {
    return "GGUF v" + header.version();
  }

  @Override
  public LlamaConfig config() {
    return config;
  }

  @Override
  public QkRowOrder qkRowOrder() {
    return QkRowOrder.INTERLEAVED;
  }

  @Override
  public List<TensorEntry> tensors() {
    return tensors;
  }

  @Override
  public TensorEntry weight(WeightName name) {
    return weights.find(name);
  }

  /**
   * {@inheritDoc}
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if the file holds a kind of
   *     vocabulary that is not supported, CHECKPOINT_CORRUPT if it is broken
   */
  @Override
  public synchronized Optional<Vocabulary> vocabulary() {
    Optional<Vocabulary> known = vocabulary;
    if (known == null) {
      GgufMetadata metadata = new GgufMetadata(path(), header.metadata());
      known = new GgufVocabulary(metadata, config.vocabSize()).read();
      vocabulary = known;
    }
    return known;
  }

  @Override
  public String fingerprint() {
    return fingerprint.hex();
  }

  /**
   * Returns the metadata in file order: Long (BigInteger above its range), Double, Boolean, String
   * or {@link GgufArray} by key.
   */
  public Map<String, Object> metadata() {
    return header.metadata();
  }

  @Override
  public void close() {
    mapped.close();
  }

  private static void checkNotSplit(GgufMetadata metadata) {
    int parts = metadata.optionalInt("split.count").orElse(1);
    if (parts > 1) {
      throw CheckpointErrors.unsupported(
          metadata.file(),
          ("the model is split into %d files; join them first:"
                  + " llama-gguf-split --merge FIRST-PART.gguf WHOLE.gguf")
              .formatted(parts));
    }
  }

  private static List<TensorEntry> entries(
      MappedFile mapped, GgufHeader header, GgufMetadata metadata) {
    int alignment = metadata.optionalInt("general.alignment").orElse(DEFAULT_ALIGNMENT_BYTES);
    if (alignment < 8 || alignment > MAX_ALIGNMENT_BYTES || Integer.bitCount(alignment) != 1) {
      throw CheckpointErrors.corrupt(
          mapped.path(),
          "metadata general.alignment is %d, not a power of two in 8..%d"
              .formatted(alignment, MAX_ALIGNMENT_BYTES));
    }
    long dataStart = Math.ceilDiv(header.endOffset(), alignment) * alignment;
    checkPlaces(mapped, header.tensors(), dataStart, alignment);
    List<TensorEntry> entries = new ArrayList<>();
    for (GgufTensorInfo info : header.tensors()) {
      MemorySegment data = mapped.bytes().asSlice(dataStart + info.offset(), info.bytes());
      entries.add(new TensorEntry(info.name(), info.dtype(), info.rows(), info.columns(), data));
    }
    return entries;
  }

  private static void checkPlaces(
      MappedFile mapped, List<GgufTensorInfo> infos, long dataStart, int alignment) {
    long dataBytes = Math.max(0, mapped.bytes().byteSize() - dataStart);
    List<GgufTensorInfo> sorted =
        infos.stream().sorted(Comparator.comparingLong(GgufTensorInfo::offset)).toList();
    long end = 0;
    for (GgufTensorInfo info : sorted) {
      long offset = info.offset();
      if (offset < 0 || offset > dataBytes - info.bytes()) {
        throw CheckpointErrors.corrupt(
            mapped.path(),
            ("tensor %s has %d bytes at offset %s of a data section of %d bytes;"
                    + " the file is cut off or damaged, fetch it again")
                .formatted(info.name(), info.bytes(), Long.toUnsignedString(offset), dataBytes));
      }
      if (offset % alignment != 0) {
        throw CheckpointErrors.corrupt(
            mapped.path(),
            "tensor %s is at offset %d, not a multiple of the alignment %d"
                .formatted(info.name(), offset, alignment));
      }
      if (offset < end) {
        throw CheckpointErrors.corrupt(
            mapped.path(),
            "tensor %s at offset %d overlaps the one before, which ends at %d"
                .formatted(info.name(), offset, end));
      }
      end = offset + info.bytes();
    }
  }
}
