/** Who is a member of the cluster and for how long. Knows no transport. */
@NullMarked
package dev.caravan.coordinator.cluster;

import org.jspecify.annotations.NullMarked;
