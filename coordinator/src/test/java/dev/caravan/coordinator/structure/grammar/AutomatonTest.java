package dev.caravan.coordinator.structure.grammar;

import static dev.caravan.coordinator.structure.grammar.Node.bytes;
import static dev.caravan.coordinator.structure.grammar.Node.choice;
import static dev.caravan.coordinator.structure.grammar.Node.many;
import static dev.caravan.coordinator.structure.grammar.Node.optional;
import static dev.caravan.coordinator.structure.grammar.Node.sequence;
import static dev.caravan.coordinator.structure.grammar.Node.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caravan.coordinator.text.SmallVocabularies;
import dev.caravan.coordinator.text.Tokenizer;
import dev.caravan.coordinator.text.Tokenizers;
import dev.caravan.model.vocabulary.Vocabulary;
import dev.caravan.model.vocabulary.Vocabulary.Algorithm;
import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

final class AutomatonTest {
  private static final Set<Integer> END = Set.of(2);

  private final Tokenizer tokenizer =
      Tokenizers.of(
          SmallVocabularies.sentencePiece(
              "a", "aa", "aaaa", "ab", "ba", "bb", "(a", "((", "))", ")a"));
  private final TokenTrie tokens = TokenTrie.of(tokenizer);

  @Test
  void allowsExactlyTheTokensThatCanFollow() {
    Node letter = bytes("ab");
    Node.Rule nested = new Node.Rule();
    nested.define(choice(sequence(text("("), nested, text(")")), letter));
    List<Node> grammars =
        List.of(
            new Node.Repeat(letter, 3, 5),
            new Node.Repeat(letter, 0, 90),
            new Node.Repeat(sequence(letter, optional(text("a"))), 60, Node.UNBOUNDED),
            new Node.Repeat(new Node.Repeat(letter, 1, 40), 30, 70),
            sequence(many(letter), text("ab"), many(letter), text("b")),
            many(nested));
    for (Node grammar : grammars) {
      Automaton automaton = new Automaton(grammar, tokens);
      for (int seed = 0; seed < 20; seed++) {
        follow(automaton, new Random(seed));
      }
    }
  }

  private void follow(Automaton automaton, Random random) {
    State state = automaton.start();
    for (int step = 0; step < 60; step++) {
      BitSet expected = new BitSet();
      for (int id = 3; id < tokenizer.vocabulary().size(); id++) {
        expected.set(id, !automaton.after(state, tokenizer.bytes(id)).isDead());
      }
      assertThat(automaton.mask(state)).isEqualTo(expected);
      if (expected.isEmpty()) {
        assertThat(automaton.accepts(state)).isTrue();
        return;
      }
      int[] ids = expected.stream().toArray();
      state = automaton.after(state, tokenizer.bytes(ids[random.nextInt(ids.length)]));
    }
  }

  @Test
  void countsExactly() {
    Automaton automaton = new Automaton(new Node.Repeat(bytes("ab"), 70, 75), tokens);
    assertThat(accepts(automaton, "a".repeat(69))).isFalse();
    assertThat(accepts(automaton, "ab".repeat(35))).isTrue();
    assertThat(accepts(automaton, "b".repeat(75))).isTrue();
    assertThat(accepts(automaton, "a".repeat(76))).isFalse();
  }

  @Test
  void sharesOneMaskInsideOfALongText() {
    Automaton automaton = new Automaton(new Node.Repeat(bytes("ab"), 0, 1000), tokens);
    BitSet first = automaton.mask(automaton.after(automaton.start(), ascii("a".repeat(10))));
    BitSet later = automaton.mask(automaton.after(automaton.start(), ascii("b".repeat(900))));
    assertThat(later).isSameAs(first);
  }

  @Test
  void nestsOnlySoDeepThatItCanComeBack() {
    Node.Rule nested = new Node.Rule();
    nested.define(choice(sequence(text("("), nested, text(")")), text("a")));
    Automaton automaton = new Automaton(nested, tokens);
    int deepest = Automaton.MAX_LEVEL - 1;
    assertThat(accepts(automaton, "(".repeat(deepest) + "a" + ")".repeat(deepest))).isTrue();
    assertThat(automaton.after(automaton.start(), ascii("(".repeat(deepest + 1))).isDead())
        .isTrue();
  }

  @Test
  void entersNoTextThatTheVocabularyCannotFinish() {
    List<Token> few = new ArrayList<>();
    few.add(new Token("<unk>", 0, TokenType.UNKNOWN));
    few.add(new Token("<s>", 0, TokenType.CONTROL));
    few.add(new Token("</s>", 0, TokenType.CONTROL));
    for (String piece : List.of("a", "b", "ax", "c")) {
      few.add(new Token(piece, 0, TokenType.NORMAL));
    }
    Vocabulary vocabulary =
        SmallVocabularies.vocabulary(Algorithm.SENTENCEPIECE_BPE, few, List.of());
    Tokenizer small = Tokenizers.of(vocabulary);
    Node grammar =
        choice(
            text("axxa"),
            text("ab"),
            sequence(text("a"), bytes("xc"), text("b")),
            sequence(text("b"), bytes("xy")));
    Automaton automaton = new Automaton(grammar, TokenTrie.of(small));
    GrammarConstraint constraint = new GrammarConstraint(automaton, small, END);
    assertThat(words(small, constraint.allowed())).containsExactlyInAnyOrder("a", "ax");
    constraint.accept(3);
    assertThat(words(small, constraint.allowed())).containsExactlyInAnyOrder("b", "c");
    assertThat(new Automaton(text("xa"), TokenTrie.of(small)).isSatisfiable()).isFalse();
  }

  @Test
  void endsExactlyWhereTheTextIsComplete() {
    Automaton automaton = new Automaton(sequence(text("a"), optional(text("b"))), tokens);
    GrammarConstraint constraint = new GrammarConstraint(automaton, tokenizer, END);
    assertThat(constraint.allowed().get(2)).isFalse();
    constraint.accept(3 + 'a');
    assertThat(words(tokenizer, constraint.allowed())).contains("", "b");
    assertThat(constraint.allowed().get(2)).isTrue();
  }

  @Test
  void boundsTheWaysOfAnAmbiguousTextAndStillEnds() {
    Node few = new Node.Repeat(bytes("ab"), 1, 1000);
    Node grammar = sequence(new Node.Repeat(sequence(few, few, few), 5, 1000), text("("));
    Automaton automaton = new Automaton(grammar, tokens);
    State state = automaton.after(automaton.start(), ascii("ab".repeat(100)));
    assertThat(state.ways()).isLessThanOrEqualTo(320);
    BitSet allowed = automaton.mask(state);
    assertThat(words(tokenizer, allowed)).contains("a", "b");
    for (int id : allowed.stream().toArray()) {
      assertThat(automaton.after(state, tokenizer.bytes(id)).isDead()).isFalse();
    }
  }

  private static boolean accepts(Automaton automaton, String text) {
    State state = automaton.after(automaton.start(), ascii(text));
    return !state.isDead() && automaton.accepts(state);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static Set<String> words(Tokenizer tokenizer, BitSet ids) {
    return ids.stream()
        .mapToObj(id -> new String(tokenizer.bytes(id), StandardCharsets.UTF_8))
        .collect(Collectors.toSet());
  }
}
