package dev.caravan.bench.cluster;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** On which grids each reference model runs, beside a single worker. */
final class ReferenceSplits {
  private static final Pattern GRID = Pattern.compile("(\\d+)x(\\d+)");
  private static final Map<String, String> BY_NAME = new LinkedHashMap<>();

  static {
    BY_NAME.put("stories260K-f32.gguf", "1x3 1x8 2x3");
    BY_NAME.put("stories260K-f16.gguf", "1x5 5x1");
    BY_NAME.put("stories260K-hf-f32", "1x7 2x2");
    BY_NAME.put("stories260K-hf-bf16", "1x4 1x6");
    BY_NAME.put("stories260K-hf-bf16-sharded", "1x2 3x1");
    BY_NAME.put("stories260K-ffn192-f32.gguf", "1x3 5x2");
    BY_NAME.put("stories260K-ffn192-.*", "1x2 2x2 5x1");
    BY_NAME.put("s01-.*-q4_0.gguf", "1x3 1x5 2x2");
    BY_NAME.put("s01-.*", "1x5 1x16 2x3");
    BY_NAME.put("s02-.*-q._0.gguf", "1x3 1x7 2x5");
    BY_NAME.put("s02-.*", "1x7 1x12");
    BY_NAME.put("s03-.*-hf-bf16", "1x2 1x3");
    BY_NAME.put("s03-.*", "1x4 2x3");
    BY_NAME.put("s04-.*-hf-bf16", "1x5 3x2");
    BY_NAME.put("s04-.*", "1x3 3x1");
    BY_NAME.put("s05-.*-hf-bf16", "1x8 3x1");
    BY_NAME.put("s05-.*", "1x3 2x4");
    BY_NAME.put("(s06|s07|llama3-tiny)-.*", "1x2 2x1 2x2");
    BY_NAME.put("s08-.*-f16.gguf", "1x3 1x8 3x2");
    BY_NAME.put("s08-.*", "1x3 3x1 2x2");
    BY_NAME.put("s09-.*-f16.gguf", "1x5 7x1 3x3");
    BY_NAME.put("s09-.*", "1x3 4x2");
    BY_NAME.put("s10-.*", "1x3 1x4 2x3");
    BY_NAME.put("s11-.*-hf-bf16", "1x7 2x3");
    BY_NAME.put("s11-.*", "1x2 1x5");
    BY_NAME.put("s12-.*-hf-bf16", "1x7 1x10");
    BY_NAME.put("s12-.*", "1x3 1x5");
    // One block of 256 holds all its heads: stages are the only way to cut it.
    BY_NAME.put("s13-.*", "2x1");
  }

  private ReferenceSplits() {}

  /**
   * A grid.
   *
   * @param stages pipeline stages
   * @param ranks of each
   */
  record Grid(int stages, int ranks) {
    @Override
    public String toString() {
      return "%d stages x %d ranks".formatted(stages, ranks);
    }
  }

  /** Returns the grids of a model, a single worker first. */
  static List<Grid> of(GoldenModel model) {
    List<Grid> grids = new ArrayList<>();
    grids.add(new Grid(1, 1));
    for (Map.Entry<String, String> entry : BY_NAME.entrySet()) {
      if (model.name().matches(entry.getKey())) {
        Matcher matcher = GRID.matcher(entry.getValue());
        while (matcher.find()) {
          grids.add(
              new Grid(Integer.parseInt(matcher.group(1)), Integer.parseInt(matcher.group(2))));
        }
        return grids;
      }
    }
    throw new IllegalArgumentException("no grids for " + model.name());
  }
}
