package dev.caravan.coordinator.cli;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.net.Addresses;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** The command line of Caravan. */
@Command(
    name = "caravan",
    mixinStandardHelpOptions = true,
    version = "caravan 0.1.0",
    description = "Serves Llama models on several machines at once, tensor parallel, in pure Java.",
    subcommands = {
      DemoCommand.class,
      ServeCommand.class,
      GenerateCommand.class,
      ChatCommand.class,
      LogitsCommand.class,
      PerplexityCommand.class,
      TokenizeCommand.class,
      DetokenizeCommand.class,
      ApplyTemplateCommand.class,
      InspectCommand.class,
      PlanCommand.class
    },
    footer = {
      "",
      "Also: caravan worker --coordinator HOST:PORT  (see caravan worker --help)",
      "Exit codes: 0 done, 2 bad usage or input, 3 the cluster failed."
    })
public final class Main {
  private static final int EXIT_BAD_INPUT = 2;
  private static final int EXIT_CLUSTER = 3;
  private static final String VERBOSE = "--verbose";

  private Main() {}

  public static void main(String[] arguments) {
    run(commandLine(), arguments);
  }

  /** Executes a command and ends the JVM with its exit code. */
  public static void run(CommandLine commandLine, String[] arguments) {
    Addresses.forgetNamesSoon();
    if (Arrays.asList(arguments).contains(VERBOSE)) {
      System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "info");
    }
    System.exit(commandLine.execute(arguments));
  }

  /**
   * Returns all commands.
   *
   * @param others commands of other modules
   */
  public static CommandLine commandLine(Object... others) {
    CommandLine commandLine = new CommandLine(new Main());
    for (Object other : others) {
      commandLine.addSubcommand(other);
    }
    return commandLine
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler(Main::badUsage)
        .setExecutionExceptionHandler(Main::failed);
  }

  private static int badUsage(CommandLine.ParameterException error, String[] arguments) {
    String command = error.getCommandLine().getCommandSpec().qualifiedName();
    System.err.println(
        "%s: %s (see %s --help)".formatted(command, oneLine(error.getMessage()), command));
    return EXIT_BAD_INPUT;
  }

  private static int failed(
      Exception error, CommandLine command, CommandLine.ParseResult parseResult) {
    boolean known = error instanceof ClusterException e && e.code() != ErrorCode.INTERNAL;
    String message = error instanceof ClusterException ? error.getMessage() : "unexpected " + error;
    System.err.println("caravan: " + oneLine(message));
    if (parseResult.expandedArgs().contains(VERBOSE) || isVerbose(command)) {
      error.printStackTrace();
    } else if (!known) {
      System.err.println("caravan: this is a defect; run again with --verbose for the stack trace");
    }
    return error instanceof ClusterException e && e.code().isBadInput()
        ? EXIT_BAD_INPUT
        : EXIT_CLUSTER;
  }

  private static boolean isVerbose(CommandLine command) {
    return command.getParseResult() != null && command.getParseResult().hasMatchedOption(VERBOSE);
  }

  private static String oneLine(@Nullable String message) {
    return message == null ? "no message" : message.replaceAll("\\s*\\R\\s*", " ");
  }
}
