/**
 * JSON and JSON schemas as grammars over bytes. Knows no tokens, no request and no model.
 *
 * <p>A grammar matches a part of what its schema allows, never more: compact text with at most one
 * space after a colon or a comma, properties in the order of the schema, numbers of at most 15
 * digits.
 */
@NullMarked
package dev.caravan.coordinator.structure.schema;

import org.jspecify.annotations.NullMarked;
