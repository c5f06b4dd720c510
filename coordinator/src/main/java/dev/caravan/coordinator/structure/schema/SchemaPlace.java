package dev.caravan.coordinator.structure.schema;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Where in a request a part of a schema stands, for errors.
 *
 * @param parent null at the top
 */
public record SchemaPlace(@Nullable SchemaPlace parent, String name) {
  private static final int SHOWN = 80;
  private static final int SHOWN_PLACES = 24;

  /** Returns the place of a whole schema, such as response_format.json_schema.schema. */
  public static SchemaPlace of(String name) {
    return new SchemaPlace(null, name);
  }

  SchemaPlace at(String child) {
    return new SchemaPlace(this, child);
  }

  SchemaPlace at(String list, int index) {
    return new SchemaPlace(this, list + "[" + index + "]");
  }

  /** Returns an error that says what is wrong here. */
  ClusterException refuse(String what) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, this + " " + what);
  }

  @Override
  public String toString() {
    Deque<String> names = new ArrayDeque<>();
    for (SchemaPlace place = this; place != null; place = place.parent) {
      if (names.size() == SHOWN_PLACES) {
        names.removeFirst();
        names.addFirst("...");
        continue;
      }
      names.addFirst(
          place.name.length() > SHOWN ? place.name.substring(0, SHOWN) + "..." : place.name);
    }
    return String.join(".", names);
  }
}
