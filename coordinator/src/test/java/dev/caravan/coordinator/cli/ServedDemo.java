package dev.caravan.coordinator.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** {@code caravan serve} with the embedded model on worker JVMs, in a JVM of its own. */
final class ServedDemo implements AutoCloseable {
  static final String KEY = "a-key-of-the-test";
  private static final Duration START = Duration.ofMinutes(2);
  private static final Pattern ADDRESS = Pattern.compile("listening on (http://[^\\s]+)");

  private final DemoModel model;
  private final ChildJvm jvm;
  private final String address;

  private ServedDemo(DemoModel model, ChildJvm jvm, String address) {
    this.model = model;
    this.jvm = jvm;
    this.address = address;
  }

  /**
   * Starts the server on two workers and waits until the model is loaded.
   *
   * @param directory for its files
   */
  static ServedDemo start(Path directory) throws IOException, InterruptedException {
    return start(directory, 2);
  }

  /**
   * Starts the server and waits until the model is loaded.
   *
   * @param directory for its files
   */
  static ServedDemo start(Path directory, int workers, Object... options)
      throws IOException, InterruptedException {
    Path template =
        Files.writeString(
            directory.resolve("template.jinja"),
            "{% for m in messages %}{{ m.content }}{% endfor %}");
    Path keys = Files.writeString(directory.resolve("keys"), "another\n" + KEY + "\n");
    DemoModel model = DemoModel.write();
    List<Object> arguments =
        new ArrayList<>(
            List.of(
                "serve", "--model", model.file(), "--workers", workers, "--threads", 1, "--http"));
    arguments.addAll(List.of("127.0.0.1:0", "--chat-template", template, "--api-key-file", keys));
    arguments.addAll(List.of(options));
    ChildJvm jvm = ChildJvm.caravan(arguments.toArray());
    try {
      jvm.awaitErr(text -> text.contains("ready to serve"), START);
    } catch (AssertionError | InterruptedException e) {
      jvm.close();
      model.close();
      throw e;
    }
    Matcher line = ADDRESS.matcher(jvm.out());
    if (!line.find()) {
      throw new AssertionError("no address: " + jvm.out());
    }
    return new ServedDemo(model, jvm, line.group(1));
  }

  String address() {
    return address;
  }

  /** Name of the model in requests. */
  String id() {
    String name = model.file().getFileName().toString();
    return name.substring(0, name.length() - ".gguf".length());
  }

  ChildJvm jvm() {
    return jvm;
  }

  @Override
  public void close() {
    jvm.close();
    model.close();
  }
}
