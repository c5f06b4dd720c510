/** Clusters whose coordinator, workers and clients run the image on hosts of their own. */
@NullMarked
package dev.caravan.k8s.cluster;

import org.jspecify.annotations.NullMarked;
