package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.espalier.routing.RoutingTrace;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;

class ExpertHeatmapTest {

    private static final int EXPERTS = 4;

    @Test
    void vegaLiteHoldsEveryCell() throws Exception {
        JsonNode spec = new ObjectMapper().readTree(heatmap().heatmap().vegaLite());
        assertThat(spec.get("$schema").asText()).endsWith("vega-lite/v5.json");
        JsonNode values = spec.at("/data/values");
        assertThat(values).hasSize(2 * EXPERTS);
        assertThat(values.get(0).toString()).isEqualTo("{\"row\":\"1\",\"column\":\"0\",\"value\":0.5}");
        assertThat(values.get(7).toString()).isEqualTo("{\"row\":\"2\",\"column\":\"3\",\"value\":0.0}");
    }

    @Test
    void svgIsWellFormedAndEscapesTheTitle() throws Exception {
        String svg = heatmap().heatmap().svg();
        Document document = DocumentBuilderFactory.newInstance()
                .newDocumentBuilder()
                .parse(new ByteArrayInputStream(svg.getBytes(StandardCharsets.UTF_8)));
        assertThat(document.getElementsByTagName("title").getLength()).isEqualTo(5); // cells that were chosen
        assertThat(document.getElementsByTagName("title").item(0).getTextContent())
                .isEqualTo("layer 1, expert 0: 50.0%");
        assertThat(svg).contains("a &lt;tiny&gt; model &amp; its experts");
    }

    @Test
    void textNamesTheBusiest() {
        assertThat(heatmap().text()).contains("layer   1   0: 50%  1: 25%  2: 25%  (1 never chosen)");
    }

    @Test
    void aModelAsLargeAsDeepSeekStaysOnAPage() {
        List<Integer> layers = IntStream.range(3, 61).boxed().toList();
        RoutingTrace trace = new RoutingTrace(layers, 256, 8);
        Random random = new Random(1);
        short[] ids = new short[layers.size() * 8];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = (short) random.nextInt(256);
        }
        trace.append(ids, new float[ids.length]);
        String svg = new ExpertHeatmap(trace.load(), "large").heatmap().svg();
        assertThat(svg).contains("viewBox=\"0 0 928 668\"").hasSizeLessThan(200_000);
    }

    @Test
    void anEmptyTraceDrawsAnEmptyMap() {
        Heatmap empty = new ExpertHeatmap(new RoutingTrace(List.of(1), EXPERTS, 2).load(), "nothing ran").heatmap();
        assertThat(empty.svg()).startsWith("<svg").doesNotContain("NaN");
        assertThat(empty.vegaLite()).doesNotContain("NaN");
    }

    private static ExpertHeatmap heatmap() {
        RoutingTrace trace = new RoutingTrace(List.of(1, 2), EXPERTS, 2);
        trace.append(new short[] {0, 1, 1, 2}, new float[] {0.5f, 0.5f, 0.5f, 0.5f});
        trace.append(new short[] {0, 2, 1, 2}, new float[] {0.5f, 0.5f, 0.5f, 0.5f});
        return new ExpertHeatmap(trace.load(), "a <tiny> model & its experts");
    }
}
