/**
 * The API that a user holds: a {@link org.espalier.cluster.Cluster} connects to nodes, loads and splits a model over them, and
 * generates. Whatever a magic does, one call here does too, under the same name.
 */
package org.espalier.cluster;
