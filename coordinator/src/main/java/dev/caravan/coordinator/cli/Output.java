package dev.caravan.coordinator.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/** Standard output, always UTF-8: text for people, or one JSON object a line. */
public final class Output {
  private final ObjectMapper mapper = new ObjectMapper();
  private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  /** Prints a value as one line of JSON. */
  public void json(Object value) {
    try {
      out.println(mapper.writeValueAsString(value));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a result that is not JSON", e);
    }
  }

  public void line(String text) {
    out.println(text);
  }

  /** Prints a piece of text and shows it at once. */
  public void piece(String text) {
    out.print(text);
    out.flush();
  }
}
