package org.espalier.node.faults;

import io.grpc.Channel;
import io.grpc.ManagedChannel;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;

/**
 * A ring of real processes under random faults. After each, every generation has ended within a bound, with the tokens of an undisturbed
 * run or with a failure that names a right node, and the deployment has joined again by itself or was loaded again; then no session,
 * descriptor or thread is left over.
 */
final class RandomFaults implements AutoCloseable {

    private static final int NODES = 3;
    private static final int LONGEST = 100;

    /** From the end of the fault to the end of every generation. */
    private static final Duration BOUND = Duration.ofSeconds(20);

    private static final Duration SETTLED = Duration.ofSeconds(20);

    /** Pools whose threads come and go by themselves, and those of the JVM itself. */
    private static final List<String> POOLS = List.of(
            "espalier-reques",
            "espalier-wire",
            "grpc-default-ex",
            "grpc-shared-des",
            "grpc-timer",
            "ForkJoinPool",
            "CompletableFutu",
            "C1 Compiler",
            "C2 Compiler",
            "Attach Listene");

    /** How long a ring that broke is given to join again by itself. */
    private final Duration rejoin;

    private final ProcessRing ring;
    private final Map<Integer, List<Integer>> undisturbed = new HashMap<>();
    private final Map<Integer, Integer> descriptors = new HashMap<>();
    private final Map<Integer, Map<String, Integer>> threads = new HashMap<>();
    private final Map<String, Integer> outcomes = new TreeMap<>();
    private ManagedChannel client;
    private ManagedChannel other;

    RandomFaults(Duration rejoin) throws Exception {
        this.rejoin = rejoin;
        ring = new ProcessRing(NODES);
        connect();
        ring.load();
        for (int prompt = 0; prompt < Asked.PROMPTS; prompt++) {
            Asked asked = Asked.over(client, ring.epoch(), prompt, LONGEST);
            require(asked.ends(Duration.ofSeconds(60)) && asked.error() == null, asked.toString());
            undisturbed.put(prompt, asked.tokens());
        }
        // What gRPC and the JVM start on demand: as many connections and requests at once as there will be.
        strike(new Random(0), List.of(new Fault.GenerationCancelled()));
        for (int i = 0; i < NODES; i++) {
            descriptors.put(i, ring.nodes.get(i).descriptors());
            threads.put(i, own(ring.nodes.get(i).threads()));
        }
    }

    /** How generations ended and rings came back so far, and how often. */
    Map<String, Integer> outcomes() {
        return outcomes;
    }

    /** What the seed says happens. */
    static List<Fault> faults(long seed) {
        Random random = new Random(seed);
        List<Fault> faults = new ArrayList<>(List.of(Fault.draw(random, NODES)));
        if (random.nextInt(6) == 0) {
            faults.add(Fault.draw(random, NODES));
        }
        return faults;
    }

    /** @throws AssertionError that says what went wrong */
    void run(long seed) throws Exception {
        strike(new Random(~seed), faults(seed));
        recover(faults(seed));
        nothingIsLeft();
    }

    private void connect() {
        client = ProcessRing.channel(ring.nodes.get(0).address());
        other = ring.client();
    }

    private void disconnect() {
        client.shutdownNow();
        other.shutdownNow();
    }

    private void strike(Random random, List<Fault> faults) throws Exception {
        List<Asked> asked = new ArrayList<>();
        int generations = 2 + random.nextInt(4);
        for (int i = 0; i < generations; i++) {
            Channel over = i % 2 == 0 ? client : other;
            int prompt = random.nextInt(Asked.PROMPTS);
            int length = 40 + random.nextInt(LONGEST - 39);
            asked.add(
                    i % 2 == 0
                            ? Asked.over(over, ring.epoch(), prompt, length)
                            : Asked.overOther(over, ring.epoch(), prompt, length));
        }
        int progress = random.nextInt(30);
        eventually(
                "a generation that goes on",
                () -> asked.stream().anyMatch(one -> one.over() || one.tokens().size() >= progress));
        List<CompletableFuture<Void>> struck = faults.stream()
                .map(fault -> CompletableFuture.runAsync(() -> strike(fault, faults, asked)))
                .toList();
        for (CompletableFuture<Void> fault : struck) {
            try {
                fault.join();
            } catch (CompletionException e) {
                throw new AssertionError("the fault itself: " + e.getCause(), e.getCause());
            }
        }
        long bound = System.nanoTime() + BOUND.toNanos();
        for (Asked one : asked) {
            require(one.ends(Duration.ofNanos(Math.max(1, bound - System.nanoTime()))), "it hangs: " + one);
        }
        for (Asked one : asked) {
            check(one, faults);
        }
    }

