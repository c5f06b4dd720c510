/** The commands of caravan. Wires everything, decides nothing else. */
@NullMarked
package dev.caravan.coordinator.cli;

import org.jspecify.annotations.NullMarked;
