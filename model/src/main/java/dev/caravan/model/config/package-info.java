/** What a Llama is: its geometry and its rotary embedding. Knows no file format and no cluster. */
@NullMarked
package dev.caravan.model.config;

import org.jspecify.annotations.NullMarked;
