package org.espalier.cluster;

/**
 * What a cluster object uses, and how this client stays attached to it.
 *
 * @param asked the options it was loaded with: placed again, engine and precision stay
 */
record Serving(
        Connection connection,
        Deployment deployment,
        SharedModel model,
        ClusterNode head,
        Attachment attachment,
        LoadOptions asked) {

    String id() {
        return deployment.id();
    }
}
