package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.espalier.engine.EngineException;
import org.espalier.failure.Failure;
import org.espalier.node.service.FakeEngine;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingMessage;
import org.espalier.sampling.SamplingOption;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Shard;

/**
 * One to eight agents over a simulated network and simulated engines, with generations and faults that a seed decides. Every generation must
 * end with the right tokens and routing, or with an error that names a right node: one end of a broken link, the node whose engine threw
 * or stalled, the sender of a lost, doubled or reordered frame; of several faults any one.
 */
final class SimulatedRing {

    private static final int LAYERS = 8;

    /** More than the limits of a first step and the watch above it. */
    private static final long HORIZON = World.seconds(900);

    final List<Throwable> defects = new ArrayList<>();
    private final World world;
    private final FakeEngine fakes;
    private final List<Shard> shards = new ArrayList<>();
    private final List<SimulatedNode> nodes = new ArrayList<>();
    private final List<SimulatedGeneration> generations = new ArrayList<>();
    private final List<CompletableFuture<Void>> orders = new ArrayList<>();
    private final Expected expected;
    private final StringBuilder log = new StringBuilder();
    /** Nodes that an error may name. */
    private final TreeSet<String> blamed = new TreeSet<>();
    /** Nodes that the error of one generation may name, by session. */
    private final Map<Long, TreeSet<String>> blamedFor = new HashMap<>();
    /** Where steps fail for no session's fault: one is forgiven, unless a session's own fault has already had its step tried again. */
    private final List<String> transientFaults = new ArrayList<>();
    /** Whether the ring cannot serve again by itself. */
    private boolean lost;

    private long nextSession = 1;

    /** The tokens and routing of a request, by a ring of one node without faults. */
    static final class Expected {
        private final Map<GenerateRequest, SimulatedGeneration> known = new HashMap<>();
        private final FakeEngine fakes;

        Expected(FakeEngine fakes) {
            this.fakes = fakes;
        }

        SimulatedGeneration of(GenerateRequest request) {
            SimulatedGeneration alone = known.get(request);
            if (alone == null) {
                SimulatedRing ring = new SimulatedRing(0, 1, fakes, this);
                ring.join();
                alone = ring.generate(request);
                ring.runUntilOver(alone, World.seconds(600));
                known.put(request, alone);
            }
            return alone;
        }
    }

    SimulatedRing(long seed, int count, FakeEngine fakes, Expected expected) {
        this.world = new World(seed);
        this.fakes = fakes;
        this.expected = expected;
        for (int i = 0; i < count; i++) {
            shards.add(Shard.newBuilder()
                    .setNode("n" + i)
                    .setAddress("n" + i + ":1")
                    .setFirstLayer(LAYERS * i / count)
                    .setEndLayer(LAYERS * (i + 1) / count)
                    .build());
        }
        for (int i = 0; i < count; i++) {
            nodes.add(new SimulatedNode(
                    this, world, new RingPlace("d", 1, shards, i, ByteString.EMPTY), fakes, RingLimits.DEFAULT));
        }
    }

    /** Plays what the seed decides. Throws an AssertionError that says what went wrong. */
    static void play(long seed, FakeEngine fakes, Expected expected) {
        int count = 1 + (int) Math.floorMod(seed, 8L);
        SimulatedRing ring = new SimulatedRing(seed, count, fakes, expected);
        try {
            ring.join(ring.world.chance(0.2) ? 1500 : 50); // clients may be faster than that
            ring.world.runUntil(ring.world.chance(0.2) ? 0 : World.seconds(1.6));
            ring.begin();
            ring.check();
        } catch (AssertionError e) {
            System.err.println(ring.log);
            throw new AssertionError("seed " + seed + ", " + count + " nodes: " + e.getMessage() + "\n" + ring.log, e);
        } finally {
            ring.close();
        }
    }

