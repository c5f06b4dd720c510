package dev.caravan.bench.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** The benchmarks, each a command of its own. */
@Command(
    name = "bench",
    mixinStandardHelpOptions = true,
    description = "Measures this machine, the kernels, a whole cluster, or a server.",
    subcommands = {
      BandwidthCommand.class,
      KernelsCommand.class,
      AttentionCommand.class,
      JmhCommand.class,
      DecodeCommand.class,
      PrefillCommand.class,
      AllReduceCommand.class,
      ServeLoadCommand.class,
      SoakCommand.class
    },
    footer = {
      "",
      "Close other programs first: a figure is worth what the machine was left to do.",
      "Shares are of the bandwidth and the FMA peak that the same run measures."
    })
final class BenchCommand implements Callable<Integer> {
  private static final int EXIT_BAD_INPUT = 2;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() {
    CommandLine.usage(spec.commandLine(), System.err);
    return EXIT_BAD_INPUT;
  }
}
