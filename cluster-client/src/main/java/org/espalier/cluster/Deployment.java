package org.espalier.cluster;

import org.espalier.placement.Placement;

/**
 * A model that is placed on nodes and serves.
 *
 * @param id unique in the cluster; the model's name by default
 * @param epoch grows with every placement of this id
 * @param model path or name as it was loaded
 * @param engine that runs, one for all nodes
 * @param precision {@code float32} or {@code fast}: the one that runs
 * @param residentBytes memory of all shards
 * @param loadSeconds from the call to the joined ring; 0 where another client loaded it
 */
public record Deployment(
        String id,
        long epoch,
        String model,
        Placement placement,
        String engine,
        String precision,
        long residentBytes,
        double loadSeconds) {}
