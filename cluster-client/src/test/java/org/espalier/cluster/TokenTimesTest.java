package org.espalier.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.espalier.cluster.EngineInfo.Availability;
import org.espalier.cluster.EngineInfo.Crossing;
import org.espalier.placement.Placement;
import org.espalier.placement.Placement.Shard;
import org.espalier.plan.ShardWork;
import org.espalier.slice.Member;
import org.espalier.slice.Share;
import org.espalier.slice.Shares;
import org.junit.jupiter.api.Test;

/** Numbers of placements that were worked out by hand: bytes / rate + exchanges x (way + crossing). */
class TokenTimesTest {

    private static final String MEASURED = "measured by espalier-node doctor on MLX 9.9.9 on a GPU";

    private static NodeInfo node(int index, String machine, long rate, List<EngineInfo> engines) {
        return new NodeInfo(
                "n" + index,
                "tls://10.0.0." + index + ":5",
                "",
                "1",
                1L << 36,
                1L << 36,
                engines,
                "M4 Pro",
                8,
                List.of(),
                Optional.empty(),
                machine,
                new NodeDetails(0, "", rate, List.of(), 0));
    }

    private static EngineInfo engine(String name, Availability availability, Crossing crossing) {
        return new EngineInfo(name, availability, "", 0, List.of("fast"), crossing);
    }

    /** Each on a machine of its own. */
    private static List<NodeInfo> nodes(int count, long rate, long crossingNanos) {
        EngineInfo mlx = engine("mlx", Availability.READY, new Crossing(crossingNanos, MEASURED));
        return IntStream.range(0, count)
                .mapToObj(i -> node(i, "m" + i, rate, List.of(mlx)))
                .toList();
    }

    private static List<Link> links(List<NodeInfo> nodes, long roundTripMicros) {
        List<Link> links = new ArrayList<>();
        for (NodeInfo from : nodes) {
            for (NodeInfo to : nodes) {
                links.add(new Link(from.name(), to.name(), roundTripMicros, 1L << 30, Link.State.MEASURED, ""));
            }
        }
        return links;
    }

    private static Placement layers(int nodes, int layers) {
        return new Placement(
                "pipeline",
                layers,
                IntStream.range(0, nodes)
                        .mapToObj(i -> new Shard("n" + i, i * layers / nodes, (i + 1) * layers / nodes))
                        .toList());
    }

    private static Placement sliced(int nodes, int layers) {
        return new Placement(
                "pipeline",
                layers,
                IntStream.range(0, nodes)
                        .mapToObj(i -> new Shard("n" + i, 0, layers, Shares.of(Share.equal(i, nodes))))
                        .toList());
    }

    /** Of a model that reads so many bytes a token, evenly. */
    private static Function<Member, ShardWork> work(long bytes, int exchanges) {
        return member -> {
            int first = member.slice().layers().first();
            int end = member.slice().layers().end();
            int all = member.slice().layers().all();
            int size = member.group().size();
            return new ShardWork(bytes * (end - first) / all / size, size == 1 ? 0 : exchanges);
        };
    }

    /** 8 x M4 Pro with 78.5 % of 273 GB/s, DeepSeek V3 in 4 bits with 16.4 GB a token and 119 exchanges, ways of 100 us. */
    @Test
    void deepseekOverEightMacs() {
        List<NodeInfo> nodes = nodes(8, 214_305_000_000L, 180_000);
        List<TimedPlacement> ranked = new TokenTimes(nodes, links(nodes, 200), "")
                .ranked(List.of(layers(8, 61), sliced(8, 61)), work(16_400_000_000L, 119));

        assertThat(ranked).extracting(TimedPlacement::placement).containsExactly(sliced(8, 61), layers(8, 61));
        TokenTime sliced = ranked.get(0).time();
        assertThat(sliced.readSeconds()).isCloseTo(0.009566, within(1e-6)); // 16.4 / 8 / 214.305
        assertThat(sliced.waySeconds()).isCloseTo(0.0119, within(1e-9)); // 119 x 100 us
        assertThat(sliced.crossingSeconds()).isCloseTo(0.02142, within(1e-9)); // 119 x 180 us
        assertThat(1 / sliced.seconds()).isCloseTo(23.3, within(0.05));
        TokenTime layers = ranked.get(1).time();
        assertThat(layers.crossingSeconds()).isZero();
        assertThat(layers.waySeconds()).isCloseTo(0.0008, within(1e-9)); // 7 to the next, one back
        assertThat(1 / layers.seconds()).isCloseTo(12.9, within(0.05));
    }

