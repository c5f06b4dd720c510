/** Which part of a model goes to which worker. Pure functions and values: no files, no network. */
@NullMarked
package dev.caravan.model.shard;

import org.jspecify.annotations.NullMarked;
