package dev.caravan.proto.wire;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import dev.caravan.model.shard.IntRange;
import dev.caravan.model.step.LogitMass;
import dev.caravan.model.step.LogitOrder;
import dev.caravan.model.step.RowAnswer;
import dev.caravan.model.step.RowQuery;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import dev.caravan.proto.worker.v1.RowCandidates;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;

/** One rank's {@link RowAnswer}s to and from their messages. */
public final class AnswerCodec {
  private AnswerCodec() {}

  public static RowCandidates encode(RowAnswer.Candidates answer) {
    RowCandidates.Builder message =
        RowCandidates.newBuilder().setMassMax(answer.mass().max()).setMassSum(answer.mass().sum());
    for (int i = 0; i < answer.ids().length; i++) {
      message.addIds(answer.ids()[i]);
      message.addLogits(answer.logits()[i]);
    }
    for (float logit : answer.asked()) {
      message.addAsked(logit);
    }
    return message.build();
  }

  /** Wraps little-endian f32 bytes without a copy; the array must not change afterwards. */
  public static ByteString wrapLogits(byte[] bytes) {
    return UnsafeByteOperations.unsafeWrap(bytes);
  }

  /**
   * Takes a rank's answers apart.
   *
   * @param queries of the step's rows that answer, in order
   * @param vocabRows of the rank
   * @return one answer per query; none if the rank has no vocabulary rows
   * @throws ClusterException INTERNAL with the numbers if an answer does not fit its query
   */
  public static List<RowAnswer> decode(
      ExecuteResponse response, List<RowQuery> queries, IntRange vocabRows) {
    List<RowQuery> expected = vocabRows.isEmpty() ? List.of() : queries;
    int full = (int) expected.stream().filter(query -> query instanceof RowQuery.All).count();
    FloatBuffer logits = floats(response.getLogits());
    if (logits.remaining() != full * vocabRows.size()) {
      throw misfit(
          "%d logits instead of %d rows x %d"
              .formatted(logits.remaining(), full, vocabRows.size()));
    }
    if (response.getCandidatesCount() != expected.size() - full) {
      throw misfit(
          "candidates of %d rows instead of %d"
              .formatted(response.getCandidatesCount(), expected.size() - full));
    }
    List<RowAnswer> answers = new ArrayList<>(expected.size());
    int next = 0;
    for (RowQuery query : expected) {
      if (query instanceof RowQuery.All) {
        float[] row = new float[vocabRows.size()];
        logits.get(row);
        answers.add(new RowAnswer.All(row));
      } else {
        answers.add(decode(response.getCandidates(next), query, vocabRows));
        next++;
      }
    }
    return answers;
  }

  private static RowAnswer decode(RowCandidates message, RowQuery query, IntRange vocabRows) {
    int count = expectedCount(query, vocabRows);
    int asked = expectedAsked(query, vocabRows);
    if (message.getIdsCount() != count
        || message.getLogitsCount() != count
        || message.getAskedCount() != asked) {
      throw misfit(
          "%d ids, %d logits and %d asked logits instead of %d, %d and %d"
              .formatted(
                  message.getIdsCount(),
                  message.getLogitsCount(),
                  message.getAskedCount(),
                  count,
                  count,
                  asked));
    }
    int[] ids = new int[count];
    float[] logits = new float[count];
    for (int i = 0; i < count; i++) {
      ids[i] = message.getIds(i);
      logits[i] = message.getLogits(i);
      if (!vocabRows.contains(ids[i])) {
        throw misfit("candidate %d of its vocabulary rows %s".formatted(ids[i], vocabRows));
      }
      if (i > 0 && LogitOrder.key(logits[i], ids[i]) >= LogitOrder.key(logits[i - 1], ids[i - 1])) {
        throw misfit("candidate %d after %d, out of order".formatted(ids[i], ids[i - 1]));
      }
    }
    float[] askedLogits = new float[asked];
    for (int i = 0; i < asked; i++) {
      askedLogits[i] = message.getAsked(i);
    }
    LogitMass mass = new LogitMass(message.getMassMax(), message.getMassSum());
    return new RowAnswer.Candidates(ids, logits, askedLogits, mass);
  }

  private static int expectedCount(RowQuery query, IntRange vocabRows) {
    return switch (query) {
      case RowQuery.All all -> 0;
      case RowQuery.Largest largest -> Math.min(largest.count(), vocabRows.size());
      case RowQuery.Drawn drawn -> 1;
    };
  }

  private static int expectedAsked(RowQuery query, IntRange vocabRows) {
    int asked = 0;
    if (query instanceof RowQuery.Largest largest) {
      for (int id : largest.ids()) {
        asked += vocabRows.contains(id) ? 1 : 0;
      }
    }
    return asked;
  }

  private static FloatBuffer floats(ByteString bytes) {
    return bytes.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
  }

  private static ClusterException misfit(String what) {
    return new ClusterException(ErrorCode.INTERNAL, "answered " + what);
  }
}
