package org.espalier.cluster;

import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import org.espalier.model.ModelIdentity;
import org.espalier.placement.PlacementMessage;
import org.espalier.v1.DeploymentState;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.EngineState;

/** Converts between messages of the wire and the values of the API. */
final class Wire {

    /** Of anything; a node limits its deployments to fewer. */
    private static final int MOST_LISTED = 1000;

    private static final int MOST_LETTERS = 200;

    /** Control characters, and those that turn the direction of a line around. */
    private static final Pattern UNPRINTABLE = Pattern.compile("[\\p{Cntrl}\\p{Cf}\\p{Zl}\\p{Zp}]");

    private Wire() {}

    /** @throws ClusterException if it lists more than any node has, or what nobody could read */
    static NodeInfo node(String address, Optional<Instant> certificateExpires, DescribeReply reply) {
        if (reply.getNode().isEmpty() || !line(reply.getNode()).equals(reply.getNode())) {
            throw new ClusterException("the node at " + address + " calls itself '" + line(reply.getNode())
                    + "', expected a name of 1 to " + MOST_LETTERS + " printable characters: restart it with another"
                    + " `--name`");
        }
        requireFew(reply.getEnginesCount(), "engines", address);
        requireFew(reply.getDeploymentsCount(), "deployments", address);
        requireFew(reply.getModelsCount(), "models", address);
        return new NodeInfo(
                reply.getNode(),
                address,
                "",
                line(reply.getVersion()),
                Math.max(0, reply.getTotalMemoryBytes()),
                Math.max(0, reply.getFreeMemoryBytes()),
                reply.getEnginesList().stream().map(Wire::engine).toList(),
                line(reply.getDevice()),
                Math.max(0, reply.getProcessors()),
                reply.getDeploymentsList().stream().map(Wire::shard).toList(),
                certificateExpires,
                line(reply.getMachine()),
                details(reply));
    }

    private static NodeDetails details(DescribeReply reply) {
        return new NodeDetails(
                Math.max(0, reply.getModelMemoryBytes()),
                line(reply.getModelMemorySource()),
                Math.max(0, reply.getReadBytesPerSecond()),
                reply.getModelsList().stream()
                        .map(model -> new NodeDetails.DiskModel(line(model.getName()), Math.max(0, model.getBytes())))
                        .toList(),
                Math.max(0, reply.getFurtherModels()));
    }

    private static void requireFew(int count, String what, String address) {
        if (count > MOST_LISTED) {
            throw new ClusterException("the node at " + address + " lists " + count + " " + what + ", expected at most "
                    + MOST_LISTED + ": is it a node of Espalier?");
        }
    }

    /** What a node says of itself is shown to people: one line, and not without end. */
    static String line(String text) {
        String line = UNPRINTABLE.matcher(text).replaceAll("?");
        return line.length() > MOST_LETTERS ? line.substring(0, MOST_LETTERS) : line;
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
                line(state.getName()),
                availability,
                line(state.getDetail()),
                state.getObtainableBytes(),
                state.getPrecisionsList());
    }
}
