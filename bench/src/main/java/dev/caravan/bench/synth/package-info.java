/**
 * Models of true shapes and random weights, to measure and to test with: nothing is downloaded, and
 * nobody's licence applies.
 */
@NullMarked
package dev.caravan.bench.synth;

import org.jspecify.annotations.NullMarked;
