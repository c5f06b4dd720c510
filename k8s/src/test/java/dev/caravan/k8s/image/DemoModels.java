package dev.caravan.k8s.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/** The embedded model in a directory that containers mount, with a chat template beside it. */
public final class DemoModels {
  public static final String MODEL = "caravan-demo.gguf";
  public static final String CHAT_TEMPLATE = "template.jinja";

  private static final String SOURCE =
      "coordinator/src/main/resources/dev/caravan/coordinator/demo/caravan-demo.gguf";

  private DemoModels() {}

  /** Writes the directory beside a root file system: temporary ones are for their owner alone. */
  public static Path write(RootFs rootFs) throws IOException {
    Path directory = Files.createDirectories(rootFs.directory().resolveSibling("models"));
    Files.copy(
        RootFs.home().resolve(SOURCE),
        directory.resolve(MODEL),
        StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(
        directory.resolve(CHAT_TEMPLATE), "{% for m in messages %}{{ m.content }}{% endfor %}");
    return directory;
  }
}
