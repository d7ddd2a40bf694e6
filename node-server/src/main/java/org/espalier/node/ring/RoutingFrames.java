package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.espalier.v1.Routing;

/** Converts routing decisions between the engine's arrays and the wire. Always [layer][row][width]. */
final class RoutingFrames {

    /** Of a step: its rows, and more layers and experts of a row than any model has: 128 x 64. Each takes 6 bytes. */
    static final int MOST_DECISIONS = StepRows.MOST * 128 * 64;

    private RoutingFrames() {}

    static Routing encode(org.espalier.engine.Routing routing) {
        ByteBuffer experts =
                ByteBuffer.allocate(routing.experts().length * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        experts.asShortBuffer().put(routing.experts());
        ByteBuffer weights =
                ByteBuffer.allocate(routing.weights().length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        weights.asFloatBuffer().put(routing.weights());
        return Routing.newBuilder()
                .setRows(routing.rows())
                .setWidth(routing.width())
                .addAllLayers(Arrays.stream(routing.layers()).boxed().toList())
                .setExperts(ByteString.copyFrom(experts))
                .setWeights(ByteString.copyFrom(weights))
                .build();
    }

    /**
     * The decisions of all shards for some rows of a step, merged: where a shard is narrower, unused places hold expert -1.
     *
     * @param routes of each shard, over all rows of the step
     * @param first row of the step
     * @param rows of one session
     * @param position of the first row in that session
     */
    static Routing slice(List<Routing> routes, int first, int rows, int position) {
        routes.forEach(route -> check(route, first + rows));
        int width = routes.stream().mapToInt(Routing::getWidth).max().orElse(0);
        long layersOfAll = routes.stream().mapToLong(Routing::getLayersCount).sum();
        if (layersOfAll * rows * width > MOST_DECISIONS) {
            throw new IllegalArgumentException("the routing of " + rows + " rows has " + layersOfAll + " layers x "
                    + width + " experts, expected at most " + MOST_DECISIONS + " in all");
        }
        int layers = (int) layersOfAll;
        ByteBuffer experts =
                ByteBuffer.allocate(layers * rows * width * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        ByteBuffer weights =
                ByteBuffer.allocate(layers * rows * width * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        Routing.Builder merged =
                Routing.newBuilder().setPosition(position).setRows(rows).setWidth(width);
        for (Routing route : routes) {
            merged.addAllLayers(route.getLayersList());
            ByteBuffer fromExperts = buffer(route.getExperts());
            ByteBuffer fromWeights = buffer(route.getWeights());
            for (int layer = 0; layer < route.getLayersCount(); layer++) {
                for (int row = first; row < first + rows; row++) {
                    for (int place = 0; place < width; place++) {
                        int from = (layer * route.getRows() + row) * route.getWidth() + place;
                        boolean chosen = place < route.getWidth();
                        experts.putShort(chosen ? fromExperts.getShort(from * Short.BYTES) : -1);
                        weights.putFloat(chosen ? fromWeights.getFloat(from * Float.BYTES) : 0);
                    }
                }
            }
        }
        return merged.setExperts(ByteString.copyFrom(experts.flip()))
                .setWeights(ByteString.copyFrom(weights.flip()))
                .build();
    }

    /** The decisions without those for {@code rows} rows from {@code first} on, whose session has failed. */
    static Routing without(Routing route, int first, int rows) {
        check(route, first + rows);
        return route.toBuilder()
                .setRows(route.getRows() - rows)
                .setExperts(without(route, route.getExperts(), Short.BYTES, first, rows))
                .setWeights(without(route, route.getWeights(), Float.BYTES, first, rows))
                .build();
    }

    private static ByteString without(Routing route, ByteString values, int bytes, int first, int rows) {
        int row = route.getWidth() * bytes;
        int layer = route.getRows() * row;
        ByteString kept = ByteString.EMPTY;
        for (int i = 0; i < route.getLayersCount(); i++) {
            kept = kept.concat(values.substring(i * layer, i * layer + first * row))
                    .concat(values.substring(i * layer + (first + rows) * row, (i + 1) * layer));
        }
        return kept;
    }

    /** From 0 on: the buffer of a part of other bytes begins where that part does. */
    static ByteBuffer buffer(ByteString bytes) {
        return bytes.asReadOnlyByteBuffer().slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    private static void check(Routing route, int rows) {
        long decisions = (long) route.getLayersCount() * route.getRows() * route.getWidth();
        boolean absurd =
                route.getWidth() > 0 && route.getLayersCount() == 0 || decisions > Integer.MAX_VALUE / Float.BYTES;
        if (absurd
                || route.getRows() < rows
                || route.getWidth() < 0
                || route.getExperts().size() != decisions * Short.BYTES
                || route.getWeights().size() != decisions * Float.BYTES) {
            throw new IllegalArgumentException(
                    "the routing of " + route.getLayersCount() + " layers x " + route.getRows()
                            + " rows x " + route.getWidth() + " has "
                            + route.getExperts().size() + " bytes of experts and "
                            + route.getWeights().size() + " of weights, for a step of at least " + rows + " rows");
        }
    }
}
