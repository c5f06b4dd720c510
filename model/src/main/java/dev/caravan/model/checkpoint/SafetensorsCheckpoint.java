package dev.caravan.model.checkpoint;

import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.VocabularyFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A Hugging Face directory: config.json and one or more safetensors files, mapped. Thread-safe. */
public final class SafetensorsCheckpoint implements Checkpoint {
  private static final String SINGLE_FILE_NAME = "model.safetensors";

  private final Path directory;
  private final List<SafetensorsFile> files;
  private final LlamaConfig config;
  private final List<TensorEntry> tensors;
  private final LlamaWeights weights;
  private final CheckpointFingerprint fingerprint;
  private @Nullable Optional<Vocabulary> vocabulary;

  private SafetensorsCheckpoint(
      Path directory,
      List<SafetensorsFile> files,
      LlamaConfig config,
      Map<String, TensorEntry> tensors) {
    this.directory = directory;
    this.files = List.copyOf(files);
    this.config = config;
    this.tensors = List.copyOf(tensors.values());
    this.weights = new LlamaWeights(directory, config, tensors, HuggingFaceNames::of);
    this.fingerprint = new CheckpointFingerprint(config, QkRowOrder.HALF_SPLIT, this.tensors);
  }

  /**
   * Maps the files of a directory and checks their headers.
   *
   * @throws dev.caravan.model.error.ClusterException as {@link Checkpoint} says
   */
  public static SafetensorsCheckpoint open(Path directory) {
    Path configFile = directory.resolve(HuggingFaceConfig.FILE_NAME);
    if (!Files.isRegularFile(configFile)) {
      throw CheckpointErrors.unsupported(
          directory,
          "no config.json in this directory; give a Hugging Face directory or a GGUF file");
    }
    LlamaConfig config = HuggingFaceConfig.read(configFile);
    List<SafetensorsFile> files = new ArrayList<>();
    try {
      Map<String, TensorEntry> tensors = openFiles(directory, files);
      return new SafetensorsCheckpoint(directory, files, config, tensors);
    } catch (RuntimeException e) {
      files.forEach(SafetensorsFile::close);
      throw e;
    }
  }

  @Override
  public Path path() {
    return directory;
  }

  @Override
  public String format() {
    return "Hugging Face safetensors";
  }

  @Override
  public LlamaConfig config() {
    return config;
  }

  @Override
  public QkRowOrder qkRowOrder() {
    return QkRowOrder.HALF_SPLIT;
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
   * @throws dev.caravan.model.error.ClusterException as {@link VocabularyFiles} says, and
   *     CHECKPOINT_CORRUPT if there are more tokens than the token embedding has rows
   */
  @Override
  public synchronized Optional<Vocabulary> vocabulary() {
    Optional<Vocabulary> known = vocabulary;
    if (known == null) {
      known = VocabularyFiles.inDirectory(directory);
      known.ifPresent(this::checkSize);
      vocabulary = known;
    }
    return known;
  }

  @Override
  public String fingerprint() {
    return fingerprint.hex();
  }

  @Override
  public void close() {
    files.forEach(SafetensorsFile::close);
  }

  private void checkSize(Vocabulary read) {
    if (read.size() > config.vocabSize()) {
      throw CheckpointErrors.corrupt(
          directory,
          "the tokenizer has %d tokens, vocab_size in config.json is %d"
              .formatted(read.size(), config.vocabSize()));
    }
  }

  private static Map<String, TensorEntry> openFiles(Path directory, List<SafetensorsFile> files) {
    if (Files.isRegularFile(directory.resolve(SINGLE_FILE_NAME))) {
      return openAll(directory, Set.of(SINGLE_FILE_NAME), files, new HashMap<>());
    }
    Path indexFile = directory.resolve(SafetensorsIndex.FILE_NAME);
    if (!Files.isRegularFile(indexFile)) {
      throw CheckpointErrors.unsupported(
          directory,
          "neither %s nor %s in this directory; other weight formats are not supported"
              .formatted(SINGLE_FILE_NAME, SafetensorsIndex.FILE_NAME));
    }
    SafetensorsIndex index = SafetensorsIndex.read(indexFile);
    Map<String, String> fileOfTensor = new HashMap<>();
    Map<String, TensorEntry> tensors =
        openAll(directory, index.distinctFiles(), files, fileOfTensor);
    index.check(fileOfTensor);
    return tensors;
  }

  /** Adds every file to {@code files} as soon as it is open, so that the caller can close it. */
  private static Map<String, TensorEntry> openAll(
      Path directory,
      Collection<String> names,
      List<SafetensorsFile> files,
      Map<String, String> fileOfTensor) {
    Map<String, TensorEntry> tensors = new LinkedHashMap<>();
    for (String name : names) {
      SafetensorsFile file = SafetensorsFile.open(directory.resolve(name));
      files.add(file);
      for (TensorEntry tensor : file.tensors()) {
        if (tensors.put(tensor.name(), tensor) != null) {
          throw CheckpointErrors.corrupt(
              file.path(),
              "tensor %s is also in %s".formatted(tensor.name(), fileOfTensor.get(tensor.name())));
        }
        fileOfTensor.put(tensor.name(), name);
      }
    }
    return tensors;
  }
}
