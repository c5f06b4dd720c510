/** What a benchmark says: one set of figures, as tables for people and as one JSON object. */
@NullMarked
package dev.caravan.bench.report;

import org.jspecify.annotations.NullMarked;
