package dev.caravan.coordinator.cli;

import picocli.CommandLine.Option;

/** What a command prints. */
public final class OutputOptions {
  /** For people or for programs. */
  public enum Format {
    text,
    json
  }

  @Option(
      names = "--format",
      defaultValue = "text",
      description = "text for people, json for programs: one object a line (default: text)")
  Format format = Format.text;

  @Option(names = "--verbose", description = "log what happens, and stack traces of errors")
  boolean verbose;

  public boolean isJson() {
    return format == Format.json;
  }
}
