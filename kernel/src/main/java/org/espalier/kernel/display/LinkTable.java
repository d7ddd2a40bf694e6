package org.espalier.kernel.display;

import java.util.List;
import java.util.Locale;
import org.espalier.cluster.Link;

/** The ways between the nodes of a cluster, as they measured them. */
public final class LinkTable {

    private LinkTable() {}

    public static Grid of(List<Link> links) {
        return new Grid(
                List.of("from", "to", "round trip", "throughput"),
                links.stream()
                        .map(link -> List.of(
                                link.from(),
                                link.to(),
                                String.format(Locale.ROOT, "%.2f ms", link.roundTripMicros() / 1e3),
                                String.format(Locale.ROOT, "%.0f MB/s", link.bytesPerSecond() / 1e6)))
                        .toList());
    }
}
