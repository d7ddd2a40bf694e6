package org.espalier.cluster;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.espalier.failure.Printable;
import org.espalier.model.ModelIdentity;
import org.espalier.placement.Placement;
import org.espalier.placement.PlacementMessage;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.EngineState;

/** Converts between messages of the wire and the values of the API. */
final class Wire {

    /** Of anything; a node limits its deployments to fewer. */
    private static final int MOST_LISTED = 1000;

    /** No engine takes a second to hand over some rows. */
    private static final long LONGEST_CROSSING_NANOS = 1_000_000_000;

    private Wire() {}

    /** @throws ClusterException if it lists more than any node has, or what nobody could read */
    static NodeInfo node(String address, Optional<Instant> certificateExpires, DescribeReply reply) {
        if (reply.getNode().isEmpty() || !Printable.line(reply.getNode()).equals(reply.getNode())) {
            throw new ClusterException("the node at " + address + " calls itself '" + Printable.line(reply.getNode())
                    + "', expected a name of 1 to 200 printable characters: restart it with another `--name`");
        }
        requireFew(reply.getEnginesCount(), "engines", address);
        requireFew(reply.getDeploymentsCount(), "deployments", address);
        requireFew(reply.getModelsCount(), "models", address);
        return new NodeInfo(
                reply.getNode(),
                address,
                "",
                Printable.line(reply.getVersion()),
                bytes(reply.getTotalMemoryBytes()),
                bytes(reply.getFreeMemoryBytes()),
                reply.getEnginesList().stream().map(Wire::engine).toList(),
                Printable.line(reply.getDevice()),
                Math.max(0, reply.getProcessors()),
                reply.getDeploymentsList().stream().map(Wire::shard).toList(),
                certificateExpires,
                Printable.line(reply.getMachine()),
                details(reply));
    }

    private static NodeDetails details(DescribeReply reply) {
        return new NodeDetails(
                bytes(reply.getModelMemoryBytes()),
                Printable.line(reply.getModelMemorySource()),
                bytes(reply.getReadBytesPerSecond()),
                reply.getModelsList().stream()
                        .map(model ->
                                new NodeDetails.DiskModel(Printable.line(model.getName()), bytes(model.getBytes())))
                        .toList(),
                Math.max(0, reply.getFurtherModels()));
    }

    /** No machine has more than a pebibyte, and sums of what nodes say must not overflow. */
    private static long bytes(long said) {
        return Math.max(0, Math.min(said, 1L << 50));
    }

    private static void requireFew(int count, String what, String address) {
        if (count > MOST_LISTED) {
            throw new ClusterException("the node at " + address + " lists " + count + " " + what + ", expected at most "
                    + MOST_LISTED + ": is it a node of Espalier?");
        }
    }

    private static ShardInfo shard(DeploymentState state) {
        return new ShardInfo(
                Printable.line(state.getDeployment()),
                state.getEpoch(),
                identity(state.getModel()),
                placement(state.getPlacement()),
                Printable.line(state.getOwner()),
                state.getClientsList().stream()
                        .limit(MOST_LISTED)
                        .map(Printable::line)
                        .toList(),
                bytes(state.getResidentBytes()),
                Math.max(0, state.getSessions()),
                state.getServing(),
                Printable.line(state.getEngine()),
                Printable.line(state.getPrecision()));
    }

    private static Placement placement(org.espalier.v1.Placement message) {
        var shown = message.toBuilder().setStrategy(Printable.line(message.getStrategy()));
        shown.getShardsBuilderList().forEach(shard -> shard.setNode(Printable.line(shard.getNode())));
        return PlacementMessage.of(shown.build());
    }

    private static ModelIdentity identity(org.espalier.v1.ModelIdentity model) {
        return new ModelIdentity(
                Printable.line(model.getName()),
                Printable.line(model.getRevision()),
                Printable.line(model.getHash()),
                model.getPath());
    }

    static org.espalier.v1.ModelIdentity identity(ModelIdentity model) {
        return org.espalier.v1.ModelIdentity.newBuilder()
                .setName(model.name())
                .setRevision(model.revision())
                .setHash(model.hash())
                .setPath(model.path())
                .build();
    }

    static List<org.espalier.v1.LayerEdit> edits(GenerateOptions options) {
        return options.edits().stream()
                .map(edit -> org.espalier.v1.LayerEdit.newBuilder()
                        .setLayer(edit.layer())
                        .addAllBan(edit.ban())
                        .addAllForce(edit.force())
                        .setTopK(edit.topK())
                        .setScale(edit.scale())
                        .build())
                .toList();
    }

    private static EngineInfo engine(EngineState state) {
        EngineInfo.Availability availability = switch (state.getAvailability()) {
            case READY -> EngineInfo.Availability.READY;
            case OBTAINABLE -> EngineInfo.Availability.OBTAINABLE;
            default -> EngineInfo.Availability.MISSING;
        };
        return new EngineInfo(
                Printable.line(state.getName()),
                availability,
                Printable.line(state.getDetail()),
                bytes(state.getObtainableBytes()),
                state.getPrecisionsList().stream().map(Printable::line).toList(),
                new EngineInfo.Crossing(
                        Math.max(0, Math.min(state.getCrossingNanos(), LONGEST_CROSSING_NANOS)),
                        Printable.line(state.getCrossingSource())));
    }
}
