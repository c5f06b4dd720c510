package dev.caravan.proto.wire;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.RowQuery;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import dev.caravan.proto.worker.v1.AllLogits;
import dev.caravan.proto.worker.v1.Chunk;
import dev.caravan.proto.worker.v1.DrawnToken;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.LargestLogits;
import dev.caravan.proto.worker.v1.RecallRow;
import java.util.ArrayList;
import java.util.List;

/** {@link StepBatch} to and from its message. */
public final class StepCodec {
  private static final dev.caravan.proto.worker.v1.RowQuery ALL =
      dev.caravan.proto.worker.v1.RowQuery.newBuilder()
          .setAll(AllLogits.getDefaultInstance())
          .build();

  private StepCodec() {}

  public static ExecuteRequest encode(StepBatch batch) {
    ExecuteRequest.Builder request =
        ExecuteRequest.newBuilder().setEpoch(batch.epoch()).setStep(batch.step());
    for (SequenceChunk chunk : batch.chunks()) {
      Chunk.Builder message = Chunk.newBuilder().setStartPosition(chunk.startPosition());
      for (int token : chunk.tokens()) {
        message.addTokens(token);
      }
      for (int block : chunk.blocks()) {
        message.addBlocks(block);
      }
      for (RowQuery query : chunk.queries()) {
        message.addQueries(encode(query));
      }
      request.addChunks(message);
    }
    return request.build();
  }

  /** Asks for an answer without computing anything. */
  public static ExecuteRequest encodeEcho(StepBatch batch) {
    return encode(batch).toBuilder().setEcho(true).build();
  }

  /**
   * Asks for all logits of a row of a step that was just executed.
   *
   * @param row among the rows of the batch that answered
   */
  public static ExecuteRequest encodeRecall(StepBatch batch, int row) {
    return ExecuteRequest.newBuilder()
        .setEpoch(batch.epoch())
        .setStep(batch.step())
        .setRecall(RecallRow.newBuilder().setRow(row))
        .build();
  }

  /**
   * @throws ClusterException INVALID_REQUEST if a chunk has no tokens, more queries than tokens, or
   *     a query out of bounds
   */
  public static StepBatch decode(ExecuteRequest request) {
    List<SequenceChunk> chunks = new ArrayList<>(request.getChunksCount());
    for (Chunk chunk : request.getChunksList()) {
      if (chunk.getTokensCount() == 0) {
        throw invalid(request, "chunk %d has no tokens".formatted(chunks.size()));
      }
      if (chunk.getQueriesCount() > chunk.getTokensCount()) {
        throw invalid(
            request,
            "chunk %d has %d queries for %d tokens"
                .formatted(chunks.size(), chunk.getQueriesCount(), chunk.getTokensCount()));
      }
      chunks.add(
          new SequenceChunk(
              chunk.getStartPosition(), tokens(chunk), blocks(chunk), queries(request, chunk)));
    }
    return new StepBatch(request.getEpoch(), request.getStep(), chunks);
  }

  // By index, here and below: the lists that protobuf returns would box every number.
  private static int[] tokens(Chunk chunk) {
    int[] tokens = new int[chunk.getTokensCount()];
    for (int i = 0; i < tokens.length; i++) {
      tokens[i] = chunk.getTokens(i);
    }
    return tokens;
  }

  private static int[] blocks(Chunk chunk) {
    int[] blocks = new int[chunk.getBlocksCount()];
    for (int i = 0; i < blocks.length; i++) {
      blocks[i] = chunk.getBlocks(i);
    }
    return blocks;
  }

  private static List<RowQuery> queries(ExecuteRequest request, Chunk chunk) {
    List<RowQuery> queries = new ArrayList<>(chunk.getQueriesCount());
    for (int i = 0; i < chunk.getQueriesCount(); i++) {
      try {
        queries.add(decode(request, chunk.getQueries(i)));
      } catch (IllegalArgumentException e) {
        throw invalid(request, "query %d: %s".formatted(i, e.getMessage()));
      }
    }
    return queries;
  }

  private static dev.caravan.proto.worker.v1.RowQuery encode(RowQuery query) {
    return switch (query) {
      case RowQuery.All all -> ALL;
      case RowQuery.Largest largest -> {
        LargestLogits.Builder message =
            LargestLogits.newBuilder()
                .setCount(largest.count())
                .setMassTemperature(largest.massTemperature());
        for (int id : largest.ids()) {
          message.addIds(id);
        }
        yield dev.caravan.proto.worker.v1.RowQuery.newBuilder().setLargest(message).build();
      }
      case RowQuery.Drawn drawn ->
          dev.caravan.proto.worker.v1.RowQuery.newBuilder()
              .setDrawn(
                  DrawnToken.newBuilder().setTemperature(drawn.temperature()).setSeed(drawn.seed()))
              .build();
    };
  }

  private static RowQuery decode(
      ExecuteRequest request, dev.caravan.proto.worker.v1.RowQuery query) {
    return switch (query.getQueryCase()) {
      case ALL -> RowQuery.ALL;
      case LARGEST -> decode(query.getLargest());
      case DRAWN ->
          new RowQuery.Drawn(query.getDrawn().getTemperature(), query.getDrawn().getSeed());
      case QUERY_NOT_SET ->
          throw invalid(request, "a query asks for nothing that this version knows");
    };
  }

  private static RowQuery decode(LargestLogits message) {
    int[] ids = new int[message.getIdsCount()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = message.getIds(i);
    }
    return new RowQuery.Largest(message.getCount(), message.getMassTemperature(), ids);
  }

  private static ClusterException invalid(ExecuteRequest request, String what) {
    return new ClusterException(
        ErrorCode.INVALID_REQUEST, "step %d: %s".formatted(request.getStep(), what));
  }
}
