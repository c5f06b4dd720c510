/** Generations over gRPC, for programs that do not speak OpenAI's protocol. */
@NullMarked
package dev.caravan.coordinator.api.grpc;

import org.jspecify.annotations.NullMarked;
