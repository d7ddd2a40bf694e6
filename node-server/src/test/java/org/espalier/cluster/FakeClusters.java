package org.espalier.cluster;

import java.util.List;

/** Clusters of any nodes, with fake models. */
public final class FakeClusters {

    private FakeClusters() {}

    public static Cluster of(List<String> addresses, ConnectOptions options) {
        return Cluster.of(addresses, options, new FakeModels());
    }
}