    private void close() {
        nodes.forEach(node -> node.member.leave(new Failure("", Failure.Kind.CANCELLED, "the simulation is over")));
    }

    void log(String event) {
        log.append(String.format("%10.3f %s%n", world.now() / 1e9, event));
    }

    FrameSink dial(SimulatedNode from, FrameSource replies) {
        SimulatedNode to = node(from.place.next().getNode());
        SimulatedLink link = new SimulatedLink(world, from, to, replies);
        from.links.add(link);
        to.links.add(link);
        if (to.isDead()) {
            link.unreachable();
        }
        return link.sink();
    }

    private SimulatedNode node(String name) {
        return nodes.stream()
                .filter(node -> node.place.self().getNode().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private SimulatedNode head() {
        return nodes.get(0);
    }

    private SimulatedNode any() {
        return nodes.get(world.random.nextInt(nodes.size()));
    }

    void join() {
        join(50);
        world.runUntil(World.seconds(1));
    }

    private void join(double within) {
        for (SimulatedNode node : nodes) {
            world.after(world.millis(0, within), () -> node.handle(() -> node.member.join(refusal -> {})));
        }
    }

    private void begin() {
        int count = 1 + world.random.nextInt(7);
        for (int i = 0; i < count; i++) {
            world.after(world.millis(0, 1500), () -> {
                SimulatedGeneration generation = generate(request());
                disturb(generation);
            });
        }
        int faults = world.chance(0.25) ? 0 : 1 + world.random.nextInt(2);
        for (int i = 0; i < faults; i++) {
            world.after(world.millis(0, 2500), this::fault);
        }
    }

    private GenerateRequest request() {
        int prompt = world.chance(0.15) ? 300 + world.random.nextInt(4) : 1 + world.random.nextInt(9);
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setDeployment("d")
                .setEpoch(1)
                .setClient("c" + world.random.nextInt(3))
                .setMaxTokens(world.random.nextInt(4) * 9)
                .setRouting(world.chance(0.5));
        IntStream.range(0, prompt).forEach(i -> request.addPrompt((i * 13 + prompt) % 61));
        if (world.chance(0.5)) {
            request.setSampling(SamplingMessage.of(Sampling.GREEDY
                    .with(SamplingOption.TEMPERATURE, 1.5)
                    .with(SamplingOption.REPETITION_PENALTY, 1.3)
                    .with(SamplingOption.SEED, 11)));
        }
        return request.build();
    }

    SimulatedGeneration generate(GenerateRequest request) {
        SimulatedGeneration generation = new SimulatedGeneration(world, nextSession++, request);
        generations.add(generation);
        head().handle(() -> {
            if (head().member.refusal().isPresent()) {
                generation.fail(head().member.refusal().get());
                return;
            }
            head().member
                    .generate(new HeadSession(
                            generation.id,
                            request,
                            head().place,
                            head().shard,
                            new HeadSession.Origin(request.getClient(), generation, world::now)));
        });
        return generation;
    }

    /** How long a generation takes to its end. */
    long runUntilOver(SimulatedGeneration generation, long limit) {
        long begin = world.now();
        while (!generation.isOver()) {
            if (world.now() > begin + limit) {
                throw new AssertionError("generation " + generation.id + " has not ended after " + limit + " ns");
            }
            world.runUntil(world.now() + World.seconds(0.01));
        }
        return world.now() - begin;
    }

    /** Lets time pass. */
    void run(double seconds) {
        world.runUntil(world.now() + World.seconds(seconds));
    }

    /** Each row takes so long on each node. */
    void setRowNanos(long nanos) {
        nodes.forEach(node -> node.rowNanos = nanos);
    }

    /** What clients do. */
    private void disturb(SimulatedGeneration generation) {
        if (world.chance(0.15)) {
            world.after(world.millis(0, 800), () -> {
                generation.cancel();
                head().handle(() -> head().member.cancel(generation.id));
            });
        }
        if (world.chance(0.15)) {
            int length = world.random.nextInt(12);
            world.after(
                    world.millis(0, 600),
                    () -> head().handle(() -> head().member.truncate(generation.id, length, order())));
        }
        if (world.chance(0.1)) {
            world.after(world.millis(0, 300), () -> generation.setUnread(2 << 20));
            if (world.chance(0.2)) {
                blame(generation.id, "n0"); // it will have left its replies unread for too long
                return;
            }
            world.after(World.seconds(2), () -> {
                generation.setUnread(0);
                head().handle(() -> head().member.ready(generation.id));
            });
        }
    }

    private CompletableFuture<Void> order() {
        CompletableFuture<Void> order = new CompletableFuture<>();
        orders.add(order);
        return order;
    }

    private void fault() {
        SimulatedNode node = any();
        String name = node.place.self().getNode();
        switch (world.random.nextInt(12)) {
            case 0 -> crash(node, name, false);
            case 1 -> crash(node, name, true);
            case 2 -> {
                double seconds = 0.2 + 4 * world.random.nextDouble();
                log("fault: " + name + " pauses for " + seconds + " s");
                blamed.add(name);
                node.pause();
                world.after(World.seconds(seconds), node::resume);
            }
            case 3, 4 ->
                link(node).ifPresent(link -> {
                    log("fault: the link " + names(link) + " is cut");
                    blameEnds(link);
                    link.cut();
                });
            case 5 ->
                link(node).ifPresent(link -> {
                    double seconds = 0.2 + 4 * world.random.nextDouble();
                    log("fault: the link " + names(link) + " is held for " + seconds + " s");
                    blameEnds(link);
                    link.hold();
                    world.after(World.seconds(seconds), link::release);
                });
            case 6, 7 ->
                link(node).ifPresent(link -> {
                    SimulatedLink.Tampering how = SimulatedLink.Tampering.values()[world.random.nextInt(3)];
                    log("fault: " + how + " a frame of " + names(link));
                    blamed.add(link.caller.place.self().getNode());
                    link.tamper(true, how);
                });
            case 8 -> {
                boolean memory = world.chance(0.5);
                log("fault: the engine of " + name + " fails once" + (memory ? " for memory" : ""));
                transientFaults.add(name);
                node.nextStep = memory ? new OutOfMemoryError("heap") : new EngineException("op 3 went wrong");
            }
            case 9 -> {
                long session = 1 + world.random.nextInt(8);
                log("fault: session " + session + " fails on " + name);
                blame(session, name);
                node.poisoned.add(session);
            }
            case 10 -> {
                long session = 1 + world.random.nextInt(8);
                log("fault: session " + session + " cannot be opened on " + name);
                blame(session, name);
                node.unopenable.add(session);
            }
            default -> {
                double seconds = world.chance(0.5) ? 10 : world.chance(0.5) ? 90 + world.random.nextInt(200) : 100_000;
                log("fault: the engine of " + name + " is busy for " + seconds + " s");
                blamed.add(name);
                lost |= seconds > 1000;
                node.delay = World.seconds(seconds);
                node.hangs |= seconds > 1000;
            }
        }
    }

    private void blame(long session, String name) {
        blamedFor.computeIfAbsent(session, id -> new TreeSet<>()).add(name);
    }

    private void crash(SimulatedNode node, String name, boolean silently) {
        log("fault: " + name + " is killed" + (silently ? ", silently" : ""));
        blamed.add(name);
        lost = true;
        node.crash(silently);
    }

    private Optional<SimulatedLink> link(SimulatedNode node) {
        return node.links.isEmpty()
                ? Optional.empty()
                : Optional.of(
                        node.links.get(node.links.size() - 1 - world.random.nextInt(Math.min(2, node.links.size()))));
    }

    private static String names(SimulatedLink link) {
        return link.caller.place.self().getNode() + " > "
                + link.callee.place.self().getNode();
    }

    private void blameEnds(SimulatedLink link) {
        blamed.add(link.caller.place.self().getNode());
        blamed.add(link.callee.place.self().getNode());
    }

    private void check() {
        world.runUntil(World.seconds(8));
        while (world.now() < HORIZON
                && !head().isDead()
                && !generations.stream().allMatch(SimulatedGeneration::isOver)) {
            world.runUntil(world.now() + World.seconds(5));
        }
        if (!head().isDead()) {
            generations.forEach(this::check);
            serveAgain();
        }
        world.runUntil(world.now() + World.seconds(2));
        long limit = world.now() + World.seconds(400);
        while (world.now() < limit
                && !nodes.stream().allMatch(node -> node.isDead() || node.isHung() || node.isAtRest())) {
            world.runUntil(world.now() + World.seconds(1));
        }
        nodes.stream().filter(node -> !node.isDead() && !node.isHung()).forEach(this::checkLeft);
        require(head().isDead() || orders.stream().allMatch(CompletableFuture::isDone), "a truncation has no answer");
        if (!defects.isEmpty()) {
            throw new AssertionError("a defect: " + defects.get(0), defects.get(0));
        }
    }

    private void check(SimulatedGeneration generation) {
        if (transientFaults.size() + blamedFor.size() > 1) {
            blamed.addAll(transientFaults);
        }
        String which = "generation " + generation.id + " ";
        require(generation.isOver(), which + "has not ended");
        require(generation.defect().isEmpty(), which + generation.defect());
        if (blamed.isEmpty()) {
            require(generation.longestSilence() < World.seconds(1.6), which + "was silent for too long");
        }
        if (generation.wasCancelled()) {
            return;
        }
        if (generation.failure().isPresent()) {
            Failure failure = generation.failure().get();
            if (failure.kind() == Failure.Kind.REFUSED && failure.message().endsWith("is not joined yet")) {
                return;
            }
            require(
                    blamed.contains(failure.node())
                            || blamedFor
                                    .getOrDefault(generation.id, new TreeSet<>())
                                    .contains(failure.node()),
                    which + "blames '" + failure.node() + "' and not " + blamed + ": " + failure.message());
            return;
        }
        SimulatedGeneration alone = expected.of(generation.request);
        require(
                generation.tokens.equals(alone.tokens),
                which + "has tokens " + generation.tokens + ", expected " + alone.tokens);
        require(generation.routing.equals(alone.routing), which + "has another routing");
    }

    /** A ring that has served and whose nodes all stand joins again by itself; one that breaks before is its client's to load again. */
    private void serveAgain() {
        if (lost || !head().joined) {
            return;
        }
        nodes.forEach(node -> {
            node.poisoned.clear();
            node.unopenable.clear();
            node.nextStep = null;
            node.delay = 0;
        });
        nodes.forEach(node -> node.links.forEach(link -> link.tamper(true, null)));
        world.runUntil(world.now() + World.seconds(3)); // a frame that was held back is noticed
        long limit = world.now() + World.seconds(400);
        while (!(head().member.serving() && nodes.stream().allMatch(node -> node.member.isIdle()))
                && world.now() < limit) {
            world.runUntil(world.now() + World.seconds(1));
        }
        require(
                head().member.serving(),
                "the ring does not serve again: " + head().member.refusal());
        blamed.clear();
        blamedFor.clear();
        transientFaults.clear();
        SimulatedGeneration last = generate(request());
        world.runUntil(world.now() + World.seconds(30));
        check(last);
    }

    private void checkLeft(SimulatedNode node) {
        String name = node.place.self().getNode();
        require(node.member.sessions() == 0, name + " has " + node.member.sessions() + " sessions left");
        require(node.member.isIdle(), name + " has work left");
        require(node.program.sessions() == 0, name + "'s engine has " + node.program.sessions() + " sessions left");
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }
}