    /** 1 GB a token from two nodes at 200 GB/s: 2.5 ms are saved, and paid for with 32 exchanges. */
    @Test
    void whatACrossingCostsDecidesWhetherToSlice() {
        Placement layers = layers(2, 16);
        Placement sliced = sliced(2, 16);
        assertThat(seconds(20_000)).containsExactly(4.74e-3, 5.1e-3); // 2.5 + 32 x (0.05 + 0.02), 5 + 2 x 0.05
        assertThat(fastest(20_000)).isEqualTo(sliced);
        assertThat(seconds(180_000)).containsExactly(5.1e-3, 9.86e-3);
        assertThat(fastest(180_000)).isEqualTo(layers);
    }

    private static List<TimedPlacement> two(long crossingNanos) {
        List<NodeInfo> nodes = nodes(2, 200_000_000_000L, crossingNanos);
        return new TokenTimes(nodes, links(nodes, 100), "")
                .ranked(List.of(layers(2, 16), sliced(2, 16)), work(1_000_000_000, 32));
    }

    private static Placement fastest(long crossingNanos) {
        return two(crossingNanos).get(0).placement();
    }

    private static List<Double> seconds(long crossingNanos) {
        return two(crossingNanos).stream()
                .map(timed -> Math.round(timed.time().seconds() * 1e8) / 1e8)
                .toList();
    }

    @Test
    void theSlowestNodeOfAStageCounts() {
        EngineInfo cpu = engine("cpu", Availability.READY, Crossing.UNKNOWN);
        EngineInfo mlx = engine("mlx", Availability.READY, new Crossing(50_000, "measured"));
        List<NodeInfo> nodes = List.of(
                node(0, "m0", 100_000_000_000L, List.of(cpu)), node(1, "m1", 50_000_000_000L, List.of(mlx, cpu)));
        List<Link> links = List.of(
                new Link("n0", "n1", 40, 1, Link.State.MEASURED, ""),
                new Link("n1", "n0", 60, 1, Link.State.MEASURED, ""));
        TokenTime time = time(nodes, links, "");
        assertThat(time.readSeconds()).isCloseTo(0.01, within(1e-9)); // 0.5 GB at 50 GB/s
        assertThat(time.waySeconds()).isCloseTo(10 * 30e-6, within(1e-9));
        assertThat(time.crossingSeconds()).isCloseTo(10 * 50e-6, within(1e-9));
        assertThat(time)
                .hasToString("at least 10.80 ms a token: 10.00 reading weights, 0.30 between nodes, 0.50 crossing"
                        + " to the processor in 10 exchanges (measured)");
        assertThat(time(nodes, links, "cpu").crossingSeconds())
                .as("an engine that was named")
                .isZero();
        assertThat(time(nodes, List.of(), "cpu"))
                .hasToString("at least 10.00 ms a token: 10.00 reading weights, 0.00 between nodes (ways that were not"
                        + " measured count as nothing), 0.00 crossing to the processor in 10 exchanges (nothing is known"
                        + " of what that costs, it counts as nothing)");
    }

    private static TokenTime time(List<NodeInfo> nodes, List<Link> links, String engine) {
        return new TokenTimes(nodes, links, engine)
                .ranked(List.of(sliced(2, 16)), work(1_000_000_000, 10))
                .get(0)
                .time();
    }

    @Test
    void nodesOfOneMachineReadOneMemory() {
        List<NodeInfo> nodes =
                List.of(node(0, "m", 100_000_000_000L, List.of()), node(1, "m", 100_000_000_000L, List.of()));
        assertThat(time(nodes, links(nodes, 0), "").readSeconds()).isCloseTo(0.01, within(1e-9));
    }

    @Test
    void whereANodeDoesNotSayHowFastItReadsThereIsNoEstimate() {
        List<NodeInfo> nodes = List.of(node(0, "m0", 1, List.of()), node(1, "m1", 0, List.of()));
        assertThat(new TokenTimes(nodes, List.of(), "").ranked(List.of(layers(2, 16)), work(1_000_000_000, 0)))
                .isEmpty();
    }
}
