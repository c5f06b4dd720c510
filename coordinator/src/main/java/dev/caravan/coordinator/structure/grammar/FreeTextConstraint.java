package dev.caravan.coordinator.structure.grammar;

import dev.caravan.coordinator.sample.TokenConstraint;
import dev.caravan.coordinator.text.Tokenizer;
import java.util.BitSet;
import java.util.Set;

/**
 * Leaves a generation free, unless its first byte that is no white space is the one that opens a
 * grammar: then it stays inside of that. Confined to that generation.
 *
 * <p>Tokens without bytes are no text: they change nothing.
 */
public final class FreeTextConstraint implements TokenConstraint {

  /** What the text so far is. */
  private enum Mode {
    BLANK,
    FREE,
    GRAMMAR
  }

  private static final String WHITE_SPACE = " \t\n\r";

  /** White space before a grammar that this constraint leads into. */
  public static final Node BLANK = Node.many(Node.bytes(WHITE_SPACE));

  private final GrammarConstraint grammar;
  private final Tokenizer tokenizer;
  private final Set<Integer> endIds;
  private final char opening;
  private final BitSet all;
  private final BitSet notOpening;
  private Mode mode = Mode.BLANK;

  /**
   * Starts before the first token.
   *
   * @param grammar starts with BLANK, then the opening byte
   * @param notOpening of {@link #notOpening}
   */
  public FreeTextConstraint(
      GrammarConstraint grammar,
      Tokenizer tokenizer,
      Set<Integer> endIds,
      char opening,
      BitSet notOpening) {
    this.grammar = grammar;
    this.tokenizer = tokenizer;
    this.endIds = Set.copyOf(endIds);
    this.opening = opening;
    this.notOpening = (BitSet) notOpening.clone();
    this.all = new BitSet(tokenizer.vocabulary().size());
    all.set(0, tokenizer.vocabulary().size());
  }

  /** Returns the tokens after which a blank text does not need the grammar. */
  public static BitSet notOpening(Tokenizer tokenizer, char opening) {
    BitSet ids = new BitSet(tokenizer.vocabulary().size());
    for (int id = 0; id < tokenizer.vocabulary().size(); id++) {
      byte[] bytes = tokenizer.bytes(id);
      int first = firstInk(bytes);
      ids.set(id, first == bytes.length || bytes[first] != opening);
    }
    return ids;
  }

  private static int firstInk(byte[] bytes) {
    int at = 0;
    while (at < bytes.length && WHITE_SPACE.indexOf(bytes[at]) >= 0) {
      at++;
    }
    return at;
  }

  @Override
  public BitSet allowed() {
    return switch (mode) {
      case FREE -> all;
      case GRAMMAR -> grammar.allowed();
      case BLANK -> {
        BitSet allowed = (BitSet) notOpening.clone();
        allowed.or(grammar.allowed());
        endIds.forEach(allowed::set);
        yield allowed;
      }
    };
  }

  @Override
  public void accept(int id) {
    if (endIds.contains(id) && mode != Mode.GRAMMAR) {
      return;
    }
    if (mode == Mode.GRAMMAR) {
      grammar.accept(id);
      return;
    }
    if (mode == Mode.FREE) {
      return;
    }
    byte[] bytes = tokenizer.bytes(id);
    int first = firstInk(bytes);
    if (first == bytes.length) {
      return;
    }
    if (bytes[first] == opening) {
      mode = Mode.GRAMMAR;
      grammar.accept(id);
    } else {
      mode = Mode.FREE;
    }
  }
}
