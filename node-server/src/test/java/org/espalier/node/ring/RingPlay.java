package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.engine.EngineException;
import org.espalier.failure.Failure;
import org.espalier.node.service.FakeEngine;
import org.espalier.node.service.FakeProgram;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingMessage;
import org.espalier.sampling.SamplingOption;
import org.espalier.v1.GenerateRequest;

/**
 * A ring with generations and faults that a seed decides. Every generation must end with the right tokens and routing, or with an error that
 * names a right node: one end of a broken link, the node whose engine threw or stalled, the sender of a lost, doubled or reordered frame; of
 * several faults any one. Afterwards the ring serves again, by itself or once its client has loaded it again, and nothing is left.
 */
final class RingPlay {

    /** More than the limits of a first step and the watch above it. */
    private static final long HORIZON = World.seconds(900);

    private final SimulatedRing ring;
    private final World world;
    private final SimulatedRing.Expected expected;
    private final Blame blame = new Blame();
    /** Orders to truncate, and where they were given. */
    private final Map<CompletableFuture<Void>, SimulatedNode> orders = new LinkedHashMap<>();
    /** Whether the ring cannot serve again by itself. */
    private boolean lost;

    private RingPlay(SimulatedRing ring, SimulatedRing.Expected expected) {
        this.ring = ring;
        this.world = ring.world;
        this.expected = expected;
    }

    /** Plays what the seed decides. Throws an AssertionError that says what went wrong. */
    static void play(long seed, FakeEngine fakes, SimulatedRing.Expected expected) {
        int count = 1 + (int) Math.floorMod(seed, 8L);
        SimulatedRing ring = new SimulatedRing(seed, count, fakes);
        try {
            new RingPlay(ring, expected).play();
        } catch (AssertionError e) {
            System.err.println(ring.log());
            throw new AssertionError(
                    "seed " + seed + ", " + count + " nodes: " + e.getMessage() + "\n" + ring.log(), e);
        } finally {
            ring.close();
        }
    }

    private void play() {
        ring.join(world.chance(0.2) ? 1500 : 50); // clients may be faster than that
        world.runUntil(world.chance(0.2) ? 0 : World.seconds(1.6));
        int count = 1 + world.random.nextInt(7);
        for (int i = 0; i < count; i++) {
            world.after(world.millis(0, 1500), () -> disturb(ring.generate(request())));
        }
        int faults = world.chance(0.25) ? 0 : 1 + world.random.nextInt(2);
        for (int i = 0; i < faults; i++) {
            world.after(world.millis(0, 2500), this::fault);
        }
        check();
    }

    private GenerateRequest request() {
        int prompt = world.chance(0.15) ? 300 + world.random.nextInt(4) : 1 + world.random.nextInt(9);
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setDeployment("d")
                .setEpoch(1)
                .setClient("c" + world.random.nextInt(3))
                .setMaxTokens(world.random.nextInt(4) * 9)
                .setRouting(world.chance(0.5));
        IntStream.range(0, prompt).forEach(i -> request.addPrompt((i * 13 + prompt) % FakeProgram.VOCABULARY));
        if (world.chance(0.5)) {
            request.setSampling(SamplingMessage.of(Sampling.GREEDY
                    .with(SamplingOption.TEMPERATURE, 1.5)
                    .with(SamplingOption.REPETITION_PENALTY, 1.3)
                    .with(SamplingOption.SEED, 11)));
        }
        if (world.chance(0.1)) {
            request.addSnapshots(1 + world.random.nextInt(prompt));
        }
        return request.build();
    }

    /** What clients do. */
    private void disturb(SimulatedGeneration generation) {
        if (world.chance(0.15)) {
            world.after(world.millis(0, 800), () -> {
                generation.cancel();
                generation.handle(member -> member.cancel(generation.id));
            });
        }
        if (world.chance(0.15)) {
            int length = world.random.nextInt(12);
            world.after(
                    world.millis(0, 600),
                    () -> generation.handle(member -> {
                        CompletableFuture<Void> order = new CompletableFuture<>();
                        orders.put(order, generation.node());
                        member.truncate(generation.id, length, order);
                    }));
        }
        if (world.chance(0.1)) {
            world.after(world.millis(0, 300), () -> generation.setUnread(2 << 20));
            if (world.chance(0.2)) {
                blame.session(generation.id, "n0"); // it will have left its replies unread for too long
                return;
            }
            world.after(World.seconds(2), () -> {
                generation.setUnread(0);
                generation.handle(member -> member.ready(generation.id));
            });
        }
        if (world.chance(0.15)) {
            world.after(world.millis(0, 600), () -> fork(generation));
        }
    }

