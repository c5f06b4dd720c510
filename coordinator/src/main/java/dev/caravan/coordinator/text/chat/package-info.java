/**
 * Conversations and the prompts that a model's chat template makes of them. Knows no model, no
 * vocabulary and no network.
 */
@NullMarked
package dev.caravan.coordinator.text.chat;

import org.jspecify.annotations.NullMarked;
