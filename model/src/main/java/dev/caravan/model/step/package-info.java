/** What one forward step computes and what it answers. Knows no transport. */
@NullMarked
package dev.caravan.model.step;

import org.jspecify.annotations.NullMarked;