    private void strike(Fault fault, List<Fault> faults, List<Asked> asked) {
        try {
            fault.strike(ring, asked);
        } catch (Exception e) {
            Failure failure = FailureStatus.read(e, "", "");
            // A load or unload that meets another fault fails by that one's name, or finds a node gone.
            boolean explained = faults.size() > 1
                    && (failure.node().isEmpty()
                            || faults.stream().anyMatch(other -> other.explains(failure, asked.get(0))));
            if (!explained) {
                throw new CompletionException(e);
            }
        }
    }

    private void check(Asked asked, List<Fault> faults) {
        List<Integer> expected = undisturbed.getOrDefault(asked.prompt(), asked.tokens());
        List<Integer> tokens = asked.tokens();
        require(
                tokens.equals(expected.subList(0, tokens.size())),
                "wrong tokens: " + asked + ": " + tokens + ", undisturbed " + expected);
        if (asked.error() == null) {
            require(tokens.size() == asked.length(), "it is short: " + asked);
            count("finished");
            return;
        }
        Failure failure = asked.failure();
        require(
                faults.stream().anyMatch(fault -> fault.explains(failure, asked)),
                "a wrong failure, of node " + failure.node() + ", " + failure.kind() + ": " + asked);
        count("failed, " + failure.kind());
    }

    private void recover(List<Fault> faults) throws Exception {
        boolean lost = false;
        for (int i = 0; i < NODES; i++) {
            ring.restoreWeights(i);
            if (!ring.nodes.get(i).isAlive()) {
                if (i == 0) {
                    disconnect();
                }
                ring.restart(i);
                lost = true;
                if (i == 0) {
                    connect();
                }
            }
        }
        boolean joins = faults.stream().allMatch(Fault::leavesShards);
        boolean joined = !lost && within(joins ? BOUND : rejoin, ring::serves);
        require(joined || !joins, "it does not join again by itself");
        if (joined && tried().error() == null) {
            count("serves on");
            return;
        }
        count("loaded again");
        ring.load();
        Asked after = tried();
        require(after.error() == null, "it does not serve after it was loaded again: " + after);
    }

    /** Asks the ring for something: weights that were cut may be found out only now. */
    private Asked tried() throws Exception {
        Asked asked = Asked.over(client, ring.epoch(), 3, 12);
        require(asked.ends(BOUND), "it hangs after the fault: " + asked);
        require(
                asked.tokens()
                        .equals(undisturbed.get(3).subList(0, asked.tokens().size())),
                "wrong tokens after the fault: " + asked);
        return asked;
    }

    private void nothingIsLeft() throws Exception {
        eventually("sessions that end, there are " + ring.sessions(), () -> ring.sessions() == 0);
        for (int i = 0; i < NODES; i++) {
            NodeProcess node = ring.nodes.get(i);
            int before = descriptors.get(i);
            if (!within(SETTLED, () -> now(node::descriptors) <= before)) {
                throw new AssertionError("node " + i + " had " + before + " descriptors and has " + node.descriptors());
            }
            Map<String, Integer> had = threads.get(i);
            if (!within(SETTLED, () -> more(had, now(node::threads)).isEmpty())) {
                throw new AssertionError("node " + i + " has more threads: " + more(had, node.threads()));
            }
        }
    }

    /** Those that nothing but a fault of ours makes more. */
    static Map<String, Integer> own(Map<String, Integer> threads) {
        return threads.entrySet().stream()
                .filter(entry -> POOLS.stream().noneMatch(entry.getKey()::startsWith))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static Map<String, Integer> more(Map<String, Integer> had, Map<String, Integer> has) {
        return own(has).entrySet().stream()
                .filter(entry -> entry.getValue() > had.getOrDefault(entry.getKey(), 0))
                .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }

    private static <T> T now(Callable<T> look) {
        try {
            return look.call();
        } catch (Exception e) {
            throw new IllegalStateException(e);
        }
    }

    private void count(String outcome) {
        outcomes.merge(outcome, 1, Integer::sum);
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }

    private static void eventually(String what, BooleanSupplier condition) throws InterruptedException {
        require(within(SETTLED, condition), "there is not, after " + SETTLED.toSeconds() + " s, " + what);
    }

    static boolean within(Duration limit, BooleanSupplier condition) throws InterruptedException {
        long until = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > until) {
                return false;
            }
            Thread.sleep(10);
        }
        return true;
    }

    @Override
    public void close() throws IOException {
        disconnect();
        ring.close();
    }
}
