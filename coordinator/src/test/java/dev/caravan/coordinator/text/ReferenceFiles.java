package dev.caravan.coordinator.text;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Assumptions;

/** Finds the reference files, which are not part of the project. */
public final class ReferenceFiles {
  private ReferenceFiles() {}

  /** Returns the directory of the reference files, or skips the calling test loudly. */
  public static Path directory(Class<?> test) {
    String stated = System.getProperty("CARAVAN_REFERENCE", System.getenv("CARAVAN_REFERENCE"));
    if (stated != null) {
      return Path.of(stated);
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path beside = at.resolveSibling("shared").resolve("reference");
      if (Files.isDirectory(beside)) {
        return beside;
      }
    }
    String message =
        "SKIPPED: %s needs the reference files (set CARAVAN_REFERENCE)"
            .formatted(test.getSimpleName());
    System.out.println(message);
    return Assumptions.abort(message);
  }
}
