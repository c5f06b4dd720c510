/** Talks to a server over its OpenAI-compatible API. Knows no model, no cluster and no terminal. */
@NullMarked
package dev.caravan.coordinator.client;

import org.jspecify.annotations.NullMarked;
