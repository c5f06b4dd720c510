/** The errors that cross a boundary, each with its blame. */
@NullMarked
package dev.caravan.model.error;

import org.jspecify.annotations.NullMarked;
