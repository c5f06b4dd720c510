package dev.caravan.coordinator.text;

import dev.caravan.model.vocabulary.Vocabulary.Token;
import dev.caravan.model.vocabulary.Vocabulary.TokenType;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Finds tokens that are recognised as a whole, longest first, by a trie. Immutable. */
final class WholeTokens {

  /** Receives a text piece by piece, in order. */
  interface Sink {
    void text(String text);

    void token(int id);
  }

  private static final int NO_TOKEN = -1;

  private static final class Node {
    final Map<Character, Node> children = new HashMap<>();
    int id = NO_TOKEN;
  }

  private final Node plain;
  private final Node parsed;

  WholeTokens(List<Token> tokens) {
    this.plain = trie(tokens, EnumSet.of(TokenType.USER_DEFINED));
    this.parsed =
        trie(tokens, EnumSet.of(TokenType.USER_DEFINED, TokenType.CONTROL, TokenType.UNKNOWN));
  }

  private static Node trie(List<Token> tokens, Set<TokenType> types) {
    Node root = new Node();
    for (int id = 0; id < tokens.size(); id++) {
      Token token = tokens.get(id);
      if (types.contains(token.type()) && !token.text().isEmpty()) {
        Node node = root;
        for (char next : token.text().toCharArray()) {
          node = node.children.computeIfAbsent(next, unused -> new Node());
        }
        node.id = node.id == NO_TOKEN ? id : node.id;
      }
    }
    return root;
  }

  /** Hands over the tokens found and the texts between them that are not empty. */
  void split(String text, SpecialTokens special, Sink sink) {
    Node root =
        switch (special) {
          case PLAIN -> plain;
          case PARSED -> parsed;
        };
    int start = 0;
    int at = 0;
    while (at < text.length()) {
      int length = root.children.isEmpty() ? 0 : longest(root, text, at);
      if (length == 0) {
        at++;
        continue;
      }
      if (start < at) {
        sink.text(text.substring(start, at));
      }
      sink.token(find(root, text, at, length).id);
      at += length;
      start = at;
    }
    if (start < text.length()) {
      sink.text(text.substring(start));
    }
  }

  private static int longest(Node root, String text, int from) {
    int longest = 0;
    @Nullable Node node = root;
    for (int at = from; at < text.length(); at++) {
      node = node.children.get(text.charAt(at));
      if (node == null) {
        break;
      }
      if (node.id != NO_TOKEN) {
        longest = at + 1 - from;
      }
    }
    return longest;
  }

  private static Node find(Node root, String text, int from, int length) {
    Node node = root;
    for (int at = from; at < from + length; at++) {
      node = node.children.getOrDefault(text.charAt(at), root);
    }
    return node;
  }
}
