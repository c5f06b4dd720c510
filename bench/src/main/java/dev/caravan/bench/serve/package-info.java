/** Load on a running server over HTTP, and what its users would have seen. */
@NullMarked
package dev.caravan.bench.serve;

import org.jspecify.annotations.NullMarked;
