package org.espalier.node.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import org.espalier.cluster.Deployment;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.Generation;
import org.espalier.routing.RoutingTrace;

/** What {@code run --json} prints: a fixed contract, since others check results with it. What was not asked for is not in it. */
final class RunReport {

    private static final ObjectMapper JSON = new ObjectMapper();

    private RunReport() {}

    /** @param hasText whether the model has a tokenizer */
    static String json(Deployment deployment, Generation generation, GenerateOptions options, boolean hasText) {
        ObjectNode report = JSON.createObjectNode();
        generation.promptTokens().forEach(report.putArray("promptTokens")::add);
        generation.tokens().forEach(report.putArray("tokens")::add);
        report.put("text", hasText ? generation.text() : null);
        report.put("finish", generation.finish().name().toLowerCase(Locale.ROOT));
        generation.promptLogits().ifPresent(logits -> {
            ArrayNode values = report.putArray("logits");
            for (float logit : logits) {
                values.add(logit);
            }
        });
        if (options.routing()) {
            ArrayNode layers = report.putArray("routing"); // empty for a dense model
            generation.trace().ifPresent(trace -> addLayers(trace, layers));
        }
        ObjectNode timing = report.putObject("timing");
        timing.put("loadSeconds", deployment.loadSeconds());
        timing.put("firstTokenSeconds", generation.timing().firstTokenSeconds());
        timing.put("prefillTokensPerSecond", generation.timing().prefillTokensPerSecond());
        timing.put("decodeTokensPerSecond", generation.timing().decodeTokensPerSecond());
        report.put("engine", deployment.engine());
        report.put("precision", deployment.precision());
        report.put("nodes", deployment.placement().shards().size());
        return report.toString();
    }

    private static void addLayers(RoutingTrace trace, ArrayNode layers) {
        for (int layer : trace.layers()) {
            ObjectNode one = layers.addObject();
            one.put("layer", layer);
            ArrayNode experts = one.putArray("experts");
            ArrayNode weights = one.putArray("weights");
            for (int position = 0; position < trace.positions(); position++) {
                ArrayNode ids = experts.addArray();
                ArrayNode factors = weights.addArray();
                for (int place = 0; place < trace.width(); place++) {
                    if (trace.expert(position, layer, place) >= 0) {
                        ids.add(trace.expert(position, layer, place));
                        factors.add(trace.weight(position, layer, place));
                    }
                }
            }
        }
    }
}
