package org.espalier.placement;

import java.util.Map;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.program.Experts;
import org.espalier.slice.Share;
import org.espalier.slice.Shares;

/** A placement as it travels. */
public final class PlacementMessage {

    private PlacementMessage() {}

    /** @throws org.espalier.EspalierException if it names shares that do not exist; whether they cover the model, {@link Placement#check} says */
    public static Placement of(org.espalier.v1.Placement message) {
        return new Placement(
                message.getStrategy(),
                message.getLayers(),
                message.getShardsList().stream().map(PlacementMessage::shard).toList());
    }

    private static Placement.Shard shard(org.espalier.v1.Shard message) {
        if (message.getExperts().getHeldCount() > Short.MAX_VALUE) {
            throw new EspalierException("node " + message.getNode() + " lists "
                    + message.getExperts().getHeldCount() + " experts: models have at most " + Short.MAX_VALUE);
        }
        Shares shares = new Shares(
                message.hasHeads() ? share(message.getHeads()) : Share.WHOLE,
                message.hasWidth() ? share(message.getWidth()) : Share.WHOLE,
                message.hasVocabulary() ? share(message.getVocabulary()) : Share.WHOLE,
                message.hasExperts()
                        ? Optional.of(message.getExperts().getHeldList().stream()
                                .map(held -> SharesJson.held(held.getExpert(), held.getReplica(), held.getReplicas()))
                                .toList())
                        : Optional.empty());
        return new Placement.Shard(message.getNode(), message.getFirstLayer(), message.getEndLayer(), shares);
    }

    private static Share share(org.espalier.v1.Share message) {
        return new Share(message.getFrom(), message.getTo(), message.getOf());
    }

    /** @param addresses of the nodes by name, as the other nodes dial them */
    public static org.espalier.v1.Placement message(Placement placement, Map<String, String> addresses) {
        return org.espalier.v1.Placement.newBuilder()
                .setStrategy(placement.strategy())
                .setLayers(placement.layers())
                .addAllShards(placement.shards().stream()
                        .map(shard -> message(shard, addresses.get(shard.node())))
                        .toList())
                .build();
    }

    private static org.espalier.v1.Shard message(Placement.Shard shard, String address) {
        org.espalier.v1.Shard.Builder message = org.espalier.v1.Shard.newBuilder()
                .setNode(shard.node())
                .setAddress(address)
                .setFirstLayer(shard.firstLayer())
                .setEndLayer(shard.endLayer());
        if (!shard.shares().isAll()) {
            message.setHeads(message(shard.shares().heads()))
                    .setWidth(message(shard.shares().width()))
                    .setVocabulary(message(shard.shares().vocabulary()));
        }
        shard.shares()
                .experts()
                .ifPresent(held -> message.setExperts(org.espalier.v1.HeldExperts.newBuilder()
                        .addAllHeld(held.stream().map(PlacementMessage::message).toList())));
        return message.build();
    }

    private static org.espalier.v1.Share message(Share share) {
        return org.espalier.v1.Share.newBuilder()
                .setFrom(share.from())
                .setTo(share.to())
                .setOf(share.of())
                .build();
    }

    private static org.espalier.v1.HeldExpert message(Experts.Held held) {
        return org.espalier.v1.HeldExpert.newBuilder()
                .setExpert(held.expert())
                .setReplica(held.replica())
                .setReplicas(held.replicas())
                .build();
    }
}
