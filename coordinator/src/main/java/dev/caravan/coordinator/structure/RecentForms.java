package dev.caravan.coordinator.structure;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The most recently used forms by what asked for them: the next request that asks for the same need
 * not build it again, and knows what others found out about its tokens. Thread-safe.
 */
final class RecentForms<F> {
  private final int most;

  /** The least recently used first. */
  private final Map<JsonNode, F> forms = new LinkedHashMap<>(16, 0.75f, true);

  /**
   * @param most forms that are kept
   */
  RecentForms(int most) {
    this.most = most;
  }

  synchronized Optional<F> get(JsonNode key) {
    return Optional.ofNullable(forms.get(key));
  }

  /** Keeps a form, and forgets the one that was not used for longest if there are too many. */
  synchronized void put(JsonNode key, F form) {
    forms.put(key.deepCopy(), form);
    if (forms.size() > most) {
      forms.remove(forms.keySet().iterator().next());
    }
  }
}
