/** All-reduces between workers without a model, over the workers' own streams. */
@NullMarked
package dev.caravan.bench.collective;

import org.jspecify.annotations.NullMarked;
