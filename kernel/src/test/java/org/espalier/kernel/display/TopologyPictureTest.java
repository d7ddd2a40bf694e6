package org.espalier.kernel.display;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.cluster.Link;
import org.espalier.cluster.NodeDetails;
import org.espalier.cluster.NodeInfo;
import org.espalier.placement.Placement;
import org.espalier.placement.Placement.Shard;
import org.junit.jupiter.api.Test;

class TopologyPictureTest {

    private static final long GB = 1_000_000_000;

    private static NodeInfo node(String name, String address) {
        return new NodeInfo(
                name,
                address,
                "",
                "1",
                16 * GB,
                12 * GB,
                List.of(),
                "M2",
                8,
                List.of(),
                Optional.empty(),
                name,
                new NodeDetails(12 * GB, "", 100 * GB, List.of(), 0));
    }

    private static List<NodeInfo> nodes(int count) {
        List<NodeInfo> nodes = new ArrayList<>();
        for (int i = 1; i <= count; i++) {
            nodes.add(node("mini-" + i, "tls://10.0.0." + i + ":50515"));
        }
        return nodes;
    }

    /** From mini-2 to mini-1 there is no way, and mini-3 generates. */
    private static List<Link> links(int count) {
        List<Link> links = new ArrayList<>();
        for (int from = 1; from <= count; from++) {
            for (int to = 1; to <= count; to++) {
                Link.State state = from == 2 && to == 1
                        ? Link.State.UNREACHABLE
                        : from == 3 ? Link.State.SKIPPED : Link.State.MEASURED;
                boolean measured = state == Link.State.MEASURED;
                if (from != to) {
                    links.add(new Link(
                            "mini-" + from,
                            "mini-" + to,
                            measured ? 100L * from + to : 0,
                            measured ? 1_000_000L * (100 * from + to) : 0,
                            state,
                            measured ? "" : state == Link.State.SKIPPED ? "not measured: it generates" : "no cable"));
                }
            }
        }
        return links;
    }

    private static Optional<Placement> ring(int... order) {
        List<Shard> shards = new ArrayList<>();
        for (int at = 0; at < order.length; at++) {
            shards.add(new Shard("mini-" + order[at], 4 * at, 4 * at + 4));
        }
        return Optional.of(new Placement("pipeline", 4 * order.length, shards));
    }

    private static List<String> labels(TopologyPicture picture) {
        return picture.drawing().marks().stream()
                .filter(Drawing.Label.class::isInstance)
                .map(mark -> ((Drawing.Label) mark).text())
                .toList();
    }

    @Test
    void theTextHasTheRingAndEachWayOfIt() {
        assertThat(new TopologyPicture(nodes(3), links(3), "demo", ring(2, 1)).text())
                .isEqualTo("""
                        3 nodes, the ring of demo
                        mini-2  tls://10.0.0.2:50515  layers 0 to 3, 12.0 GB free
                        mini-1  tls://10.0.0.1:50515  layers 4 to 7, 12.0 GB free
                        mini-3  tls://10.0.0.3:50515  12.0 GB free
                        ring: mini-2 > mini-1 > mini-2
                        from    to      round trip                  throughput
                        mini-2  mini-1  cannot dial: no cable
                        mini-2  mini-3  0.20 ms                     203 MB/s
                        mini-1  mini-2  0.10 ms                     102 MB/s
                        mini-1  mini-3  0.10 ms                     103 MB/s
                        mini-3  mini-2  not measured: it generates
                        mini-3  mini-1  not measured: it generates""");
    }

    @Test
    void thePictureHasANumberForEachOrderedPairAndSaysWhichCannotDial() {
        List<String> labels = labels(new TopologyPicture(nodes(8), links(8), "demo", ring(1, 2, 3, 4, 5, 6, 7, 8)));
        for (int from : List.of(1, 4, 5, 6, 7, 8)) {
            for (int to = 1; to <= 8; to++) {
                if (from != to) {
                    assertThat(labels).contains(100 * from + to + " MB/s");
                }
            }
        }
        assertThat(labels).contains("cannot dial", "not measured", "to mini-8", "layers 28 to 31, 12.0 GB free");
        assertThat(labels.stream().filter("not measured"::equals))
                .as("seven ways, one of the ring")
                .hasSize(8);
    }

    @Test
    void oneNodeHasNoRingAndNoWays() {
        TopologyPicture picture = new TopologyPicture(nodes(1), List.of(), "demo", ring(1));
        assertThat(picture.text()).isEqualTo("1 node, demo\nmini-1  tls://10.0.0.1:50515  layers 0 to 3, 12.0 GB free");
        assertThat(labels(picture))
                .containsExactly("1 node, demo", "mini-1", "tls://10.0.0.1:50515", "layers 0 to 3, 12.0 GB free");
    }

    @Test
    void nodesOfOneMachineSayThatThereIsNothingToMeasure() {
        List<NodeInfo> nodes = List.of(node("n0", "127.0.0.1:5"), node("n1", "127.0.0.1:6"));
        TopologyPicture picture = new TopologyPicture(nodes, List.of(), "", Optional.empty());
        assertThat(picture.text())
                .isEqualTo(
                        "2 nodes, no model loaded\nn0  plain://127.0.0.1:5  12.0 GB free\nn1  plain://127.0.0.1:6  12.0 GB free");
        assertThat(labels(picture)).contains("Plain text on one machine: there is no way to measure.");
    }
}
