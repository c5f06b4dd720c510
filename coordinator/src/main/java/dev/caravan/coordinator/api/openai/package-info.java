/** OpenAI's requests and answers. Knows no worker and no step. */
@NullMarked
package dev.caravan.coordinator.api.openai;

import org.jspecify.annotations.NullMarked;
