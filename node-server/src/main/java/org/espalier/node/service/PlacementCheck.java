package org.espalier.node.service;

import org.espalier.EspalierException;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.model.ModelIdentity;
import org.espalier.placement.Placement;
import org.espalier.placement.PlacementMessage;
import org.espalier.slice.Member;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.LoadRequest;

/** Checks a load request before anything changes. */
record PlacementCheck(String node) {

    /**
     * What this node has to load.
     *
     * @throws FailureException if the request is incomplete, or its placement does not cover each layer once
     */
    ShardLoader.Order check(LoadRequest request) {
        require(!request.getDeployment().isBlank(), "the deployment has no id");
        Names names = new Names(node);
        names.check("the deployment's id", request.getDeployment());
        names.check("the client's name", request.getClient());
        names.check("the engine's name", request.getEngine());
        names.check("the precision", request.getPrecision());
        require(request.getEpoch() > 0, "epoch " + request.getEpoch() + " is not above 0");
        ModelIdentity model = identity(request);
        require(!request.getClient().isBlank(), "the client has no name");
        int shards = request.getPlacement().getShardsCount();
        require(
                request.getShard() >= 0 && request.getShard() < shards,
                "shard " + request.getShard() + " is not one of the placement's " + shards);
        Member member = placement(request).members().get(request.getShard());
        String self = request.getPlacement().getShards(request.getShard()).getNode();
        require(self.equals(node), "this is node " + node + ", the shard is for node " + self);
        names(names, request.getPlacement());
        addresses(request);
        return new ShardLoader.Order(node, model, member, request.getEngine(), request.getPrecision());
    }

    /** @throws FailureException if it does not cover each layer once, or needs what nodes cannot do yet */
    private Placement placement(LoadRequest request) {
        try {
            return PlacementMessage.of(request.getPlacement()).checkCoverage().requireNothingShared();
        } catch (EspalierException e) {
            throw wrong(e.getMessage());
        }
    }

    /** @throws FailureException if it is not a valid identity */
    private ModelIdentity identity(LoadRequest request) {
        org.espalier.v1.ModelIdentity model = request.getModel();
        try {
            return new ModelIdentity(model.getName(), model.getRevision(), model.getHash(), model.getPath());
        } catch (EspalierException e) {
            throw wrong(e.getMessage());
        }
    }

    private static void names(Names names, org.espalier.v1.Placement placement) {
        names.check("the placement's strategy", placement.getStrategy());
        placement.getShardsList().forEach(shard -> {
            names.check("a node's name", shard.getNode());
            names.check("a node's address", shard.getAddress());
        });
    }

    /** @throws FailureException if this node would have to dial something that is no node's address */
    private void addresses(LoadRequest request) {
        if (request.getPlacement().getShardsCount() < 2) {
            return; // nobody dials anybody
        }
        request.getPlacement().getShardsList().forEach(shard -> {
            try {
                NodeAddress.parse(shard.getAddress());
            } catch (EspalierException e) {
                throw wrong("node " + shard.getNode() + " cannot be dialled: " + e.getMessage());
            }
        });
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw wrong(otherwise);
        }
    }

    private FailureException wrong(String what) {
        return new Failure(node, Failure.Kind.INVALID, "the load request is wrong: " + what).exception();
    }
}
