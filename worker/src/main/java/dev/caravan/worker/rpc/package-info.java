/**
 * The worker on the network: it joins the coordinator, serves shards and steps, and talks to its
 * peers.
 */
@NullMarked
package dev.caravan.worker.rpc;

import org.jspecify.annotations.NullMarked;
