/** The threads of a worker. Knows no kernels. */
@NullMarked
package dev.caravan.worker.compute;

import org.jspecify.annotations.NullMarked;
