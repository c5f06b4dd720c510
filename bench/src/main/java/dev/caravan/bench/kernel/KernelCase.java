package dev.caravan.bench.kernel;

import dev.caravan.model.checkpoint.DType;

/**
 * One thing to measure: a matrix product of so many activation rows with weights of a type.
 *
 * @param dtype of the weights
 * @param rows of activations: 1 for decode, hundreds for prefill
 */
public record KernelCase(DType dtype, int rows) {}