    /** Continues otherwise from some row on. */
    private void fork(SimulatedGeneration from) {
        if (from.member() == null) {
            return; // it was refused
        }
        List<Integer> tokens = new ArrayList<>(from.request.getPromptList());
        tokens.addAll(from.tokens);
        int length = world.random.nextInt(tokens.size());
        SimulatedGeneration fork = ring.fork(
                from,
                from.request.toBuilder()
                        .clearSnapshots()
                        .clearPrompt()
                        .addAllPrompt(tokens.subList(0, length))
                        .addPrompt(world.random.nextInt(FakeProgram.VOCABULARY))
                        .build(),
                length);
        blame.fork(from.id, fork.id);
    }

    private void fault() {
        SimulatedNode node = ring.nodes.get(world.random.nextInt(ring.nodes.size()));
        String name = node.name;
        switch (world.random.nextInt(15)) {
            case 0 -> crash(node, false);
            case 1 -> crash(node, true);
            case 2 -> {
                double seconds = 0.2 + 4 * world.random.nextDouble();
                ring.log("fault: " + name + " pauses for " + seconds + " s");
                blame.node(name);
                node.pause();
                world.after(World.seconds(seconds), node::resume);
            }
            case 3, 4 ->
                link(node).ifPresent(link -> {
                    ring.log("fault: the link " + link + " is cut");
                    blame.ends(link);
                    link.cut();
                });
            case 5 ->
                link(node).ifPresent(link -> {
                    double seconds = 0.2 + 4 * world.random.nextDouble();
                    ring.log("fault: the link " + link + " is held for " + seconds + " s");
                    blame.ends(link);
                    link.hold();
                    world.after(World.seconds(seconds), link::release);
                });
            case 6, 7 ->
                link(node).ifPresent(link -> {
                    SimulatedLink.Tampering how = SimulatedLink.Tampering.values()[world.random.nextInt(3)];
                    ring.log("fault: " + how + " a frame of " + link);
                    blame.node(link.caller.name);
                    link.tamper(true, how);
                });
            case 8 -> {
                boolean memory = world.chance(0.5);
                ring.log("fault: the engine of " + name + " fails once" + (memory ? " for memory" : ""));
                blame.transientFault(name);
                node.nextStep = memory ? new OutOfMemoryError("heap") : new EngineException("op 3 went wrong");
            }
            case 9 -> {
                long session = 1 + world.random.nextInt(8);
                ring.log("fault: session " + session + " fails on " + name);
                blame.session(session, name);
                node.poisoned.add(session);
            }
            case 10 -> {
                long session = 1 + world.random.nextInt(8);
                ring.log("fault: session " + session + " cannot be opened on " + name);
                blame.session(session, name);
                node.unopenable.add(session);
            }
            case 11 -> {
                int times = 1 + world.random.nextInt(4);
                ring.log("fault: the agent of " + name + " has no memory " + times + " times");
                blame.node(name);
                node.shortages = times;
            }
            case 12 -> {
                ring.log("fault: work for the engine of " + name + " throws what none should");
                blame.node(name);
                node.nextWork = new OutOfMemoryError("simulated");
            }
            case 13 -> {
                blame.placedAgain();
                ring.loadAgain();
            }
            default -> {
                double seconds = world.chance(0.5) ? 10 : world.chance(0.5) ? 90 + world.random.nextInt(200) : 100_000;
                ring.log("fault: the engine of " + name + " is busy for " + seconds + " s");
                blame.node(name);
                lost |= seconds > 1000;
                node.delay = World.seconds(seconds);
                node.hangs |= seconds > 1000;
            }
        }
    }

    /** Half of the nodes that die are started again before anybody looks. */
    private void crash(SimulatedNode node, boolean silently) {
        ring.log("fault: " + node.name + " is killed" + (silently ? ", silently" : ""));
        blame.node(node.name);
        lost = true;
        node.crash(silently);
        if (world.chance(0.5)) {
            world.after(world.millis(100, 5000), () -> {
                if (ring.nodes.contains(node)) {
                    ring.restart(node);
                }
            });
        }
    }

    private Optional<SimulatedLink> link(SimulatedNode node) {
        int last = node.links.size() - 1;
        return last < 0
                ? Optional.empty()
                : Optional.of(node.links.get(last - world.random.nextInt(Math.min(2, last + 1))));
    }

