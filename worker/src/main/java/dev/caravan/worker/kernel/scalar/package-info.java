/** The kernels in plain Java: the specification that the others must match bit for bit. */
@NullMarked
package dev.caravan.worker.kernel.scalar;

import org.jspecify.annotations.NullMarked;
