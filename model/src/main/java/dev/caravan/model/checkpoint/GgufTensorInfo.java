package dev.caravan.model.checkpoint;

/**
 * One line of a GGUF file's tensor table, checked for itself.
 *
 * @param offset of its first byte, from the start of the data section
 */
record GgufTensorInfo(String name, DType dtype, long rows, long columns, long offset) {

  long bytes() {
    return rows * dtype.bytes(columns);
  }
}
