/**
 * What a serving coordinator counts and tells its operators: metrics and log lines. Knows no
 * transport and never sees text.
 */
@NullMarked
package dev.caravan.coordinator.metrics;

import org.jspecify.annotations.NullMarked;
