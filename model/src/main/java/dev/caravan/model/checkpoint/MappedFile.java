package dev.caravan.model.checkpoint;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** A whole file mapped read-only. Thread-safe; its bytes must not be read after close. */
final class MappedFile implements AutoCloseable {
  private final Path path;
  private final Arena arena;
  private final MemorySegment bytes;

  private MappedFile(Path path, Arena arena, MemorySegment bytes) {
    this.path = path;
    this.arena = arena;
    this.bytes = bytes;
  }

  /**
   * Maps a file.
   *
   * @throws dev.caravan.model.error.ClusterException INVALID_REQUEST if it cannot be read
   */
  static MappedFile open(Path path) {
    Arena arena = Arena.ofShared();
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      MemorySegment bytes =
          channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena).asReadOnly();
      return new MappedFile(path, arena, bytes);
    } catch (IOException e) {
      arena.close();
      throw CheckpointErrors.unreadable(path, e);
    }
  }

  Path path() {
    return path;
  }

  MemorySegment bytes() {
    return bytes;
  }

  @Override
  public synchronized void close() {
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
