package dev.caravan.bench.cli;

import dev.caravan.bench.collective.AllReduceMeasurement;
import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.report.ResultTable;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.proto.wire.PayloadType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures the latency of all-reduces by size, payload and number of workers. */
@Command(
    name = "allreduce",
    mixinStandardHelpOptions = true,
    description = {
      "Measures all-reduces over the workers' gRPC streams on loopback, without a model.",
      "The ranks are threads of one JVM: more of them than cores wait for each other's core."
    })
final class AllReduceCommand implements Callable<Integer> {
  private static final int MAX_WORKERS = 64;
  private static final int MAX_BYTES = 4 << 20;
  private static final int SMALL_BYTES = 64 << 10;
  private static final int REPETITIONS_SMALL = 2_000;
  private static final int REPETITIONS_LARGE = 200;

  @Option(
      names = "--workers",
      split = ",",
      paramLabel = "N",
      description = "ranks, one measurement for each number (default: 2)")
  private List<Integer> workers = List.of(2);

  @Option(
      names = "--sizes",
      split = ",",
      paramLabel = "BYTES",
      description = "of the f32 activations, k and m for KiB and MiB (default: 4k,8k,32k,256k,2m)")
  private List<String> sizes = List.of("4k", "8k", "32k", "256k", "2m");

  @Mixin private OutputOptions output = new OutputOptions();

  @Override
  public Integer call() {
    List<Integer> bytes = sizes.stream().map(AllReduceCommand::bytes).toList();
    for (int count : workers) {
      if (count < 2 || count > MAX_WORKERS) {
        throw invalid("--workers %d is not in 2..%d".formatted(count, MAX_WORKERS));
      }
    }
    ResultTable table =
        new ResultTable(
            "allreduce",
            "All-reduce of one row over loopback, ranks in one JVM",
            List.of(
                Column.of("workers", "workers"),
                Column.of("activation_bytes", "bytes"),
                Column.of("sync", "sync"),
                new Column("p50_microseconds", "p50 µs", 0),
                new Column("p99_microseconds", "p99 µs", 0),
                new Column("sent_bytes", "sent bytes", 0)));
    workers.forEach(count -> measure(count, bytes, table));
    Map<String, Object> flags = new LinkedHashMap<>();
    flags.put("workers", String.join(",", workers.stream().map(String::valueOf).toList()));
    flags.put("sizes", String.join(",", sizes));
    Report report = new Report("allreduce", Machine.here(), flags);
    report.add(table);
    report.note("Sent bytes: by one rank for one all-reduce, headers included.");
    report.print(new Output(), output.isJson());
    return 0;
  }

  private static void measure(int count, List<Integer> bytes, ResultTable table) {
    try (AllReduceMeasurement ranks = new AllReduceMeasurement(count)) {
      ranks.start();
      for (int size : bytes) {
        for (PayloadType payload : PayloadType.values()) {
          int repetitions = size <= SMALL_BYTES ? REPETITIONS_SMALL : REPETITIONS_LARGE;
          AllReduceMeasurement.Latency latency =
              ranks.measure(payload, size / Float.BYTES, repetitions);
          table.row(
              count,
              size,
              payload.name().toLowerCase(Locale.ROOT),
              latency.p50Nanos() / 1e3,
              latency.p99Nanos() / 1e3,
              latency.sentBytes());
        }
      }
    }
  }

  /**
   * Reads 4096, 4k or 2m.
   *
   * @throws ClusterException INVALID_REQUEST for something else
   */
  static int bytes(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    int unit = lower.endsWith("k") ? 1 << 10 : lower.endsWith("m") ? 1 << 20 : 1;
    String number = unit == 1 ? lower : lower.substring(0, lower.length() - 1);
    try {
      long bytes = Math.multiplyExact(Long.parseLong(number), (long) unit);
      if (bytes >= Float.BYTES && bytes <= MAX_BYTES && bytes % Float.BYTES == 0) {
        return (int) bytes;
      }
    } catch (NumberFormatException | ArithmeticException e) {
      throw invalid("--sizes: \"%s\" is not a number of bytes such as 8k or 2m".formatted(text));
    }
    throw invalid("--sizes %s is not a multiple of 4 in 4..4m".formatted(text));
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
