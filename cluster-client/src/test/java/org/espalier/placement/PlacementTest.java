package org.espalier.placement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import org.espalier.placement.Placement.Shard;
import org.espalier.program.Experts.Held;
import org.espalier.slice.JoinedLayers;
import org.espalier.slice.LayerRange;
import org.espalier.slice.Member;
import org.espalier.slice.Share;
import org.espalier.slice.Shares;
import org.espalier.slice.Slice;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    void refusesShardsThatNeedTheLayerBeforeThem() {
        Placement placement = placed(new Shard("a", 0, 2), new Shard("b", 2, 3), new Shard("c", 3, 6));
        assertThat(placement.requireTogether(new JoinedLayers(Set.of(1, 4)))).isSameAs(placement);
        assertThatThrownBy(() -> placement.requireTogether(new JoinedLayers(Set.of(1, 2, 3))))
                .isInstanceOf(PlacementException.class)
                .hasMessageContaining(
                        "layer 2 uses rows that a layer before it chose, so that it cannot be the first of a"
                                + " node: place layer 1 with it; layer 3 uses");
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

    private static final Shares FIRST = Shares.of(new Share(0, 8, 11));
    private static final Shares SECOND = Shares.of(new Share(8, 11, 11));

    /** Two nodes share the first layers, one has the others for itself. */
    private static Placement shared() {
        return placed(new Shard("a", 0, 4, FIRST), new Shard("b", 0, 4, SECOND), new Shard("c", 4, 6));
    }

    @Test
    void nodesMayShareLayers() {
        Placement placement = shared();
        assertThat(placement.check(6, NODES)).isSameAs(placement);
        List<Member> members = placement.members();
        assertThat(members).extracting(Member::rank).containsExactly(0, 1, 0);
        assertThat(members.get(1).slice()).isEqualTo(new Slice(new LayerRange(0, 4, 6), SECOND));
        assertThat(members.get(0).group()).isEqualTo(members.get(1).group());
        assertThat(members.get(2).group().size()).isEqualTo(1);
        assertThat(placement.toString().lines().map(String::strip))
                .containsExactly(
                        "pipeline, 6 layers over 3 nodes",
                        "a  layers 0 to 3, parts 0 to 7 of 11 + embedding",
                        "b  layers 0 to 3, parts 8 to 10 of 11 + embedding",
                        "c  layers 4 to 5 + output");
        assertThatThrownBy(placement::requireNothingShared)
                .hasMessageStartingWith("the placement cuts layers into shares (on a, b), and nodes cannot exchange"
                        + " values within a layer yet");
    }

    @Test
    void sharesCoverTheirLayers() {
        assertThatThrownBy(() -> placed(new Shard("a", 0, 6, FIRST)).check(6, NODES))
                .hasMessageStartingWith(
                        "the placement does not fit: layers 0 to 5: the slices do not cover their layers: of"
                                + " the heads, parts 8 to 10 of 11 has no node; of the width, parts 8 to 10 of 11 has no node;"
                                + " of the vocabulary, parts 8 to 10 of 11 has no node");
        assertThatThrownBy(() -> placed(new Shard("a", 0, 6, SECOND), new Shard("b", 0, 6, FIRST))
                        .check(6, NODES))
                .hasMessageContaining("the first share of the heads is parts 8 to 10 of 11");
        assertThatThrownBy(() -> placed(new Shard("a", 0, 6), new Shard("b", 0, 6, FIRST))
                        .check(6, NODES))
                .hasMessageContaining("layers 0 to 5 are on more than one node");
        Shares one = Shares.ALL.holding(List.of(new Held(0, 0, 2), Held.only(1)));
        assertThatThrownBy(() -> placed(new Shard("a", 0, 6, one), new Shard("b", 0, 6, one))
                        .check(6, NODES))
                .hasMessageContaining("expert 0 is held as [0 of 2, 0 of 2]: expected each replica once")
                .hasMessageContaining("expert 1 is held as [0 of 1, 0 of 1]");
        Shares other = Shares.ALL.holding(List.of(new Held(0, 1, 2)));
        placed(new Shard("a", 0, 6, one), new Shard("b", 0, 6, other)).check(6, NODES);
        Shares twice = Shares.ALL.holding(Collections.nCopies(100_000, Held.only(3)));
        assertThatThrownBy(() -> placed(new Shard("a", 0, 6, twice)).check(6, NODES))
                .hasMessageContaining("a node lists expert 3 after expert 3: expected ascending ids")
                .satisfies(error -> assertThat(error.getMessage()).hasSizeLessThan(300));
    }

    /** However a share is written, it is the same one. */
    @Test
    void sharesAreInLowestTerms() {
        assertThat(new Share(0, 4, 4)).isEqualTo(Share.WHOLE);
        assertThat(new Share(2, 4, 8)).isEqualTo(new Share(1, 2, 4));
        placed(new Shard("a", 0, 6, Shares.of(new Share(0, 6, 8))), new Shard("b", 0, 6, Shares.of(new Share(3, 4, 4))))
                .check(6, NODES);
    }

    @Test
    void aMessageWithMoreExpertsThanModelsHaveIsRefused() {
        org.espalier.v1.HeldExpert held =
                org.espalier.v1.HeldExpert.newBuilder().setReplicas(1).build();
        org.espalier.v1.Placement message = org.espalier.v1.Placement.newBuilder()
                .addShards(org.espalier.v1.Shard.newBuilder()
                        .setNode("a")
                        .setExperts(
                                org.espalier.v1.HeldExperts.newBuilder().addAllHeld(Collections.nCopies(40_000, held))))
                .build();
        assertThatThrownBy(() -> PlacementMessage.of(message))
                .hasMessage("node a lists 40000 experts: models have at most 32767");
    }

    /** Each of the first nodes embeds, each of the last has rows of the output matrix, and the first of these samples. */
    @Test
    void rolesGoByLayers() {
        Placement placement = placed(
                new Shard("a", 0, 4, FIRST),
                new Shard("b", 0, 4, SECOND),
                new Shard("c", 4, 6, FIRST),
                new Shard("d", 4, 6, SECOND));
        assertThat(IntStream.range(0, 4).mapToObj(placement::embeds)).containsExactly(true, true, false, false);
        assertThat(IntStream.range(0, 4).mapToObj(placement::hasOutput)).containsExactly(false, false, true, true);
        assertThat(IntStream.range(0, 4).mapToObj(placement::samples)).containsExactly(false, false, true, false);
    }

    @Test
    void sharesAreKeptInFilesAndMessages(@TempDir Path folder) throws Exception {
        Shares experts = Shares.of(new Share(0, 1, 2)).holding(List.of(new Held(0, 1, 2), Held.only(7)));
        Placement placement = placed(
                new Shard("a", 0, 4, FIRST),
                new Shard("b", 0, 4, experts),
                new Shard("c", 4, 6, Shares.ALL.holding(List.of())));
        Path file = folder.resolve("p.json");
        PlacementFile.write(placement, file);
        assertThat(PlacementFile.read(file)).isEqualTo(placement);
        assertThat(Files.readString(file)).contains("\"heads\" : {").doesNotContain("null");
        Map<String, String> addresses = Map.of("a", "h:1", "b", "h:2", "c", "h:3");
        assertThat(PlacementMessage.of(PlacementMessage.message(placement, addresses)))
                .isEqualTo(placement);
        PlacementFile.write(placed(new Shard("a", 0, 6)), file);
        assertThat(Files.readString(file)).doesNotContain("shares");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '~',
            value = {
                "{'heads':{'from':0,'to':1}}|shards[0].shares: heads.of is missing or not an integer",
                "{'heads':{'from':0,'to':3,'of':2}}|heads: parts 0 to 3 of 2 are not a share",
                "{'heads':{'from':0,'to':1,'of':4000000000}}|heads.of is missing or not an integer",
                "{'heads':{'from':0,'to':1,'of':1048577}}|heads: parts 0 to 1 of 1048577 are not a share",
                "{'head':{'from':0,'to':1,'of':2}}|there is no key 'head' in shares",
                "{'width':0.5}|width is not an object",
                "{'experts':3}|experts is not a list",
                "{'experts':[{'expert':1,'replica':2,'replicas':2}]}|expert 1 cannot be replica 2 of 2",
                "{'experts':[{'id':1}]}|there is no key 'id' in experts",
                "[]|shares is not an object",
                "null|shares is not an object",
            })
    void sharesAreReadStrictly(String shares, String says, @TempDir Path folder) throws Exception {
        String shard = "{'node':'a','firstLayer':0,'endLayer':6,'shares':" + shares + "}";
        String text = "{'strategy':'pipeline','layers':6,'shards':[" + shard + "]}";
        Path file = Files.writeString(folder.resolve("p.json"), text.replace('\'', '"'));
        assertThatThrownBy(() -> PlacementFile.read(file))
                .isInstanceOf(PlacementException.class)
                .hasMessageStartingWith(file + " is not a placement: ")
                .hasMessageContaining(says);
    }

    private static Placement placed(Shard... shards) {
        return new Placement("pipeline", 6, List.of(shards));
    }
}
