package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;

import org.dflib.jjava.jupyter.kernel.display.mime.MIMEType;
import org.junit.jupiter.api.Test;
import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.Table;

class ValuesTest {

    @Test
    void aTableShowsFourFiguresOfAFractionAndWholeNumbersAsTheyAre() {
        Table table = Table.create(
                "sums",
                IntColumn.create("layer", 1, 2, 3, 4),
                DoubleColumn.create("value", 280, 123456, 0.123456, Double.NaN));
        assertThat(text(table).lines().map(String::strip))
                .containsExactly(
                        "sums: 4 rows x 2 columns", "layer   value", "1     280", "2  123456", "3  0.1235", "4");
    }

    @Test
    void aLongTableIsCutAndSaysSo() {
        Table table = Table.create(
                "many",
                IntColumn.create("n", java.util.stream.IntStream.range(0, 60).toArray()));
        assertThat(text(table))
                .startsWith("many: 60 rows x 1 columns, the first 50 shown\n")
                .contains("49")
                .doesNotContain("50\n");
    }

    @Test
    void arraysWithinArraysAreShown() {
        assertThat(text(new int[][] {{1, 2}, {3}})).isEqualTo("[[1, 2], [3]]");
        assertThat(text(new double[200])).endsWith("... 200 in all]");
    }

    private static String text(Object value) {
        return (String) new Values().render(value).getData(MIMEType.TEXT_PLAIN);
    }
}
