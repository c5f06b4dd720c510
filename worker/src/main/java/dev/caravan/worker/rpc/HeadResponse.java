package dev.caravan.worker.rpc;

import com.google.protobuf.ByteString;
import dev.caravan.model.step.RowQuery;
import dev.caravan.proto.wire.AnswerCodec;
import dev.caravan.proto.worker.v1.ExecuteResponse;
import dev.caravan.worker.layer.RowAnswers;
import dev.caravan.worker.tensor.Activations;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Puts what the rows of a step answer into the response. */
final class HeadResponse {
  private static final ValueLayout.OfFloat LITTLE_ENDIAN =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private HeadResponse() {}

  static void add(RowAnswers answers, ExecuteResponse.Builder response) {
    int full = 0;
    for (int i = 0; i < answers.count(); i++) {
      if (answers.query(i) instanceof RowQuery.All) {
        full++;
      } else {
        response.addCandidates(AnswerCodec.encode(answers.candidates(i)));
      }
    }
    if (full > 0) {
      response.setLogits(fullRows(answers, full));
    }
  }

  /** Returns all logits of one row, whatever it was asked. */
  static ByteString logits(RowAnswers answers, int row) {
    byte[] bytes = new byte[answers.logits().columns() * Float.BYTES];
    copy(answers.logits(), row, bytes, 0);
    return AnswerCodec.wrapLogits(bytes);
  }

  private static ByteString fullRows(RowAnswers answers, int rows) {
    int rowBytes = answers.logits().columns() * Float.BYTES;
    byte[] bytes = new byte[Math.multiplyExact(rows, rowBytes)];
    int offset = 0;
    for (int i = 0; i < answers.count(); i++) {
      if (answers.query(i) instanceof RowQuery.All) {
        copy(answers.logits(), i, bytes, offset);
        offset += rowBytes;
      }
    }
    return AnswerCodec.wrapLogits(bytes);
  }

  private static void copy(Activations logits, int row, byte[] bytes, int offset) {
    MemorySegment.copy(
        logits.data(),
        ValueLayout.JAVA_FLOAT,
        logits.offset(row),
        MemorySegment.ofArray(bytes),
        LITTLE_ENDIAN,
        offset,
        logits.columns());
  }
}
