/** The machine: what it is, how fast it reads memory and how fast it multiplies. */
@NullMarked
package dev.caravan.bench.machine;

import org.jspecify.annotations.NullMarked;
