/**
 * Grammars over bytes, run as automata over the tokens of a vocabulary. Knows no JSON, no request
 * and no model.
 */
@NullMarked
package dev.caravan.coordinator.structure.grammar;

import org.jspecify.annotations.NullMarked;
