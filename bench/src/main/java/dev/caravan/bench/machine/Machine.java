package dev.caravan.bench.machine;

import com.sun.management.OperatingSystemMXBean;
import dev.caravan.coordinator.cli.Sizes;
import dev.caravan.worker.kernel.simd.SimdKernels;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Where and with what something was measured.
 *
 * @param cpu model name
 * @param cores that this JVM may use
 * @param vectorBits width of the kernels' vectors
 * @param memoryBytes of the machine, or of the container
 * @param jdk vendor and version
 * @param os name, version and architecture
 * @param commit of the source, "unknown" where it cannot be told
 */
public record Machine(
    String cpu, int cores, int vectorBits, long memoryBytes, String jdk, String os, String commit) {

  /** Set by the launcher to what git says about the checkout. */
  private static final String COMMIT_PROPERTY = "caravan.commit";

  /** Looks at the machine that this JVM runs on. */
  public static Machine here() {
    long memory =
        ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean bean
            ? bean.getTotalMemorySize()
            : 0;
    return new Machine(
        cpuModel(),
        Runtime.getRuntime().availableProcessors(),
        SimdKernels.vectorBits(),
        memory,
        System.getProperty("java.vendor") + " " + System.getProperty("java.runtime.version"),
        "%s %s %s"
            .formatted(
                System.getProperty("os.name"),
                System.getProperty("os.version"),
                System.getProperty("os.arch")),
        System.getProperty(COMMIT_PROPERTY, "unknown"));
  }

  /** Returns one line for people. */
  public String describe() {
    return "%s, %d cores, %d-bit lanes, %s; %s; %s"
        .formatted(cpu, cores, vectorBits, Sizes.bytes(memoryBytes), jdk, os);
  }

  /** Returns the same as an object of JSON. */
  public Map<String, Object> json() {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("cpu", cpu);
    object.put("cores", cores);
    object.put("vector_bits", vectorBits);
    object.put("memory_bytes", memoryBytes);
    object.put("jdk", jdk);
    object.put("os", os);
    return object;
  }

  /** Reads Linux' list of processors; other systems and most ARM kernels do not name the model. */
  private static String cpuModel() {
    Path processors = Path.of("/proc/cpuinfo");
    if (!Files.isReadable(processors)) {
      return System.getProperty("os.arch") + " processor";
    }
    try (Stream<String> lines = Files.lines(processors)) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(System.getProperty("os.arch") + " processor");
    } catch (IOException e) {
      return System.getProperty("os.arch") + " processor";
    }
  }
}
