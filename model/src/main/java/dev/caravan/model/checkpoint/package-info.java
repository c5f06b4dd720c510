/** Checkpoint files, memory mapped: GGUF and Hugging Face directories. Knows no cluster. */
@NullMarked
package dev.caravan.model.checkpoint;

import org.jspecify.annotations.NullMarked;
