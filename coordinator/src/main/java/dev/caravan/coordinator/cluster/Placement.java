package dev.caravan.coordinator.cluster;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Says which member gets which shard. A pure function. */
public final class Placement {
  private static final Pattern NUMBERED = Pattern.compile("(.*?)(\\d{1,18})?", Pattern.DOTALL);

  /** By the text of the id, then by the number at its end: worker-2 comes before worker-10. */
  private static final Comparator<Member> NATURAL =
      Comparator.comparing((Member member) -> parts(member).group(1))
          .thenComparingLong(Placement::number)
          .thenComparing(Member::id);

  private Placement() {}

  /**
   * Places members.
   *
   * @param before ids of those that held the shards last, in the plan's order; empty at first
   * @param shards number of shards
   * @param members at least as many
   * @return a member for each shard: the one of the same id as before where it is there, and the
   *     others in the natural order of their ids
   */
  public static List<Member> of(List<String> before, int shards, Collection<Member> members) {
    List<Member> left = new ArrayList<>(members);
    left.sort(NATURAL);
    List<Member> kept = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      String id = i < before.size() ? before.get(i) : "";
      Member same = left.stream().filter(member -> member.id().equals(id)).findFirst().orElse(null);
      left.remove(same);
      kept.add(same);
    }
    List<Member> placed = new ArrayList<>();
    for (Member same : kept) {
      placed.add(same == null ? left.removeFirst() : same);
    }
    return placed;
  }

  private static long number(Member member) {
    String digits = parts(member).group(2);
    return digits == null ? -1 : Long.parseLong(digits);
  }

  private static Matcher parts(Member member) {
    Matcher matcher = NUMBERED.matcher(member.id());
    if (!matcher.matches()) {
      throw new IllegalStateException("every id matches, but not " + member.id());
    }
    return matcher;
  }
}
