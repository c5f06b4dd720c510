package dev.caravan.model.checkpoint;

import dev.caravan.model.error.ClusterException;
import java.nio.file.Path;
import java.util.Map;

/** The numbers by which GGUF files name element types, those that Caravan cannot run included. */
final class GgmlType {
  private static final Map<DType, Integer> NUMBERS =
      Map.of(
          DType.F32, 0,
          DType.F16, 1,
          DType.Q4_0, 2,
          DType.Q8_0, 8,
          DType.Q4_K, 12,
          DType.Q5_K, 13,
          DType.Q6_K, 14,
          DType.BF16, 30);

  private static final Map<Integer, String> UNSUPPORTED =
      Map.ofEntries(
          Map.entry(3, "Q4_1"),
          Map.entry(6, "Q5_0"),
          Map.entry(7, "Q5_1"),
          Map.entry(9, "Q8_1"),
          Map.entry(10, "Q2_K"),
          Map.entry(11, "Q3_K"),
          Map.entry(15, "Q8_K"),
          Map.entry(16, "IQ2_XXS"),
          Map.entry(17, "IQ2_XS"),
          Map.entry(18, "IQ3_XXS"),
          Map.entry(19, "IQ1_S"),
          Map.entry(20, "IQ4_NL"),
          Map.entry(21, "IQ3_S"),
          Map.entry(22, "IQ2_S"),
          Map.entry(23, "IQ4_XS"),
          Map.entry(24, "I8"),
          Map.entry(25, "I16"),
          Map.entry(26, "I32"),
          Map.entry(27, "I64"),
          Map.entry(28, "F64"),
          Map.entry(29, "IQ1_M"),
          Map.entry(34, "TQ1_0"),
          Map.entry(35, "TQ2_0"),
          Map.entry(39, "MXFP4"));

  private GgmlType() {}

  static int number(DType dtype) {
    Integer number = NUMBERS.get(dtype);
    if (number == null) {
      throw new IllegalArgumentException("GGUF has no number for " + dtype);
    }
    return number;
  }

  /**
   * Returns the type of a tensor.
   *
   * @throws ClusterException INVALID_REQUEST if Caravan has no kernels for it
   */
  static DType dtype(Path file, String tensor, long number) {
    for (Map.Entry<DType, Integer> entry : NUMBERS.entrySet()) {
      if (entry.getValue() == number) {
        return entry.getKey();
      }
    }
    String name = number < 64 ? UNSUPPORTED.getOrDefault((int) number, "unknown") : "unknown";
    throw CheckpointErrors.unsupported(
        file,
        ("tensor %s has element type %s (number %d), which is not supported;"
                + " use a file quantised to Q4_0, Q8_0, Q4_K_M, Q5_K_M or Q6_K, or F16, BF16, F32")
            .formatted(tensor, name, number));
  }
}
