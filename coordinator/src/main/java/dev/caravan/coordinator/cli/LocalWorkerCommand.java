package dev.caravan.coordinator.cli;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.RuntimeSettings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Builds the command line of a worker JVM on this machine. */
public final class LocalWorkerCommand {
  private static final String MAIN_CLASS = "dev.caravan.worker.rpc.LocalWorkerMain";

  private LocalWorkerCommand() {}

  /**
   * Uses the JDK of this JVM, the class path in the system property caravan.worker.classpath and
   * the options file in caravan.worker.options; the launcher script sets both.
   *
   * @throws ClusterException INTERNAL if the properties are not set
   */
  public static List<String> build(RuntimeSettings runtime, boolean verbose) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    List<String> command = new ArrayList<>();
    command.add(java);
    command.add("@" + property("caravan.worker.options"));
    String aotCache = System.getProperty("caravan.worker.aot");
    if (aotCache != null) {
      command.addAll(List.of("-XX:AOTCache=" + aotCache, "-Xlog:aot=off"));
    }
    if (runtime.kernels() == RuntimeSettings.Kernels.UNPACKED) {
      // A model this small is told its story before the optimising compiler has paid off.
      command.add("-XX:TieredStopAtLevel=1");
    }
    command.add("-XX:ActiveProcessorCount=" + Math.max(2, runtime.threads()));
    if (verbose) {
      command.add("-Dorg.slf4j.simpleLogger.defaultLogLevel=info");
    }
    command.addAll(List.of("-cp", property("caravan.worker.classpath"), MAIN_CLASS));
    return List.copyOf(command);
  }

  private static String property(String name) {
    String value = System.getProperty(name);
    if (value == null) {
      throw new ClusterException(
          ErrorCode.INTERNAL,
          "system property %s is not set; start Caravan with the launcher script".formatted(name));
    }
    return value;
  }
}
