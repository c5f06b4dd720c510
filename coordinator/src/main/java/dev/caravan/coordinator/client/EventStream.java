package dev.caravan.coordinator.client;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * The events of one answer as they arrive. {@link #next} is for one thread; {@link #close} may be
 * called by any and ends the request.
 */
public final class EventStream implements AutoCloseable {
  private static final int QUEUED_EVENTS = 256;
  private static final int MAX_LINE_CHARS = 1 << 20;
  private static final String DATA = "data:";
  private static final String DONE = "[DONE]";

  /**
   * An event.
   *
   * @param nanos when it arrived, by {@link System#nanoTime}
   */
  public record Event(JsonNode json, long nanos) {}

  /** What the reader hands over. */
  private sealed interface Item {
    record Data(String text, long nanos) implements Item {}

    record End(String problem) implements Item {}
  }

  private final InputStream body;
  private final ObjectMapper mapper;
  private final BlockingQueue<Item> items = new ArrayBlockingQueue<>(QUEUED_EVENTS);
  private final Thread reader = Thread.ofVirtual().name("events").unstarted(this::read);

  EventStream(InputStream body, ObjectMapper mapper) {
    this.body = body;
    this.mapper = mapper;
  }

  void start() {
    reader.start();
  }

  /**
   * Waits for the next event.
   *
   * @return nothing at the end of the answer
   * @throws ClusterException DEADLINE_EXCEEDED if nothing comes in time, WORKER_LOST if the answer
   *     breaks off or says that it failed
   */
  public Optional<Event> next(Duration timeout) {
    try {
      Item item = items.poll(timeout.toMillis(), TimeUnit.MILLISECONDS);
      return switch (item) {
        case null ->
            throw new ClusterException(
                ErrorCode.DEADLINE_EXCEEDED,
                "nothing came from the server for %d s".formatted(timeout.toSeconds()));
        case Item.End end when end.problem.isEmpty() -> Optional.empty();
        case Item.End end -> throw broken(end.problem);
        case Item.Data data -> Optional.of(new Event(parse(data.text), data.nanos));
      };
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new ClusterException(ErrorCode.CANCELLED, "interrupted", e);
    }
  }

  private JsonNode parse(String text) {
    try {
      JsonNode json = mapper.readTree(text);
      if (json.has("error")) {
        throw broken(json.path("error").path("message").asText(text));
      }
      return json;
    } catch (JsonProcessingException e) {
      throw broken("an event is not JSON: " + e.getOriginalMessage());
    }
  }

  private static ClusterException broken(String problem) {
    return new ClusterException(ErrorCode.WORKER_LOST, "the answer failed: " + problem);
  }

  private void read() {
    try {
      items.put(new Item.End(readEvents()));
    } catch (InterruptedException e) {
      // Closed: nobody waits for more.
    }
  }

  /** Returns what is wrong with the end, empty if it is as it should be. */
  private String readEvents() throws InterruptedException {
    try (BufferedReader lines =
        new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
      StringBuilder line = new StringBuilder();
      for (int c = lines.read(); c >= 0; c = lines.read()) {
        if (c != '\n') {
          line.append((char) c);
          if (line.length() > MAX_LINE_CHARS) {
            return "an event is longer than %d characters".formatted(MAX_LINE_CHARS);
          }
          continue;
        }
        String text = line.toString().strip();
        line.setLength(0);
        if (!text.startsWith(DATA)) {
          continue;
        }
        String data = text.substring(DATA.length()).strip();
        if (data.equals(DONE)) {
          return "";
        }
        items.put(new Item.Data(data, System.nanoTime()));
      }
      return "it ended without " + DONE;
    } catch (IOException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Override
  public void close() {
    reader.interrupt();
    // Whoever waits for an event hears of the end, also if the reader could not say so any more.
    items.clear();
    items.offer(new Item.End("it was closed"));
    try {
      body.close();
    } catch (IOException e) {
      // The request is over either way.
    }
  }
}