    private void check() {
        world.runUntil(World.seconds(8));
        while (world.now() < HORIZON && !heard().allMatch(SimulatedGeneration::isOver)) {
            world.runUntil(world.now() + World.seconds(5));
        }
        heard().forEach(this::check);
        serveAgain();
        world.runUntil(world.now() + World.seconds(2));
        long limit = world.now() + World.seconds(400);
        while (world.now() < limit && !held().allMatch(SimulatedNode.Held::isAtRest)) {
            world.runUntil(world.now() + World.seconds(1));
        }
        held().forEach(RingPlay::checkNothingLeft);
        orders.forEach((order, node) -> require(node.isDead() || order.isDone(), "a truncation has no answer"));
        if (!ring.defects.isEmpty()) {
            throw new AssertionError("a defect: " + ring.defects.get(0), ring.defects.get(0));
        }
    }

    /** Generations whose client has a connection left. */
    private Stream<SimulatedGeneration> heard() {
        return ring.generations.stream().filter(generation -> !generation.node().isDead());
    }

    private Stream<SimulatedNode.Held> held() {
        return ring.nodes.stream().flatMap(node -> node.all().stream());
    }

    private void check(SimulatedGeneration generation) {
        String which = "generation " + generation.id + " ";
        require(generation.isOver(), which + "has not ended");
        require(generation.defect().isEmpty(), which + generation.defect());
        if (blame.isNone()) {
            require(generation.longestSilence() < World.seconds(1.6), which + "was silent for too long");
        }
        if (generation.wasCancelled()) {
            return;
        }
        if (generation.failure().isPresent()) {
            Failure failure = generation.failure().get();
            require(
                    blame.explains(generation.id, failure) || isRefusedFork(generation, failure),
                    which + "blames '" + failure.node() + "' and not " + blame + ": " + failure.message());
            return;
        }
        GenerateRequest request =
                generation.request.toBuilder().clearSnapshots().build();
        SimulatedGeneration alone = generation.isFork ? expected.alone(request) : expected.of(request);
        int length = Math.min(alone.tokens.size(), generation.room);
        require(
                generation.tokens.equals(alone.tokens.subList(0, length)),
                which + "has tokens " + generation.tokens + ", expected " + alone.tokens);
        require(
                generation.routing.equals(
                        generation.request.getRouting()
                                ? alone.routing.subList(
                                        generation.taken, alone.routing.size() - (alone.tokens.size() - length))
                                : List.of()),
                which + "has another routing");
    }

    private static boolean isRefusedFork(SimulatedGeneration generation, Failure failure) {
        return generation.isFork
                && failure.kind() == Failure.Kind.REFUSED
                && failure.node().equals("n0");
    }

    /** A ring that has served and whose nodes all stand joins again by itself; any other is its client's to load again. */
    private void serveAgain() {
        ring.nodes.forEach(SimulatedNode::heal);
        ring.run(3); // a frame that was held back is noticed
        if (lost || ring.head().held().filter(SimulatedNode.Held::hasServed).isEmpty()) {
            List.copyOf(ring.nodes).stream()
                    .filter(node -> node.isDead() || node.isHung())
                    .forEach(ring::restart);
            ring.loadAgain();
        }
        ring.run(1);
        long limit = world.now() + World.seconds(400);
        while (!(serves() && ring.nodes.stream().allMatch(RingPlay::isIdle)) && world.now() < limit) {
            ring.run(1);
        }
        require(
                serves(),
                "the ring does not serve again: " + ring.head().held().flatMap(held -> held.member.refusal()));
        blame.clear();
        SimulatedGeneration last = ring.generate(request());
        ring.run(30);
        check(last);
    }

    private boolean serves() {
        return ring.head().held().filter(held -> held.member.serving()).isPresent();
    }

    private static boolean isIdle(SimulatedNode node) {
        return node.held().filter(held -> held.member.isIdle()).isPresent();
    }

    private static void checkNothingLeft(SimulatedNode.Held held) {
        String name = RingPlace.name(held.place.self()) + " in epoch " + held.place.epoch();
        require(held.member.sessions() == 0, name + " has " + held.member.sessions() + " sessions left");
        require(held.member.isIdle(), name + " has work left");
        require(held.program.sessions() == 0, name + "'s engine has " + held.program.sessions() + " sessions left");
    }

    private static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }
}
