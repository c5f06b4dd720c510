package dev.caravan.coordinator.api.openai;

import com.fasterxml.jackson.databind.JsonNode;
import com.linecorp.armeria.common.HttpData;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpResponseWriter;
import com.linecorp.armeria.common.HttpStatus;
import com.linecorp.armeria.common.ResponseHeaders;
import dev.caravan.coordinator.api.ApiError;
import dev.caravan.coordinator.api.Replies;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Writes server-sent events. A caller that does not read is cut off when too much waits for it.
 * Confined to the lock of its choices.
 */
final class EventStream {
  /** Seconds of the fastest model's text: who is that far behind does not read. */
  private static final long MAX_WAITING_BYTES = 256 << 10;

  private static final ResponseHeaders HEADERS =
      ResponseHeaders.of(
          HttpStatus.OK,
          HttpHeaderNames.CONTENT_TYPE,
          "text/event-stream; charset=utf-8",
          HttpHeaderNames.CACHE_CONTROL,
          "no-cache");

  private final HttpResponseWriter out;
  private final AtomicLong waitingBytes = new AtomicLong();

  EventStream(HttpResponseWriter out) {
    this.out = out;
  }

  /** Begins the answer, unless the caller is gone. */
  void open() {
    boolean _ = out.tryWrite(HEADERS);
  }

  void send(JsonNode event) {
    send(Replies.text(event));
  }

  /** Ends the stream as it should. */
  void end() {
    send("[DONE]");
    out.close();
  }

  /** Ends the stream with an error as its last event. */
  void fail(ApiError error) {
    send(error.json());
    out.close();
  }

  private void send(String data) {
    byte[] bytes = ("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8);
    if (waitingBytes.addAndGet(bytes.length) > MAX_WAITING_BYTES) {
      out.abort(
          new ClusterException(
              ErrorCode.CANCELLED,
              "the caller does not read: %d bytes wait for it".formatted(waitingBytes.get())));
    } else if (out.tryWrite(HttpData.wrap(bytes))) {
      CompletableFuture<Void> _ =
          out.whenConsumed().whenComplete((_, _) -> waitingBytes.addAndGet(-bytes.length));
    }
  }
}
