package org.espalier.cluster;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.espalier.failure.Printable;
import org.espalier.transport.NodeAddress;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;

/** Has every node measure its way to every other one, all at once. Nodes on one machine in plain text are not asked: there is no way between them. */
final class Links {

    /** A node measures for a second, and may have to resolve a name and shake hands before. */
    private static final int SECONDS = 4;

    private Links() {}

    static List<Link> measure(List<ClusterNode> nodes) {
        List<Callable<Link>> probes = new ArrayList<>();
        for (ClusterNode from : nodes) {
            for (ClusterNode to : nodes) {
                if (from != to && from.mode() == NodeAddress.Mode.TLS && to.mode() == NodeAddress.Mode.TLS) {
                    probes.add(() -> measure(from, to));
                }
            }
        }
        return Concurrently.all(probes);
    }

    /** What cannot be measured is no reason not to connect: it matters once the two are neighbours in a ring. */
    private static Link measure(ClusterNode from, ClusterNode to) {
        String address;
        try {
            address = to.ringAddress();
        } catch (ClusterException e) {
            return Link.unreachable(from.name(), to.name(), e.what());
        }
        try {
            ProbeReply reply = from.unary()
                    .withDeadlineAfter(SECONDS, TimeUnit.SECONDS)
                    .probe(ProbeRequest.newBuilder()
                            .setNode(to.name())
                            .setAddress(address)
                            .build());
            if (!reply.getSkipped().isEmpty()) {
                return Link.skipped(from.name(), to.name(), Printable.line(reply.getSkipped()));
            }
            return reply.getUnreachable().isEmpty()
                    ? new Link(
                            from.name(),
                            to.name(),
                            Math.max(0, reply.getRoundTripMicros()),
                            Math.max(0, reply.getBytesPerSecond()),
                            Link.State.MEASURED,
                            "")
                    : Link.unreachable(from.name(), to.name(), Printable.line(reply.getUnreachable()));
        } catch (RuntimeException e) { // of the node that was to measure, and so no word about the way
            return Link.skipped(from.name(), to.name(), from.failure(e).what());
        }
    }
}
