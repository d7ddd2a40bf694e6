package org.espalier.cluster;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.espalier.model.ModelIdentity;
import org.espalier.placement.PlacementMessage;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.EngineState;

/** Converts between messages of the wire and the values of the API. */
final class Wire {

    private Wire() {}

    static NodeInfo node(String address, Optional<Instant> certificateExpires, DescribeReply reply) {
        return new NodeInfo(
                reply.getNode(),
                address,
                true,
                reply.getVersion(),
                reply.getTotalMemoryBytes(),
                reply.getFreeMemoryBytes(),
                reply.getEnginesList().stream().map(Wire::engine).toList(),
                reply.getDevice(),
                reply.getProcessors(),
                reply.getDeploymentsList().stream().map(Wire::shard).toList(),
                certificateExpires,
                reply.getMachine());
    }

    private static ShardInfo shard(DeploymentState state) {
        return new ShardInfo(
                state.getDeployment(),
                state.getEpoch(),
                identity(state.getModel()),
                PlacementMessage.of(state.getPlacement()),
                state.getOwner(),
                state.getClientsList(),
                state.getResidentBytes(),
                state.getSessions(),
                state.getServing(),
                state.getEngine(),
                state.getPrecision());
    }

    private static ModelIdentity identity(org.espalier.v1.ModelIdentity model) {
        return new ModelIdentity(model.getName(), model.getRevision(), model.getHash(), model.getPath());
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
                state.getName(),
                availability,
                state.getDetail(),
                state.getObtainableBytes(),
                state.getPrecisionsList());
    }
}
