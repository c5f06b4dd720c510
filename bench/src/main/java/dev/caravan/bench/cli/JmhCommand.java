package dev.caravan.bench.cli;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Unmatched;

/** Runs the kernels under JMH, which reads the arguments. */
@Command(
    name = "jmh",
    description = {
      "Runs the kernels under JMH, on one thread, each case in a JVM of its own.",
      "All arguments are JMH's: -l lists the benchmarks, -p type=Q4_0 -p rows=1 chooses cases,",
      "-h lists the rest."
    })
final class JmhCommand implements Callable<Integer> {
  @Unmatched private List<String> arguments = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    org.openjdk.jmh.Main.main(arguments.toArray(String[]::new));
    return 0;
  }
}
