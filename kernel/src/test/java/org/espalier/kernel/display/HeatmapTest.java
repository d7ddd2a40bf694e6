package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.dflib.jjava.jupyter.kernel.display.DisplayData;
import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;
import org.espalier.EspalierException;
import org.junit.jupiter.api.Test;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.StringColumn;
import tech.tablesaw.api.Table;

class HeatmapTest {

    @Test
    void wordsAreDrawnInTheOrderOfTheRowsNumbersAscendAndPairsWithoutARowStayEmpty() throws Exception {
        Heatmap heatmap = Heatmap.of(table(), "language", "expert", "share").inPercent();
        assertThat(heatmap.rows().labels()).containsExactly("german", "english");
        assertThat(heatmap.columns().labels()).containsExactly("3", "12");
        assertThat(heatmap.values()[0]).containsExactly(0.25, 0.75);
        assertThat(heatmap.values()[1]).containsExactly(0.5, Double.NaN);
        JsonNode spec = new ObjectMapper().readTree(heatmap.vegaLite());
        assertThat(spec.at("/encoding/x/sort").toString()).isEqualTo("[\"3\",\"12\"]");
        assertThat(spec.at("/encoding/y/sort").toString()).isEqualTo("[\"german\",\"english\"]");
        JsonNode cells = spec.at("/data/values");
        assertThat(cells).hasSize(3);
        assertThat(cells.get(2).toString()).isEqualTo("{\"row\":\"english\",\"column\":\"3\",\"value\":0.5}");
        assertThat(heatmap.svg())
                .contains("language german, expert 12: 75.0%")
                .contains(">shares<")
                .doesNotContain("NaN");
        assertThat(heatmap.text()).contains("language german  12: 75.0%  3: 25.0%\n", "language english  3: 50.0%\n");
    }

    /** JupyterLab's dark theme makes text white unless the chart says its colour. */
    @Test
    void backgroundAndTextAreSaidTogether() throws Exception {
        JsonNode spec = new ObjectMapper()
                .readTree(Heatmap.of(table(), "language", "expert", "share").vegaLite());
        assertThat(spec.get("background").asText()).isEqualTo("white");
        for (String text : List.of(
                "title/color", "axis/labelColor", "axis/titleColor", "legend/labelColor", "legend/titleColor")) {
            assertThat(spec.at("/config/" + text).asText()).as(text).isEqualTo("#222222");
        }
    }

    @Test
    void theBundleHasAFormForEveryViewer() {
        DisplayData data = Heatmap.of(table(), "language", "expert", "share").display();
        for (String mime : List.of("image/svg+xml", "image/png", "application/pdf", Chart.VEGA_LITE, "text/plain")) {
            assertThat(data.hasDataForType(MIMEType.parse(mime))).as(mime).isTrue();
        }
        assertThat((String) data.getData(MIMEType.IMAGE_PNG)).startsWith("iVBORw0KGgo");
    }

    @Test
    void aLongTitleHasRoom() {
        Heatmap heatmap = Heatmap.of(table(), "language", "expert", "share");
        assertThat(heatmap.withTitle("t".repeat(100)).drawing().width()).isGreaterThan(800);
    }

    @Test
    void wordsAsColumnsHaveRoom() {
        Heatmap heatmap = Heatmap.of(table(), "expert", "language", "share");
        assertThat(heatmap.svg()).contains(">german<", ">english<");
    }

    @Test
    void whatCannotBeDrawnIsSaid() {
        Table twice = table().append(table());
        assertThatThrownBy(() -> Heatmap.of(twice, "language", "expert", "share"))
                .isInstanceOf(EspalierException.class)
                .hasMessage(
                        "two rows have language german and expert 12: summarize the table by these two columns first");
        assertThatThrownBy(() -> Heatmap.of(table(), "language", "expert", "count"))
                .hasMessage("the table has no column 'count': it has language, expert, share");
        assertThatThrownBy(() -> Heatmap.of(table(), "expert", "share", "language"))
                .hasMessageContaining("column 'language' is not numeric");
    }

    private static Table table() {
        return Table.create(
                "shares",
                StringColumn.create("language", "german", "german", "english"),
                IntColumn.create("expert", 12, 3, 3),
                DoubleColumn.create("share", 0.75, 0.25, 0.5));
    }
}
