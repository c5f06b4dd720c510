package dev.caravan.k8s.image;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;

/** The embedded model and a chat template in a directory that containers mount. */
public final class DemoModels {
  public static final String MODEL = "caravan-demo.gguf";
  public static final String CHAT_TEMPLATE = "template.jinja";

  private static final String SOURCE =
      "coordinator/src/main/resources/dev/caravan/coordinator/demo/caravan-demo.gguf";

  private DemoModels() {}

  /** Writes both, and lets everybody read the directory. */
  public static void write(Path directory) throws IOException {
    Files.copy(
        RootFs.home().resolve(SOURCE),
        directory.resolve(MODEL),
        StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(
        directory.resolve(CHAT_TEMPLATE), "{% for m in messages %}{{ m.content }}{% endfor %}");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }
}
