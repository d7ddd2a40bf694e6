package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.espalier.placement.Placement;
import org.espalier.placement.Placement.Shard;
import org.espalier.plan.ShardSize;
import org.espalier.program.Experts;
import org.espalier.slice.Share;
import org.espalier.slice.Shares;
import org.junit.jupiter.api.Test;

class GridTest {

    private final Grid grid =
            new Grid(List.of("node", "free"), List.of(List.of("a<b>", "8.0 GB"), List.of("mini-10", "64.0 GB")));

    @Test
    void textIsAligned() {
        assertThat(grid.text()).isEqualTo("node        free\na<b>      8.0 GB\nmini-10  64.0 GB");
    }

    @Test
    void htmlEscapesAndAlignsNumbers() {
        assertThat(grid.html())
                .contains("<td style=\"text-align:left\">a&lt;b&gt;</td>")
                .contains("<td style=\"text-align:right\">64.0 GB</td>");
    }

    @Test
    void whatIsInACellMovesNoCursor() {
        Grid hostile = new Grid(List.of("node", "chip"), List.of(List.of("a\u001b[2J", "M2\u009b31m\nerror\u202e")));
        assertThat(hostile.text()).isEqualTo("node   chip\na?[2J  M2?31m?error?");
        assertThat(hostile.html()).contains("a?[2J", "M2?31m?error?");
    }

    @Test
    void everyFormOfANumberIsSetFlushRight() {
        for (String number : List.of("1.000e-09", "-3", "+1.30", "12,345", "NaN", "-Infinity", "5.5%", "")) {
            assertThat(new Grid(List.of("n"), List.of(List.of("1"), List.of(number))).html())
                    .as(number)
                    .contains("<td style=\"text-align:right\">" + number + "</td>");
        }
        assertThat(new Grid(List.of("n"), List.of(List.of("1"), List.of("e-9"))).html())
                .contains("<td style=\"text-align:left\">1</td>");
    }

    @Test
    void refusesARowOfAnotherLength() {
        assertThatThrownBy(() -> new Grid(List.of("a"), List.of(List.of("1", "2"))))
                .hasMessage("a row has 2 cells, the table 1 columns");
    }

    @Test
    void bytesAreDecimal() {
        assertThat(List.of(999L, 1000L, 98_362_432L, 377_000_000_000L).stream().map(Bytes::text))
                .containsExactly("999 B", "1.0 kB", "98.4 MB", "377.0 GB");
    }

    @Test
    void aPlacementShowsLayersAndBytesOfEachNode() {
        Placement placement = new Placement("pipeline", 4, List.of(new Shard("n1", 0, 1), new Shard("n2", 1, 4)));
        PlacementPicture picture = new PlacementPicture(placement, List.of(size(1500), size(5000)));
        assertThat(picture.text())
                .isEqualTo("pipeline, 4 layers\n"
                        + "node  layers  count  weights  also holds\n"
                        + "n1    0 to 0      1   1.5 kB  embedding\n"
                        + "n2    1 to 3      3   5.0 kB  output and sampler");
        assertThat(picture.html())
                .contains(
                        "title=\"layers 0 to 0\" style=\"margin-left:0px;width:120px;height:14px;background-color:#2f78b7\"")
                .contains(
                        "title=\"layers 1 to 3\" style=\"margin-left:120px;width:360px;height:14px;background-color:#c96f1f\"");
    }

    @Test
    void sharesOfTheSameLayersAreToldApart() {
        List<Experts.Held> held = List.of(Experts.Held.only(3));
        Placement placement = new Placement(
                "tensor",
                4,
                List.of(
                        new Shard("n1", 0, 4, Shares.of(new Share(0, 8, 11))),
                        new Shard("n2", 0, 4, Shares.of(new Share(8, 11, 11)).holding(held))));
        assertThat(new PlacementPicture(placement, List.of(size(1500), size(5000))).text())
                .isEqualTo("tensor, 4 layers\n"
                        + "node  layers  of each                        weights  also holds\n"
                        + "n1    0 to 3  parts 0 to 7 of 11              1.5 kB  embedding, output and sampler\n"
                        + "n2    0 to 3  parts 8 to 10 of 11, 1 expert   5.0 kB  embedding, output");
    }

    private static ShardSize size(long bytes) {
        return new ShardSize(bytes, 9_000_000);
    }
}
