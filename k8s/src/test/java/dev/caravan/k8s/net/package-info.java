/**
 * Several hosts on one machine: network namespaces with a cable each to one switch. Knows nothing
 * of Caravan.
 *
 * <p>A host is a process that waits, alone in its namespaces. Its end takes all that ran there, its
 * cable and its mounts with it, and it ends when the test JVM does, however that ends. So there is
 * nothing to clean up after a test that was killed.
 */
@NullMarked
package dev.caravan.k8s.net;

import org.jspecify.annotations.NullMarked;
