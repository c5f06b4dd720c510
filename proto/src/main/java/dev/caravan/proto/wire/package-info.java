/** The only codecs between the types of {@code model} and what crosses the wire. */
@NullMarked
package dev.caravan.proto.wire;

import org.jspecify.annotations.NullMarked;
