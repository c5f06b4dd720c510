package dev.caravan.model.shard;

import dev.caravan.model.checkpoint.DType;
import dev.caravan.model.checkpoint.WeightName;
import dev.caravan.model.checkpoint.WeightName.Kind;
import dev.caravan.model.config.LlamaConfig;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Decides which part of a model each worker holds. A pure function of its arguments.
 *
 * <p>Heads are cut on KV-head borders where there are enough of them, else anywhere that the
 * quantisation blocks of the attention output allow; ranks at a border then share a KV head. FFN
 * columns make up for what whole heads cannot balance.
 */
public final class ShardPlanner {
  private static final int VOCABULARY_UNIT_ROWS = 16;
  private static final int LARGEST_FLOAT_UNIT_COLUMNS = 32;

  /** Float columns are cut finer until every rank has this many units: 1/32 is the worst error. */
  private static final int FLOAT_UNITS_PER_RANK = 32;

  private final LlamaConfig config;
  private final WeightTypes types;

  private ShardPlanner(LlamaConfig config, WeightTypes types) {
    this.config = config;
    this.types = types;
  }

  /**
   * Plans a grid of equal workers.
   *
   * @throws ClusterException UNPLACEABLE, as the other {@code plan}
   */
  public static ShardPlan plan(LlamaConfig config, WeightTypes types, int stages, int ranks) {
    if (stages < 1 || ranks < 1 || (long) stages * ranks > 1 << 20) {
      throw unplaceable(
          "%d stages x %d ranks: both must be at least 1 and their product at most %d"
              .formatted(stages, ranks, 1 << 20));
    }
    return plan(config, types, stages, WorkerCapacity.equal(stages * ranks));
  }

  /**
   * Plans a grid of unequal workers.
   *
   * @param workers stage by stage, rank by rank; every stage has workers / stages ranks
   * @throws ClusterException UNPLACEABLE if the model cannot be cut that often, with the tensor or
   *     the number that forbids it and the counts that can be placed
   */
  public static ShardPlan plan(
      LlamaConfig config, WeightTypes types, int stages, List<WorkerCapacity> workers) {
    if (stages < 1 || workers.isEmpty() || workers.size() % stages != 0) {
      throw unplaceable(
          "%d workers are not a grid of %d stages: start a multiple of the stages"
              .formatted(workers.size(), stages));
    }
    if (stages > config.layers()) {
      throw unplaceable(
          "%d layers are too few for %d stages; use %s"
              .formatted(config.layers(), stages, counts(config.layers(), "stage")));
    }
    ShardPlanner planner = new ShardPlanner(config, types);
    int ranks = workers.size() / stages;
    planner.checkWholeBlocks();
    planner.checkRanks(ranks);
    double[][] weights = new double[stages][ranks];
    for (int i = 0; i < workers.size(); i++) {
      weights[i / ranks][i % ranks] = workers.get(i).weight();
    }
    return planner.grid(weights);
  }

  /**
   * Returns the most ranks that a stage of the model can be cut into; every smaller count works
   * too.
   */
  public static int maxRanks(LlamaConfig config, WeightTypes types) {
    return new ShardPlanner(config, types).maxRanks();
  }

  private ShardPlan grid(double[][] weights) {
    int stages = weights.length;
    int ranks = weights[0].length;
    double[] stageWeights = new double[stages];
    long[] layerBytes = new long[config.layers()];
    Arrays.setAll(stageWeights, stage -> Arrays.stream(weights[stage]).sum());
    Arrays.setAll(
        layerBytes,
        layer ->
            ShardSizes.attentionBytes(config, types, layer, config.heads(), config.kvHeads())
                + ShardSizes.ffnBytes(config, types, layer, config.intermediateSize()));
    IntRange[] layers =
        LayerSplit.split(layerBytes, ShardSizes.outputBytes(config, types), stageWeights);
    List<Shard> shards = new ArrayList<>(stages * ranks);
    for (int stage = 0; stage < stages; stage++) {
      IntRange[] heads = heads(weights[stage]);
      IntRange[] columns = ffnColumns(layers[stage], heads, weights[stage]);
      IntRange[] rows = vocabRows(weights[stage]);
      for (int rank = 0; rank < ranks; rank++) {
        IntRange vocabRows = stage == stages - 1 ? rows[rank] : new IntRange(0, 0);
        IntRange kvHeads = kvHeads(heads[rank]);
        shards.add(
            new Shard(stage, rank, layers[stage], heads[rank], kvHeads, columns[rank], vocabRows));
      }
    }
    return new ShardPlan(stages, ranks, shards);
  }

  private IntRange[] heads(double[] weights) {
    int unit = headUnit();
    int groupUnit = lcm(unit, config.headsPerKvHead());
    if (config.heads() / groupUnit >= weights.length) {
      unit = groupUnit;
    }
    int[] shares = Apportionment.shares(config.heads() / unit, weights);
    return Apportionment.runs(shares, unit, config.heads());
  }

  private IntRange kvHeads(IntRange heads) {
    int group = config.headsPerKvHead();
    return new IntRange(heads.start() / group, Math.ceilDiv(heads.end(), group));
  }

