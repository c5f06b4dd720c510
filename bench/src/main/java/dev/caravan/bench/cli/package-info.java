/** The commands that measure. Reads options, runs a measurement, prints the report. */
@NullMarked
package dev.caravan.bench.cli;

import org.jspecify.annotations.NullMarked;
