package dev.caravan.coordinator.metrics;

import dev.caravan.coordinator.metrics.MetricsText.Kind;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.stream.Stream;

/** Writes what this JVM uses, in the names that Prometheus's own client for Java has. */
final class ProcessGauges {
  private static final Path STATUS = Path.of("/proc/self/status");
  private static final String RESIDENT = "VmRSS:";
  private static final double MILLIS = 1e-3;
  private static final double NANOS = 1e-9;

  private ProcessGauges() {}

  /** Adds the families; the resident memory only where the system tells it, as Linux does. */
  static void write(MetricsText text) {
    MemoryMXBean memory = ManagementFactory.getMemoryMXBean();
    text.family("jvm_memory_used_bytes", Kind.GAUGE, "Used memory of the JVM, by area.")
        .sample(area("heap"), memory.getHeapMemoryUsage().getUsed())
        .sample(area("nonheap"), memory.getNonHeapMemoryUsage().getUsed());
    text.family("jvm_buffer_pool_used_bytes", Kind.GAUGE, "Memory of buffers, by pool.");
    for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
      text.sample(Labels.NONE.and("pool", pool.getName()), pool.getMemoryUsed());
    }
    text.family("jvm_threads_current", Kind.GAUGE, "Platform threads that live.")
        .sample(Labels.NONE, (long) ManagementFactory.getThreadMXBean().getThreadCount());
    residentBytes()
        .ifPresent(bytes ->
            text.family("process_resident_memory_bytes", Kind.GAUGE, "Resident memory.")
                .sample(Labels.NONE, bytes));
    ProcessHandle.current()
        .info()
        .totalCpuDuration()
        .map(Duration::toNanos)
        .ifPresent(nanos ->
            text.family("process_cpu_seconds_total", Kind.COUNTER, "CPU time, user and system.")
                .sample(Labels.NONE, nanos * NANOS));
    text.family("process_start_time_seconds", Kind.GAUGE, "Start, in seconds since 1970.")
        .sample(Labels.NONE, ManagementFactory.getRuntimeMXBean().getStartTime() * MILLIS);
  }

  private static Labels area(String name) {
    return Labels.NONE.and("area", name);
  }

  private static OptionalLong residentBytes() {
    try (Stream<String> lines = Files.lines(STATUS)) {
      Optional<String> kibibytes =
          lines
              .filter(line -> line.startsWith(RESIDENT))
              .map(line -> line.replaceAll("[^0-9]", ""))
              .findFirst();
      return kibibytes.isEmpty()
          ? OptionalLong.empty()
          : OptionalLong.of(Long.parseLong(kibibytes.get()) << 10);
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
