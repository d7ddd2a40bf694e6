package org.espalier.cluster;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import org.espalier.config.RoutedExperts;
import org.espalier.routing.RoutingTrace;
import org.espalier.v1.LayerEdit;
import org.espalier.v1.Routing;

/** Assembles the routing replies of a generation into a trace. */
final class TraceBuilder {

    private final RoutingTrace trace;

    /** @param edits of the generation: a layer may be asked for more experts than the model's K */
    TraceBuilder(RoutedExperts moe, List<LayerEdit> edits) {
        int width = edits.stream().mapToInt(LayerEdit::getTopK).reduce(moe.perToken(), Math::max);
        this.trace = new RoutingTrace(moe.layers(), moe.count(), width);
    }

    RoutingTrace trace() {
        return trace;
    }

    /**
     * A reply may be wider than the trace where other sessions of the same step choose more; those places stay empty here.
     *
     * @throws ClusterException if the reply is not the next positions of all MoE layers
     */
    void add(Routing routing) {
        int layers = trace.layers().size();
        int width = routing.getWidth();
        long decisions = (long) layers * routing.getRows() * width;
        if (!routing.getLayersList().equals(trace.layers())
                || routing.getPosition() != trace.positions()
                || routing.getExperts().size() != decisions * Short.BYTES
                || routing.getWeights().size() != decisions * Float.BYTES) {
            throw unexpected(routing);
        }
        ByteBuffer experts = routing.getExperts().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer weights = routing.getWeights().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        for (int row = 0; row < routing.getRows(); row++) {
            short[] ids = new short[layers * trace.width()];
            float[] factors = new float[ids.length];
            for (int layer = 0; layer < layers; layer++) {
                for (int place = trace.width(); place < width; place++) {
                    if (experts.getShort(((layer * routing.getRows() + row) * width + place) * Short.BYTES) >= 0) {
                        throw unexpected(routing);
                    }
                }
                for (int place = 0; place < trace.width(); place++) {
                    int from = (layer * routing.getRows() + row) * width + place;
                    int to = layer * trace.width() + place;
                    ids[to] = place < width ? experts.getShort(from * Short.BYTES) : -1;
                    factors[to] = place < width ? weights.getFloat(from * Float.BYTES) : 0;
                }
            }
            trace.append(ids, factors);
        }
    }

    private ClusterException unexpected(Routing routing) {
        return new ClusterException("the nodes sent routing of layers " + routing.getLayersList() + " from position "
                + routing.getPosition() + " with " + routing.getWidth() + " experts a token: expected layers "
                + trace.layers() + " from position " + trace.positions() + " with " + trace.width());
    }
}
