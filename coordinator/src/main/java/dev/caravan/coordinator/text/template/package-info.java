/**
 * Chat templates' language: the part of Jinja that chat templates use, with the results of Python's
 * jinja2 to the letter.
 *
 * <p>A template is a program from a file of unknown origin. It sees the variables it is given, a
 * date and nothing else, and it is bounded in steps, output and depth. Knows no chat, no model, no
 * file and no network.
 */
@NullMarked
package dev.caravan.coordinator.text.template;

import org.jspecify.annotations.NullMarked;
