package org.espalier.cluster;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.espalier.model.Model;
import org.espalier.placement.Placement;
import org.espalier.plan.ShardPlans;
import org.espalier.plan.ShardWork;
import org.espalier.slice.Member;

/**
 * What placements cost by what nodes and the ways between them were measured to do. A token goes through the stages one after the other; within one
 *
 * <pre>    bytes / rate + exchanges x (way + crossing)</pre>
 *
 * <p>counts, of the slowest of its nodes each. Nodes of one machine read one memory. A way is half of what a small message takes there and back: a token's row is
 * small. It is a bound: engines do not read as fast as memory does, least of all experts.
 *
 * @param nodes as {@link Cluster#nodesInFull} has them
 * @param links as {@link Cluster#links} has them, as far as they were measured
 * @param engine that nodes are to use; empty for each node's best
 */
public record TokenTimes(List<NodeInfo> nodes, List<Link> links, String engine) {

    public TokenTimes {
        nodes = List.copyOf(nodes);
        links = List.copyOf(links);
    }

    /**
     * A placement beside what each strategy makes of the same nodes if nothing else were loaded there, the fastest first: so it is seen whether exchanges within
     * layers cost more than they save.
     *
     * @param model whose headers say what is read
     * @param placement over some of the nodes, which was checked
     * @return empty where a node has not measured how fast it reads memory, as one that generates
     */
    public List<TimedPlacement> ranked(Model model, Placement placement) {
        ShardPlans plans = new ShardPlans(model);
        Set<String> all = nodes.stream()
                .flatMap(node -> node.shards().stream())
                .map(ShardInfo::deployment)
                .collect(Collectors.toSet());
        Set<Placement> placements = new LinkedHashSet<>(List.of(placement));
        placements.addAll(new Placing(plans.sizes(), nodes, all).byStrategies(placement.nodes()));
        return ranked(List.copyOf(placements), plans::work);
    }

    /**
     * The fastest first.
     *
     * @param work of each member
     * @return empty unless all nodes say how fast they read
     */
    List<TimedPlacement> ranked(List<Placement> placements, Function<Member, ShardWork> work) {
        List<TimedPlacement> ranked = new ArrayList<>();
        for (Placement placement : placements) {
            List<ShardWork> works = placement.members().stream().map(work).toList();
            Optional<TokenTime> time = of(placement, works);
            if (time.isEmpty()) {
                return List.of();
            }
            ranked.add(new TimedPlacement(placement, time.get()));
        }
        ranked.sort(Comparator.comparingDouble(timed -> timed.time().seconds()));
        return List.copyOf(ranked);
    }

    /** @param works of the placement's shards, in their order */
    private Optional<TokenTime> of(Placement placement, List<ShardWork> works) {
        Sum sum = new Sum();
        List<NodeInfo> before = List.of();
        List<NodeInfo> first = List.of();
        for (int begin = 0, end; begin < works.size(); begin = end) {
            end = begin + placement.members().get(begin).group().size();
            List<NodeInfo> stage = placement.shards().subList(begin, end).stream()
                    .map(shard -> node(shard.node()))
                    .toList();
            if (stage.stream().anyMatch(node -> node.details().readBytesPerSecond() == 0)) {
                return Optional.empty();
            }
            sum.stage(stage, works.subList(begin, end));
            sum.hop(before, stage.subList(0, 1));
            before = stage.subList(0, 1);
            first = first.isEmpty() ? before : first;
        }
        sum.hop(before, first); // the token
        return Optional.of(sum.time());
    }

    private NodeInfo node(String name) {
        return nodes.stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    /** The time so far. */
    private final class Sum {
        private double read;
        private double ways;
        private double crossings;
        private int exchanges;
        private double slowest = -1;
        private String source = "";
        private boolean known = true;

        private void stage(List<NodeInfo> stage, List<ShardWork> works) {
            Map<String, Double> machines = new HashMap<>();
            int most = 0;
            for (int i = 0; i < stage.size(); i++) {
                NodeInfo node = stage.get(i);
                machines.merge(
                        Placing.machine(node),
                        (double) works.get(i).readBytes() / node.details().readBytesPerSecond(),
                        Double::sum);
                most = Math.max(most, works.get(i).exchanges());
            }
            read += machines.values().stream()
                    .mapToDouble(Double::doubleValue)
                    .max()
                    .orElse(0);
            if (most == 0) {
                return;
            }
            EngineInfo.Crossing crossing = stage.stream()
                    .map(TokenTimes.this::crossing)
                    .max(Comparator.comparingLong(EngineInfo.Crossing::nanos))
                    .orElseThrow();
            exchanges += most;
            ways += most * slowestWay(stage, stage);
            crossings += most * crossing.nanos() * 1e-9;
            if (crossing.nanos() > slowest) {
                slowest = crossing.nanos();
                source = crossing.source();
            }
        }

        private void hop(List<NodeInfo> from, List<NodeInfo> to) {
            ways += slowestWay(from, to);
        }

        /** Of those from one of these nodes to another one of those. */
        private double slowestWay(List<NodeInfo> from, List<NodeInfo> to) {
            double slowestWay = 0;
            for (NodeInfo one : from) {
                for (NodeInfo other : to) {
                    if (!one.name().equals(other.name())) {
                        Optional<Link> link = link(one.name(), other.name());
                        known &= link.isPresent();
                        slowestWay = Math.max(
                                slowestWay, link.map(Link::roundTripMicros).orElse(0L) * 1e-6 / 2);
                    }
                }
            }
            return slowestWay;
        }

        private TokenTime time() {
            return new TokenTime(read, ways, crossings, exchanges, source, known);
        }
    }

    private Optional<Link> link(String from, String to) {
        return links.stream()
                .filter(link -> link.isMeasured()
                        && link.from().equals(from)
                        && link.to().equals(to))
                .findFirst();
    }

    /** Of the engine that the node would use. */
    private EngineInfo.Crossing crossing(NodeInfo node) {
        return node.engines().stream()
                .filter(known -> engine.isEmpty()
                        ? known.availability() == EngineInfo.Availability.READY
                        : known.name().equals(engine))
                .findFirst()
                .map(EngineInfo::crossing)
                .orElse(EngineInfo.Crossing.UNKNOWN);
    }
}
