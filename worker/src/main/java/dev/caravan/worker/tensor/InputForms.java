package dev.caravan.worker.tensor;

import java.util.Arrays;

/**
 * What a {@link MatmulInput} holds of its rows: a set of forms, beside values, scales and sums,
 * which are always there. Immutable.
 *
 * @param int8 whether the values are rounded to 8-bit integers
 * @param bits of the forms in the set
 */
public record InputForms(boolean int8, int bits) {

  public InputForms {
    if (!int8 && (bits & ~InputForm.TILES.bit()) != 0) {
      throw new IllegalArgumentException("floats have no factors for integers: %x".formatted(bits));
    }
  }

  public static InputForms of(boolean int8, InputForm... forms) {
    int bits = 0;
    for (InputForm form : forms) {
      bits |= form.bit();
    }
    return new InputForms(int8, bits);
  }

  public boolean has(InputForm form) {
    return (bits & form.bit()) != 0;
  }

  /** Whether all of another set is here too, of the same kind of values. */
  public boolean cover(InputForms other) {
    return int8 == other.int8 && (other.bits & ~bits) == 0;
  }

  /** Returns this set with the forms of another one, which has the same kind of values. */
  public InputForms with(InputForms other) {
    if (int8 != other.int8) {
      throw new IllegalArgumentException("forms of int8 and forms of floats");
    }
    return cover(other) ? this : new InputForms(int8, bits | other.bits);
  }

  @Override
  public String toString() {
    return (int8 ? "int8 " : "f32 ") + Arrays.stream(InputForm.values()).filter(this::has).toList();
  }
}
