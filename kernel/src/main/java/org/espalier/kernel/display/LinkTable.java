package org.espalier.kernel.display;

import java.util.List;
import org.espalier.cluster.Link;

/** The ways between the nodes of a cluster, as they measured them. */
public final class LinkTable {

    private LinkTable() {}

    public static Grid of(List<Link> links) {
        return new Grid(
                List.of("from", "to", "round trip", "throughput"),
                links.stream()
                        .map(link -> List.of(link.from(), link.to(), roundTrip(link), link.throughput()))
                        .toList());
    }

    private static String roundTrip(Link link) {
        return switch (link.state()) {
            case MEASURED -> link.roundTrip();
            case SKIPPED -> link.problem();
            case UNREACHABLE -> "cannot dial: " + link.problem();
        };
    }
}
