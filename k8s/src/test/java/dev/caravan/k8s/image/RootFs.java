package dev.caravan.k8s.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/**
 * The image's root file system, as {@code k8s/image/rootfs.sh} builds it of what the reactor has
 * packaged.
 *
 * @param directory its root
 */
public record RootFs(Path directory) {
  private static final Duration BUILD_DEADLINE = Duration.ofMinutes(5);

  /** Builds it, unless it is newer than all that it is made of. */
  public static synchronized RootFs build() throws IOException, InterruptedException {
    Path home = home();
    Path directory = home.resolve("k8s/target/image/rootfs");
    Path built = directory.resolveSibling("rootfs.built");
    if (!Files.exists(built) || isOlder(built, home)) {
      Files.deleteIfExists(built);
      delete(directory);
      Files.createDirectories(directory.getParent());
      runScript(home.resolve("k8s/image/rootfs.sh"), directory);
      Files.createFile(built);
    }
    return new RootFs(directory);
  }

  /** The checkout. */
  public static Path home() {
    return Path.of(
        Objects.requireNonNull(
            System.getProperty("caravan.home"),
            "caravan.home is not set: run this test with mvnw verify"));
  }

  private static boolean isOlder(Path built, Path home) throws IOException {
    FileTime time = Files.getLastModifiedTime(built);
    List<Path> sources = new ArrayList<>();
    sources.add(home.resolve("worker.options"));
    sources.add(home.resolve("coordinator.options"));
    for (String folder : List.of("k8s/image", "worker/target", "coordinator/target")) {
      try (Stream<Path> files = Files.list(home.resolve(folder))) {
        files.filter(Files::isRegularFile).forEach(sources::add);
      }
    }
    for (Path source : sources) {
      if (Files.getLastModifiedTime(source).compareTo(time) > 0) {
        return true;
      }
    }
    return false;
  }

  private static void runScript(Path script, Path directory)
      throws IOException, InterruptedException {
    Path log = directory.resolveSibling("rootfs.log");
    Process process =
        new ProcessBuilder(script.toString(), directory.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      if (!process.waitFor(BUILD_DEADLINE.toSeconds(), TimeUnit.SECONDS)
          || process.exitValue() != 0) {
        throw new IOException("rootfs.sh failed:\n" + Files.readString(log));
      }
    } finally {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }

  private static void delete(Path directory) throws IOException {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }
}
