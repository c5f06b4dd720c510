package dev.caravan.coordinator.text;

/** What the spelling of a special token inside a text means. */
public enum SpecialTokens {
  /** It is the token: for text that a chat template made. */
  PARSED,
  /** It is ordinary text: for what a user wrote, so that nobody can forge a turn. */
  PLAIN
}
