package org.espalier.kernel.magic;

import org.espalier.cluster.Cluster;

/** What a notebook's code finds from its start, by a static import: nothing of it is made before it is used. */
public final class NotebookVariables {

    /** The notebook's one cluster, for its whole life: {@code %cluster} changes its nodes, not the object. */
    public static final Cluster cluster = NotebookCluster.make();

    private NotebookVariables() {}
}
