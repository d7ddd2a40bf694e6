package org.espalier.cluster;

import java.util.List;
import org.espalier.model.ModelIdentity;
import org.espalier.placement.Placement;

/**
 * A node's part of a deployment.
 *
 * @param model as the client that loaded it named it
 * @param placement of the whole deployment
 * @param owner the client that loaded it
 * @param clients that are attached; only the head knows them
 * @param residentBytes memory of this node's shard
 * @param sessions open on this node
 * @param serving whether the ring is joined and unbroken
 */
public record ShardInfo(
        String deployment,
        long epoch,
        ModelIdentity model,
        Placement placement,
        String owner,
        List<String> clients,
        long residentBytes,
        int sessions,
        boolean serving,
        String engine,
        String precision) {

    public ShardInfo {
        clients = List.copyOf(clients);
    }

    @Override
    public String toString() {
        return deployment + (serving ? "" : ", not serving") + ": epoch " + epoch + ", " + engine + ", " + precision
                + ", " + residentBytes + " bytes, loaded by " + owner;
    }
}
