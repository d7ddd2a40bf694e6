package org.espalier.node.faults;

import java.io.RandomAccessFile;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.espalier.failure.Failure;

/** Something that happens to a ring of processes while it generates, and whom a failure may name for it. */
sealed interface Fault {

    /** Makes it happen; returns when it is over. */
    void strike(ProcessRing ring, List<Asked> running) throws Exception;

    /** Whether a generation may have ended so. */
    default boolean explains(Failure failure, Asked asked) {
        return false;
    }

    /** Whether all shards still stand after it, so that the ring joins again by itself. */
    default boolean leavesShards() {
        return !(this instanceof Signalled
                || this instanceof Unloaded
                || this instanceof PlacedAgain
                || this instanceof WeightsTruncated);
    }

    /** One of those that happen to a ring of {@code nodes}. */
    static Fault draw(Random random, int nodes) {
        int node = random.nextInt(nodes);
        Relay.Way way = Relay.Way.values()[random.nextInt(2)];
        int millis = 300 + random.nextInt(2701);
        return switch (random.nextInt(12)) {
            case 0 -> new Signalled(node, "KILL");
            case 1 -> new Signalled(node, "TERM");
            case 2, 3 -> new Paused(node, millis);
            case 4 -> new Cut(node, true);
            case 5 -> new Cut(node, false);
            case 6 -> new Held(node, way, millis);
            case 7 -> new Delayed(node, way, 1 + random.nextInt(400), millis);
            case 8 -> random.nextBoolean() ? new ClientKilled() : new GenerationCancelled();
            case 9 -> new Unloaded(node);
            case 10 -> {
                int first = 1 + random.nextInt(ProcessRing.LAYERS - 2);
                int second = first + 1 + random.nextInt(ProcessRing.LAYERS - first - 1);
                yield new PlacedAgain(List.of(first, second, ProcessRing.LAYERS));
            }
            default -> new WeightsTruncated(node);
        };
    }

    /** kill -9 or an orderly end. */
    record Signalled(int node, String signal) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) throws Exception {
            ring.nodes.get(node).signal(signal);
            if (!ring.nodes.get(node).ends(10)) {
                throw new AssertionError("node " + node + " is still there 10 s after SIG" + signal);
            }
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return failure.node().equals(ProcessRing.name(node));
        }
    }

    /** As a machine that sleeps, or swaps. */
    record Paused(int node, int millis) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) throws Exception {
            ring.nodes.get(node).signal("STOP");
            Thread.sleep(millis);
            ring.nodes.get(node).signal("CONT");
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return failure.node().equals(ProcessRing.name(node));
        }
    }

    /** Both ends of a link: a failure names the far one, as either saw it. */
    private static boolean isEnd(int link, Failure failure) {
        return Set.of(ProcessRing.name(link), ProcessRing.name((link + 2) % 3)).contains(failure.node());
    }

    /** The connection from the node before ends, by a reset or in order. */
    record Cut(int link, boolean reset) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) {
            if (reset) {
                ring.links.get(link).reset();
            } else {
                ring.links.get(link).cut();
            }
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return isEnd(link, failure);
        }
    }

    /** One way of a link stands still for a while. */
    record Held(int link, Relay.Way way, int millis) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) throws Exception {
            ring.links.get(link).hold(way);
            Thread.sleep(millis);
            ring.links.get(link).release(way);
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return isEnd(link, failure);
        }
    }

    /** One way of a link is slow for a while. */
    record Delayed(int link, Relay.Way way, int delay, int millis) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) throws Exception {
            ring.links.get(link).delay(way, Duration.ofMillis(delay));
            Thread.sleep(millis);
            ring.links.get(link).delay(way, Duration.ZERO);
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return isEnd(link, failure);
        }
    }

    /** The client's process is gone: the system resets its connection. Others do not notice. */
    record ClientKilled() implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) {
            ring.clients.reset();
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return asked.isOfTheOtherClient() && failure.kind() == Failure.Kind.NODE_LOST;
        }
    }

    record GenerationCancelled() implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) {
            running.get(0).cancel();
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return asked.wasCancelled() && failure.kind() == Failure.Kind.CANCELLED;
        }
    }

    record Unloaded(int node) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) {
            ring.unload(node);
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return failure.node().equals(ProcessRing.name(node))
                    && (failure.kind() == Failure.Kind.DEPLOYMENT_GONE
                            || failure.message().contains("was unloaded on node")); // while it was loaded
        }
    }

    /** Layers move to other nodes while generations run. */
    record PlacedAgain(List<Integer> ends) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) {
            ring.load(ends);
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return failure.kind() == Failure.Kind.DEPLOYMENT_GONE
                    || failure.message().contains("a new placement must have a later one"); // it was the second
        }
    }

    /** The file is cut short under the node that has mapped it, as by an rsync in place. */
    record WeightsTruncated(int node) implements Fault {
        @Override
        public void strike(ProcessRing ring, List<Asked> running) throws Exception {
            try (RandomAccessFile file = new RandomAccessFile(
                    ring.model(node).resolve("model.safetensors").toFile(), "rw")) {
                file.setLength(file.length() / 50);
            }
        }

        @Override
        public boolean explains(Failure failure, Asked asked) {
            return failure.node().equals(ProcessRing.name(node));
        }
    }
}
