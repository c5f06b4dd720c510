/** How addresses are written. Opens no socket. */
@NullMarked
package dev.caravan.model.net;

import org.jspecify.annotations.NullMarked;
