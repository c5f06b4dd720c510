package dev.caravan.coordinator.structure.grammar;

import dev.caravan.coordinator.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;

/**
 * The byte strings of a vocabulary's tokens as a tree in preorder, so that one walk over arrays
 * visits every prefix once. Immutable.
 *
 * <p>Tokens without bytes, end ids and very long tokens are left out: nothing is lost but speed,
 * for any text can be written with shorter ones.
 */
public final class TokenTrie {
  /** Runs of spaces and rulers are longer; words are not. */
  private static final int MAX_TOKEN_BYTES = 32;

  private final int vocabularySize;
  private final int depth;
  private final BitSet singleBytes = new BitSet(256);

  /** Ids in the order of their bytes; several tokens may have the same bytes. */
  private final int[] ids;

  /** For each node its byte, its depth from 1 on, the node after its subtree. */
  private final byte[] label;

  private final byte[] level;
  private final int[] subtreeEnd;

  /** Ids of node i: from firstId[i] to firstId[i + 1]. */
  private final int[] firstId;

  private TokenTrie(int vocabularySize, List<Entry> entries) {
    this.vocabularySize = vocabularySize;
    this.ids = new int[entries.size()];
    int nodes = countNodes(entries);
    this.label = new byte[nodes];
    this.level = new byte[nodes];
    this.subtreeEnd = new int[nodes];
    this.firstId = new int[nodes + 1];
    this.depth = fill(entries);
  }

  @SuppressWarnings("ArrayRecordComponent") // lives while the tree is built
  private record Entry(byte[] bytes, int id) {}

  /** Builds the tree of a tokenizer's tokens. */
  public static TokenTrie of(Tokenizer tokenizer) {
    List<Entry> entries = new ArrayList<>();
    int size = tokenizer.vocabulary().size();
    for (int id = 0; id < size; id++) {
      byte[] bytes = tokenizer.bytes(id);
      if (bytes.length > 0
          && bytes.length <= MAX_TOKEN_BYTES
          && !tokenizer.vocabulary().eosIds().contains(id)) {
        entries.add(new Entry(bytes, id));
      }
    }
    entries.sort((a, b) -> Arrays.compareUnsigned(a.bytes, b.bytes));
    return new TokenTrie(size, entries);
  }

  private static int countNodes(List<Entry> entries) {
    int nodes = 0;
    byte[] before = {};
    for (Entry entry : entries) {
      nodes += entry.bytes.length - common(before, entry.bytes);
      before = entry.bytes;
    }
    return nodes;
  }

  private static int common(byte[] a, byte[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a.length : mismatch;
  }

  /** Returns the length of the longest token. */
  private int fill(List<Entry> entries) {
    int[] open = new int[MAX_TOKEN_BYTES];
    int longest = 0;
    int nodes = 0;
    byte[] before = {};
    for (int i = 0; i < ids.length; i++) {
      byte[] bytes = entries.get(i).bytes;
      int shared = common(before, bytes);
      close(open, shared, before.length, nodes);
      for (int at = shared; at < bytes.length; at++) {
        open[at] = nodes;
        label[nodes] = bytes[at];
        level[nodes] = (byte) (at + 1);
        firstId[nodes] = i;
        nodes++;
      }
      firstId[nodes] = i + 1;
      ids[i] = entries.get(i).id;
      if (bytes.length == 1) {
        singleBytes.set(bytes[0] & 0xFF);
      }
      longest = Math.max(longest, bytes.length);
      before = bytes;
    }
    close(open, 0, before.length, nodes);
    return longest;
  }

  private void close(int[] open, int from, int to, int end) {
    for (int at = from; at < to; at++) {
      subtreeEnd[open[at]] = end;
    }
  }

  int vocabularySize() {
    return vocabularySize;
  }

  /** Length of the longest token in bytes. */
  int depth() {
    return depth;
  }

  /** Returns true if a token is this byte alone. */
  BitSet singleBytes() {
    return singleBytes;
  }

  int nodes() {
    return label.length;
  }

  int label(int node) {
    return label[node] & 0xFF;
  }

  int level(int node) {
    return level[node];
  }

  int subtreeEnd(int node) {
    return subtreeEnd[node];
  }

  /** Adds the tokens that end at a node. */
  void addIds(int node, BitSet allowed) {
    for (int i = firstId[node]; i < firstId[node + 1]; i++) {
      allowed.set(ids[i]);
    }
  }
}
