/**
 * The kernels in jdk.incubator.vector, one family of hot loops per file; the only package that may
 * use it.
 */
@NullMarked
package dev.caravan.worker.kernel.simd;

import org.jspecify.annotations.NullMarked;
