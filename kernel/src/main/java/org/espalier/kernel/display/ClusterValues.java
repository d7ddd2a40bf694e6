package org.espalier.kernel.display;

import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.Generation;
import org.espalier.cluster.NodeInfo;
import org.espalier.routing.ExpertLoad;
import org.espalier.routing.RoutingTrace;

/** Values of the cluster's API as displays. */
final class ClusterValues {

    private ClusterValues() {}

    /** Empty for everything that is not of that API. */
    static Optional<DisplayData> of(Object value) {
        if (value instanceof Cluster cluster) {
            return Optional.of(cluster(cluster));
        }
        if (value instanceof NodeInfo node) {
            return Optional.of(ClusterTable.of(List.of(node)).display());
        }
        if (value instanceof List<?> list && !list.isEmpty() && list.stream().allMatch(NodeInfo.class::isInstance)) {
            return Optional.of(
                    ClusterTable.of(list.stream().map(NodeInfo.class::cast).toList())
                            .display());
        }
        if (value instanceof Generation generation) {
            return Optional.of(generation(generation));
        }
        if (value instanceof ExpertLoad load) {
            return Optional.of(new ExpertHeatmap(load).display());
        }
        if (value instanceof RoutingTrace trace) {
            return Optional.of(new ExpertHeatmap(trace.load()).display());
        }
        return Optional.empty();
    }

    /** Asks the nodes, as {@code %cluster} does. */
    private static DisplayData cluster(Cluster cluster) {
        Grid nodes = ClusterTable.of(cluster.nodesInFull());
        String model = cluster.deployment()
                .map(Deployment::id)
                .map(id -> "in use: " + id)
                .orElse("no model in use");
        DisplayData data = new DisplayData(nodes.text() + "\n" + model);
        data.putHTML(nodes.html() + "<small>" + Escape.html(model) + "</small>");
        return data;
    }

    private static DisplayData generation(Generation generation) {
        String answer = text(generation);
        String line = String.format(
                Locale.ROOT,
                "%d tokens after %d of the prompt, %.1f tokens/s, ended by %s",
                generation.tokens().size(),
                generation.promptTokens().size(),
                generation.timing().decodeTokensPerSecond(),
                generation.finish());
        DisplayData data = new DisplayData(answer + "\n(" + line + ")");
        data.putHTML("<div style=\"white-space:pre-wrap\">" + Escape.html(answer) + "</div>" + Bundles.noteHtml(line));
        return data;
    }

    private static String text(Generation generation) {
        return generation.text().isEmpty() ? "tokens " + generation.tokens() : generation.text();
    }
}
