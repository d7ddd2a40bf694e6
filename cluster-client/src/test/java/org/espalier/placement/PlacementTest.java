package org.espalier.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.placement.Placement.Shard;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PlacementTest {

    private static final List<String> NODES = List.of("a", "b", "c");

    @Test
    void acceptsAnExactCover() {
        Placement placement = placed(new Shard("a", 0, 3), new Shard("b", 3, 4), new Shard("c", 4, 6));
        assertThat(placement.check(6, NODES)).isSameAs(placement);
    }

    @Test
    void namesEverythingWrongAtOnce() {
        Placement placement = placed(new Shard("a", 0, 2), new Shard("x", 3, 5), new Shard("a", 4, 5));
        assertThatThrownBy(() -> placement.check(6, NODES))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining("layer 2 is on no node")
                .hasMessageContaining("node x is not in the cluster (a, b, c)")
                .hasMessageContaining("node a is listed twice")
                .hasMessageContaining("layer 4 is on more than one node")
                .hasMessageContaining("layer 5 is on no node");
    }

    @Test
    void refusesEmptyShardsForeignModelsAndSurplusLayers() {
        assertThatThrownBy(
                        () -> placed(new Shard("a", 0, 6), new Shard("b", 6, 6)).check(6, NODES))
                .hasMessageContaining("node b has no layer");
        assertThatThrownBy(() -> placed(new Shard("a", 0, 6)).check(8, NODES))
                .hasMessageContaining("it is for 6 layers, but the model has 8")
                .hasMessageContaining("layers 6 to 7 are on no node");
        assertThatThrownBy(() -> placed(new Shard("a", 0, 7)).check(6, NODES))
                .hasMessageContaining("layer 6 is not in the model");
        assertThatThrownBy(() -> placed(new Shard("a", -3, 6)).check(6, NODES))
                .hasMessageContaining("on more than one node");
    }

    @Test
    void onlyACutThatCoversEachLayerOnceIsAccepted() {
        for (int cut = -1; cut <= 7; cut++) {
            for (int start = -1; start <= 7; start++) {
                Placement placement = placed(new Shard("a", 0, cut), new Shard("b", start, 6));
                if (cut == start && cut > 0 && cut < 6) {
                    placement.check(6, NODES);
                } else {
                    assertThatThrownBy(() -> placement.check(6, NODES))
                            .as("layers 0 to %d and %d to 6", cut, start)
                            .isInstanceOf(PlacementException.class);
                }
            }
        }
    }

    @Test
    void survivesItsFile(@TempDir Path folder) {
        Placement placement = placed(new Shard("a", 0, 2), new Shard("b", 2, 6));
        PlacementFile.write(placement, folder.resolve("p.json"));
        assertThat(PlacementFile.read(folder.resolve("p.json"))).isEqualTo(placement);
    }

    @Test
    void refusesAFileThatIsNoPlacement(@TempDir Path folder) throws Exception {
        Path file = folder.resolve("p.json");
        assertThatThrownBy(() -> PlacementFile.read(file)).hasMessageStartingWith("there is no placement file " + file);
        for (String text : List.of(
                "",
                "{",
                "[]",
                "null",
                "{\"strategy\":\"pipeline\",\"layers\":1,\"shards\":[null]}",
                "{\"strategy\":\"pipeline\",\"layers\":1.5,\"shards\":[]}",
                "{\"strategy\":\"pipeline\",\"layers\":\"1\",\"shards\":[]}",
                "{\"strategy\":\"pipeline\",\"layers\":1,\"layers\":2,\"shards\":[]}",
                "{\"strategy\":5,\"layers\":1,\"shards\":[]}",
                "{\"strategy\":\"pipeline\",\"layers\":1,\"shards\":[{\"node\":\"a\",\"firstLayer\":0.9,\"endLayer\":1}]}",
                "{\"strategy\":\"pipeline\",\"layers\":1,\"shards\":[{\"node\":null,\"firstLayer\":0,\"endLayer\":1}]}",
                "{\"strategy\":\"pipeline\"}",
                "{\"strategy\":\"pipeline\",\"layers\":1,\"shards\":null}",
                "{\"strategy\":\"pipeline\",\"layers\":1,\"shards\":[],\"typo\":1}")) {
            Files.writeString(file, text);
            assertThatThrownBy(() -> PlacementFile.read(file))
                    .as(text)
                    .isInstanceOf(PlacementException.class)
                    .hasMessageStartingWith(file + " is not a placement")
                    .hasMessageNotContaining("java.lang");
        }
        assertThatThrownBy(
                        () -> PlacementFile.read(
                                Files.writeString(
                                        file,
                                        "{\"strategy\":\"pipeline\",\"layers\":1,\"shards\":[{\"node\":\"a\",\"firstLayer\":0.9,\"endLayer\":1}]}")))
                .hasMessageContaining("shards[0].firstLayer is missing or not of the right type");
    }

    @Test
    void aFileThatCannotBeWrittenIsOneSentence(@TempDir Path folder) {
        Path file = folder.resolve("none").resolve("p.json");
        assertThatThrownBy(() -> PlacementFile.write(placed(new Shard("a", 0, 6)), file))
                .isInstanceOf(PlacementException.class)
                .hasMessage("cannot write the placement to " + file + ": no such file or folder");
    }

    @Test
    void printsATable() {
        assertThat(placed(new Shard("a", 0, 2), new Shard("b", 2, 6))
                        .toString()
                        .lines()
                        .map(String::strip))
                .containsExactly(
                        "pipeline, 6 layers over 2 nodes", "a  layers 0 to 1 + embedding", "b  layers 2 to 5 + output");
    }

    private static Placement placed(Shard... shards) {
        return new Placement("pipeline", 6, List.of(shards));
    }
}
