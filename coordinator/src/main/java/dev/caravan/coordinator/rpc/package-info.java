/** The coordinator's side of gRPC: it serves membership and calls the workers. */
@NullMarked
package dev.caravan.coordinator.rpc;

import org.jspecify.annotations.NullMarked;
