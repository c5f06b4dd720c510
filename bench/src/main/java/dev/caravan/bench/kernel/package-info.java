/** The worker's kernels on weights that stream from memory. Knows no model and no cluster. */
@NullMarked
package dev.caravan.bench.kernel;

import org.jspecify.annotations.NullMarked;
