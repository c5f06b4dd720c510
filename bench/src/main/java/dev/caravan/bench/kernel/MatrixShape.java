package dev.caravan.bench.kernel;

import dev.caravan.model.error.ClusterException;
import dev.caravan.model.error.ErrorCode;

/**
 * Shape of a weight matrix.
 *
 * @param rows outputs
 * @param columns inputs, whole blocks of every type: a multiple of 256
 */
public record MatrixShape(int rows, int columns) {
  private static final int COLUMN_UNIT = 256;
  private static final int MAX_SIZE = 1 << 20;

  public MatrixShape {
    if (rows < 1 || rows > MAX_SIZE || columns < 1 || columns > MAX_SIZE) {
      throw invalid("%dx%d: rows and columns are not in 1..%d".formatted(rows, columns, MAX_SIZE));
    }
    if (columns % COLUMN_UNIT != 0) {
      throw invalid("%d columns are not a multiple of %d".formatted(columns, COLUMN_UNIT));
    }
  }

  /**
   * Reads ROWSxCOLUMNS.
   *
   * @throws ClusterException INVALID_REQUEST if it is something else or out of bounds
   */
  public static MatrixShape parse(String text) {
    String[] numbers = text.split("x", -1);
    try {
      if (numbers.length == 2) {
        return new MatrixShape(Integer.parseInt(numbers[0]), Integer.parseInt(numbers[1]));
      }
    } catch (NumberFormatException e) {
      throw invalid("\"%s\" is not ROWSxCOLUMNS, for example 8192x8192".formatted(text));
    }
    throw invalid("\"%s\" is not ROWSxCOLUMNS, for example 8192x8192".formatted(text));
  }

  @Override
  public String toString() {
    return rows + "x" + columns;
  }

  private static ClusterException invalid(String message) {
    return new ClusterException(ErrorCode.INVALID_REQUEST, "--shape: " + message);
  }
}
