package dev.caravan.bench.cli;

import dev.caravan.coordinator.cli.Main;
import picocli.CommandLine;

/** The command line with the commands that measure: the coordinator's, bench and synth. */
public final class BenchMain {

  private BenchMain() {}

  public static void main(String[] arguments) {
    Main.run(commandLine(), arguments);
  }

  static CommandLine commandLine() {
    return Main.commandLine(new BenchCommand(), new SynthCommand());
  }
}
