/**
 * The web page, the live picture of the cluster and the metrics, as HTTP services for the API's
 * server. Knows no request of the API.
 */
@NullMarked
package dev.caravan.coordinator.page;

import org.jspecify.annotations.NullMarked;
