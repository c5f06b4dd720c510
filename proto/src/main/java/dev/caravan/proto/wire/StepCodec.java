package dev.caravan.proto.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.step.SequenceChunk;
import dev.caravan.model.step.StepBatch;
import dev.caravan.proto.worker.v1.Chunk;
import dev.caravan.proto.worker.v1.ExecuteRequest;
import dev.caravan.proto.worker.v1.LogitsRows;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** {@link StepBatch} to and from its message, and the logits of the answer. */
public final class StepCodec {
  private StepCodec() {}

  public static ExecuteRequest encode(StepBatch batch) {
    ExecuteRequest.Builder request =
        ExecuteRequest.newBuilder().setEpoch(batch.epoch()).setStep(batch.step());
    for (SequenceChunk chunk : batch.chunks()) {
      Chunk.Builder message =
          Chunk.newBuilder()
              .setStartPosition(chunk.startPosition())
              .setLogits(encode(chunk.logits()));
      for (int token : chunk.tokens()) {
        message.addTokens(token);
      }
      for (int block : chunk.blocks()) {
        message.addBlocks(block);
      }
      request.addChunks(message);
    }
    return request.build();
  }

  /**
   * @throws ClusterException INVALID_REQUEST if a chunk has no tokens or no statement on logits
   */
  public static StepBatch decode(ExecuteRequest request) {
    List<SequenceChunk> chunks = new ArrayList<>(request.getChunksCount());
    for (Chunk chunk : request.getChunksList()) {
      if (chunk.getTokensCount() == 0) {
        throw new ClusterException(
            ErrorCode.INVALID_REQUEST,
            "step %d: chunk %d has no tokens".formatted(request.getStep(), chunks.size()));
      }
      chunks.add(
          new SequenceChunk(
              chunk.getStartPosition(),
              ints(chunk.getTokensList()),
              ints(chunk.getBlocksList()),
              decode(request, chunk.getLogits())));
    }
    return new StepBatch(request.getEpoch(), request.getStep(), chunks);
  }

  /** Wraps little-endian f32 bytes without a copy; the array must not change afterwards. */
  public static ByteString wrapLogits(byte[] bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes);
  }

  /** Returns a view of the logits of one worker: f32 [rows, its vocabulary rows]. */
  public static FloatBuffer decodeLogits(ByteString logits) {
    return logits.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  private static int[] ints(List<Integer> values) {
    int[] ints = new int[values.size()];
    for (int i = 0; i < ints.length; i++) {
      ints[i] = values.get(i);
    }
    return ints;
  }

  private static LogitsRows encode(SequenceChunk.Logits logits) {
    return switch (logits) {
      case NONE -> LogitsRows.LOGITS_ROWS_NONE;
      case LAST -> LogitsRows.LOGITS_ROWS_LAST;
      case ALL -> LogitsRows.LOGITS_ROWS_ALL;
    };
  }

  private static SequenceChunk.Logits decode(ExecuteRequest request, LogitsRows rows) {
    return switch (rows) {
      case LOGITS_ROWS_NONE -> SequenceChunk.Logits.NONE;
      case LOGITS_ROWS_LAST -> SequenceChunk.Logits.LAST;
      case LOGITS_ROWS_ALL -> SequenceChunk.Logits.ALL;
      case LOGITS_ROWS_UNSPECIFIED, UNRECOGNIZED ->
          throw new ClusterException(
              ErrorCode.INVALID_REQUEST,
              "step %d: unknown logits rows %s".formatted(request.getStep(), rows));
    };
  }
}
