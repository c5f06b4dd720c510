/**
 * The HTTP server: what it listens on, who may call, and how errors look. The only place, with the
 * page, that knows Armeria. Knows no worker and no step.
 */
@NullMarked
package dev.caravan.coordinator.api;

import org.jspecify.annotations.NullMarked;
