package dev.caravan.model.checkpoint;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What stands before the data of a GGUF file.
 *
 * @param version of the format, 2 or 3
 * @param metadata Long (BigInteger above its range), Double, Boolean, String or {@link GgufArray}
 *     by key, in file order
 * @param tensors in file order
 * @param endOffset first byte after the tensor table
 */
record GgufHeader(
    int version, Map<String, Object> metadata, List<GgufTensorInfo> tensors, long endOffset) {

  GgufHeader {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    tensors = List.copyOf(tensors);
  }
}
