/** Sums over ranks and hand-over between stages. Knows no layers. */
@NullMarked
package dev.caravan.worker.collective;

import org.jspecify.annotations.NullMarked;
