package dev.caravan.worker.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caravan.model.error.ClusterException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

class WeightMemoryTest {
  private static final long MIB = 1 << 20;
  private static final Path STATUS = Path.of("/proc/self/status");

  @Test
  void segmentsFollowOneAnotherAlignedAndZero() {
    try (Arena arena = Arena.ofShared()) {
      WeightMemory memory = WeightMemory.reserve(arena, 3 * MIB + 64);
      MemorySegment first = memory.allocate(MIB, 64);
      MemorySegment second = memory.allocate(2 * MIB + 64, 64);

      assertThat(first.address() % 64).isZero();
      assertThat(second.address()).isEqualTo(first.address() + MIB);
      assertThat(isZero(second)).isTrue();
      second.fill((byte) 1);
      assertThat(isZero(first)).isTrue();
      assertThatThrownBy(() -> memory.allocate(64, 64))
          .isInstanceOf(IndexOutOfBoundsException.class);
    }
  }

  @Test
  void memoryEndsWithTheArena() {
    MemorySegment segment;
    try (Arena arena = Arena.ofShared()) {
      segment = WeightMemory.reserve(arena, MIB).allocate(MIB, 64);
    }

    assertThat(segment.scope().isAlive()).isFalse();
  }

  @Test
  void pagesAreTouchedByTheirFirstWriterAndGivenBack() throws IOException {
    if (!Files.exists(STATUS)) {
      String message = "SKIPPED: resident memory is read from " + STATUS + ", which is not here";
      System.out.println(message);
      Assumptions.abort(message);
    }
    long bytes = 256 * MIB;
    long before = residentBytes();
    try (Arena arena = Arena.ofShared()) {
      MemorySegment segment = WeightMemory.reserve(arena, bytes).allocate(bytes, 64);
      assertThat(residentBytes() - before).isLessThan(bytes / 4);

      segment.fill((byte) 1);
      assertThat(residentBytes() - before).isGreaterThan(bytes * 3 / 4);
    }
    assertThat(residentBytes() - before).isLessThan(bytes / 4);
  }

  @Test
  void moreThanTheSystemHasIsRefusedWithTheSize() {
    try (Arena arena = Arena.ofShared()) {
      assertThatThrownBy(() -> WeightMemory.reserve(arena, 1L << 50))
          .isInstanceOf(ClusterException.class)
          .hasMessageContaining("1073741824 MiB");
    }
  }

  private static boolean isZero(MemorySegment segment) {
    return segment.mismatch(MemorySegment.ofArray(new byte[Math.toIntExact(segment.byteSize())]))
        == -1;
  }

  private static long residentBytes() throws IOException {
    List<String> lines = Files.readAllLines(STATUS);
    String line = lines.stream().filter(l -> l.startsWith("VmRSS:")).findFirst().orElseThrow();
    return Long.parseLong(line.replaceAll("\\D", "")) << 10;
  }
}
