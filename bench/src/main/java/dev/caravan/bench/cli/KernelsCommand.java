package dev.caravan.bench.cli;

import dev.caravan.bench.kernel.KernelCase;
import dev.caravan.bench.kernel.KernelMeasurement;
import dev.caravan.bench.kernel.MatrixShape;
import dev.caravan.bench.machine.Machine;
import dev.caravan.bench.machine.MachinePeaks;
import dev.caravan.bench.machine.Medians;
import dev.caravan.bench.report.Column;
import dev.caravan.bench.report.Report;
import dev.caravan.bench.report.ResultTable;
import dev.caravan.coordinator.cli.Output;
import dev.caravan.coordinator.cli.OutputOptions;
import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Measures the worker's matrix products on weights that stream from memory. */
@Command(
    name = "kernels",
    mixinStandardHelpOptions = true,
    description = {
      "Measures matrix products as workers make them, weights streamed from memory.",
      "GB/s are of packed weights; from 32 rows on the FMA peak is the limit instead."
    })
final class KernelsCommand implements Callable<Integer> {
  private static final int MAX_ROWS = 4096;
  private static final int COMPUTE_BOUND_ROWS = 32;
  private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(2);

  @Option(
      names = "--types",
      split = ",",
      paramLabel = "TYPE",
      description = "weight types (default: q4_0,q8_0,q4_k,q6_k,bf16,f16)")
  private List<DType> types =
      List.of(DType.Q4_0, DType.Q8_0, DType.Q4_K, DType.Q6_K, DType.BF16, DType.F16);

  @Option(
      names = "--threads",
      paramLabel = "T",
      description = "compute threads (default: all cores)")
  private @Nullable Integer threads;

  @Option(
      names = "--rows",
      split = ",",
      paramLabel = "ROWS",
      description = "activation rows of a product (default: 1,2,4,8,16,512)")
  private List<Integer> rows = List.of(1, 2, 4, 8, 16, 512);

  @Option(
      names = "--shape",
      paramLabel = "ROWSxCOLUMNS",
      description = "of a weight matrix (default: ${DEFAULT-VALUE})")
  private String shape = "8192x8192";

  @Option(
      names = "--repeat",
      paramLabel = "N",
      description =
          "measurements of each case, in turns; medians are shown (default: ${DEFAULT-VALUE})")
  private int repeat = 5;

  @Mixin private OutputOptions output = new OutputOptions();

  @Override
  public Integer call() {
    check();
    MatrixShape matrix = MatrixShape.parse(shape);
    int threadCount = Threads.orCores(threads);
    List<KernelCase> cases = new ArrayList<>();
    for (int count : rows) {
      types.forEach(type -> cases.add(new KernelCase(type, count)));
    }
    int maxRows = rows.stream().mapToInt(Integer::intValue).max().orElseThrow();
    try (MachinePeaks peaks = new MachinePeaks(threadCount);
        KernelMeasurement kernels = new KernelMeasurement(matrix, threadCount, maxRows)) {
      kernels.start();
      cases.forEach(kernelCase -> kernels.warmUp(kernelCase, WARM_UP_NANOS));
      Yardsticks yardsticks = new Yardsticks(peaks, threadCount);
      yardsticks.measure();
      Map<KernelCase, double[]> nanos = measure(kernels, cases);
      yardsticks.measure();
      Report report = new Report("kernels", Machine.here(), flags(matrix, threadCount));
      report.add(yardsticks.table());
      report.add(table(kernels, matrix, nanos, yardsticks));
      report.print(new Output(), output.isJson());
    }
    return 0;
  }

  /** Repetition by repetition over all cases, so that a slow moment of the machine hits all. */
  private Map<KernelCase, double[]> measure(KernelMeasurement kernels, List<KernelCase> cases) {
    Map<KernelCase, double[]> nanos = new LinkedHashMap<>();
    cases.forEach(kernelCase -> nanos.put(kernelCase, new double[repeat]));
    for (int i = 0; i < repeat; i++) {
      for (Map.Entry<KernelCase, double[]> entry : nanos.entrySet()) {
        entry.getValue()[i] = kernels.nanosPerProduct(entry.getKey());
      }
    }
    return nanos;
  }

  private static ResultTable table(
      KernelMeasurement kernels,
      MatrixShape matrix,
      Map<KernelCase, double[]> measured,
      Yardsticks yardsticks) {
    ResultTable table =
        new ResultTable(
            "kernels",
            "Matrix products, preparation of the activations included",
            List.of(
                Column.of("rows", "rows"),
                Column.of("type", "type"),
                new Column("microseconds", "µs", 0),
                new Column("microseconds_per_row", "µs/row", 0),
                new Column("weight_gigabytes_per_second", "weights GB/s", 1),
                new Column("bandwidth_percent", "% of read", 1),
                new Column("gigaflops", "GFLOP/s", 0),
                new Column("fma_percent", "% of FMA", 1)));
    measured.forEach((kernelCase, values) -> {
      double nanos = Medians.of(values);
      int rows = kernelCase.rows();
      boolean compute = rows >= COMPUTE_BOUND_ROWS;
      double gigabytes = kernels.weightBytes(kernelCase.dtype()) / nanos;
      double gigaflops = 2.0 * rows * matrix.rows() * matrix.columns() / nanos;
      table.row(
          rows,
          kernelCase.dtype().name(),
          nanos / 1e3,
          nanos / 1e3 / rows,
          compute ? Double.NaN : gigabytes,
          compute ? Double.NaN : 100 * gigabytes / yardsticks.readGigabytesPerSecond(),
          gigaflops,
          100 * gigaflops / yardsticks.fmaGigaflops());
    });
    return table;
  }

  private void check() {
    for (int count : rows) {
      if (count < 1 || count > MAX_ROWS) {
        throw invalid("--rows %d is not in 1..%d".formatted(count, MAX_ROWS));
      }
    }
    if (repeat < 1) {
      throw invalid("--repeat %d is not positive".formatted(repeat));
    }
    if (types.contains(DType.Q5_K)) {
      throw invalid("--types: random Q5_K weights are not supported");
    }
  }

  private Map<String, Object> flags(MatrixShape matrix, int threadCount) {
    Map<String, Object> flags = new LinkedHashMap<>();
    flags.put("types", String.join(",", types.stream().map(KernelsCommand::lower).toList()));
    flags.put("threads", threadCount);
    flags.put("rows", String.join(",", rows.stream().map(String::valueOf).toList()));
    flags.put("shape", matrix.toString());
    flags.put("repeat", repeat);
    return flags;
  }

  private static String lower(DType type) {
    return type.name().toLowerCase(Locale.ROOT);
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, message);
  }
}
