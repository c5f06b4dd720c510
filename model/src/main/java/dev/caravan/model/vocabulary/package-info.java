/** The tokens of a model as its files state them. Knows no tokenizer algorithm. */
@NullMarked
package dev.caravan.model.vocabulary;

import org.jspecify.annotations.NullMarked;
