package dev.caravan.k8s.net;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.TreeMap;

/**
 * The names that all hosts see, as a file in the form of /etc/hosts; they may change at any time.
 * Thread-safe.
 */
final class Names {
  /** Always as long: a reader sees the old names or the new ones, never half of them. */
  private static final int FILE_BYTES = 4096;

  private final Path file;
  private final Map<String, String> addresses = new TreeMap<>();

  Names(Path file) {
    this.file = file;
    write();
  }

  Path file() {
    return file;
  }

  /** Gives a name an address, or another one than before. */
  synchronized void put(String name, String address) {
    addresses.put(name, address);
    write();
  }

  /** Forgets a name. */
  synchronized void remove(String name) {
    addresses.remove(name);
    write();
  }

  private void write() {
    StringBuilder text = new StringBuilder("127.0.0.1 localhost\n");
    addresses.forEach(
        (name, address) -> text.append(address).append(' ').append(name).append('\n'));
    if (text.length() > FILE_BYTES) {
      throw new IllegalStateException("%d bytes of names".formatted(text.length()));
    }
    text.repeat('\n', FILE_BYTES - text.length());
    // Written in place: mounts keep showing the file that they were made of.
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(text.toString().getBytes(StandardCharsets.US_ASCII)), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
