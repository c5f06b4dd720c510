/** The image's root file system, built without a Docker engine, and containers that run it. */
@NullMarked
package dev.caravan.k8s.image;

import org.jspecify.annotations.NullMarked;