  private IntRange[] ffnColumns(IntRange layers, IntRange[] heads, double[] weights) {
    int unit = ffnUnit(weights.length);
    int units = Math.ceilDiv(config.intermediateSize(), unit);
    double ffnBytes = 0;
    double[] loads = new double[weights.length];
    for (int layer = layers.start(); layer < layers.end(); layer++) {
      ffnBytes += ShardSizes.ffnBytes(config, types, layer, config.intermediateSize());
      for (int rank = 0; rank < loads.length; rank++) {
        int kvHeads = kvHeads(heads[rank]).size();
        loads[rank] += ShardSizes.attentionBytes(config, types, layer, heads[rank].size(), kvHeads);
      }
    }
    double unitBytes = ffnBytes / config.intermediateSize() * unit;
    Arrays.setAll(loads, rank -> loads[rank] / unitBytes);
    int[] shares = Apportionment.shares(units, weights, loads);
    return Apportionment.runs(shares, unit, config.intermediateSize());
  }

  private IntRange[] vocabRows(double[] weights) {
    int rows = config.vocabSize();
    int ranks = weights.length;
    int unit = Math.ceilDiv(rows, VOCABULARY_UNIT_ROWS) >= ranks ? VOCABULARY_UNIT_ROWS : 1;
    if (rows < ranks) {
      IntRange[] runs = new IntRange[ranks];
      Arrays.setAll(runs, rank -> new IntRange(Math.min(rank, rows), Math.min(rank + 1, rows)));
      return runs;
    }
    return Apportionment.runs(Apportionment.shares(Math.ceilDiv(rows, unit), weights), unit, rows);
  }

  /** Heads that are handed out together, so that cuts fall on whole blocks of the o projection. */
  private int headUnit() {
    int block = type(coarsest(Kind.ATTENTION_OUTPUT)).blockElements();
    return lcm(config.headDim(), block) / config.headDim();
  }

  private int ffnUnit(int ranks) {
    int block = type(coarsest(Kind.FFN_DOWN)).blockElements();
    if (block > 1) {
      return block;
    }
    int unit = LARGEST_FLOAT_UNIT_COLUMNS;
    while (unit > 1 && config.intermediateSize() / unit < FLOAT_UNITS_PER_RANK * ranks) {
      unit /= 2;
    }
    return unit;
  }

  private int maxFfnRanks() {
    return config.intermediateSize() / type(coarsest(Kind.FFN_DOWN)).blockElements();
  }

  private int maxRanks() {
    return Math.min(config.heads() / headUnit(), maxFfnRanks());
  }

  /** The layer's weight of that kind with the largest blocks: all layers share its cuts. */
  private WeightName coarsest(Kind kind) {
    WeightName coarsest = WeightName.of(kind, 0);
    for (int layer = 1; layer < config.layers(); layer++) {
      WeightName name = WeightName.of(kind, layer);
      if (type(name).blockElements() > type(coarsest).blockElements()) {
        coarsest = name;
      }
    }
    return coarsest;
  }

  private DType type(WeightName name) {
    return types.type(name);
  }

  private void checkRanks(int ranks) {
    int max = maxRanks();
    if (ranks <= max) {
      return;
    }
    if (max == config.heads()) {
      throw unplaceable(
          "%d heads are too few for %d ranks; use %s, or more pipeline stages"
              .formatted(config.heads(), ranks, counts(max, "rank")));
    }
    boolean ffn = max == maxFfnRanks();
    WeightName name = coarsest(ffn ? Kind.FFN_DOWN : Kind.ATTENTION_OUTPUT);
    DType type = type(name);
    int columns = ffn ? config.intermediateSize() : config.attentionSize();
    String why =
        "%s: %d columns are %d %s blocks of %d"
            .formatted(
                types.tensorName(name),
                columns,
                columns / type.blockElements(),
                type,
                type.blockElements());
    if (!ffn && columns / type.blockElements() != max) {
      why += ", cut in units of %d heads of %d".formatted(headUnit(), config.headDim());
    }
    throw unplaceable(
        "%s, too few for %d ranks; use %s, or more pipeline stages"
            .formatted(why, ranks, counts(max, "rank")));
  }

  private void checkWholeBlocks() {
    for (int layer = 0; layer < config.layers(); layer++) {
      for (Kind kind : List.of(Kind.QUERY, Kind.KEY, Kind.VALUE, Kind.FFN_GATE, Kind.FFN_UP)) {
        checkWholeBlocks(WeightName.of(kind, layer), config.hiddenSize());
      }
      checkWholeBlocks(WeightName.of(Kind.ATTENTION_OUTPUT, layer), config.attentionSize());
      checkWholeBlocks(WeightName.of(Kind.FFN_DOWN, layer), config.intermediateSize());
    }
    checkWholeBlocks(WeightName.of(Kind.OUTPUT), config.hiddenSize());
  }

  private void checkWholeBlocks(WeightName name, int columns) {
    DType type = type(name);
    if (columns % type.blockElements() != 0) {
      throw unplaceable(
          "%s: %d columns are not whole %s blocks of %d; use a type with smaller blocks"
              .formatted(types.tensorName(name), columns, type, type.blockElements()));
    }
  }

  /** "1 rank", "1 or 2 ranks", "1-8 ranks". */
  private static String counts(int max, String what) {
    return switch (max) {
      case 1 -> "1 " + what;
      case 2 -> "1 or 2 %ss".formatted(what);
      default -> "1-%d %ss".formatted(max, what);
    };
  }

  private static int lcm(int a, int b) {
    int x = a;
    int y = b;
    while (y != 0) {
      int rest = x % y;
      x = y;
      y = rest;
    }
    return a / x * b;
  }

  private static ClusterException unplaceable(String message) {
    return new ClusterException(ErrorCode.UNPLACEABLE, message);
  }
}
