package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.failure.Failure;
import org.espalier.node.service.FakeProgram;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingMessage;
import org.espalier.sampling.SamplingOption;
import org.espalier.v1.GenerateRequest;

/** A deployment's client: what it asks for, what it does meanwhile, and whether what it hears is right. */
final class SimulatedClient {

    final SimulatedRing ring;
    final Blame blame = new Blame();
    private final World world;
    private final SimulatedRing.Expected expected;
    /** Orders to truncate, and where they were given. */
    private final Map<CompletableFuture<Void>, SimulatedNode> orders = new LinkedHashMap<>();
    /** Whether the ring cannot serve again by itself. */
    private boolean lost;

    SimulatedClient(SimulatedRing ring, SimulatedRing.Expected expected) {
        this.ring = ring;
        this.world = ring.world;
        this.expected = expected;
    }

    /** The ring must be loaded again, if a node is one of it. */
    void lose(SimulatedNode node) {
        lost |= ring.nodes().contains(node);
    }

    /** Joins the ring and begins some generations, at most so many. */
    void begin(int most) {
        ring.join(world.chance(0.2) ? 1500 : 50); // clients may be faster than that
        int count = 1 + world.random.nextInt(most);
        double from = world.chance(0.2) ? 0 : 1600;
        for (int i = 0; i < count; i++) {
            world.after(world.millis(from, from + 1500), () -> disturb(ring.generate(request())));
        }
    }

    private GenerateRequest request() {
        int prompt = world.chance(0.15) ? 300 + world.random.nextInt(4) : 1 + world.random.nextInt(9);
        GenerateRequest.Builder request = GenerateRequest.newBuilder()
                .setDeployment("d") // not its own, so that what a request yields is computed once
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
                blame.session(generation.id, head()); // it will have left its replies unread for too long
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

    private String head() {
        return ring.head().name;
    }

    /** Continues otherwise from some row on. */
    private void fork(SimulatedGeneration from) {
        if (!from.wasBegun()) {
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

    /** Generations whose client has a connection left. */
    private Stream<SimulatedGeneration> heard() {
        return ring.generations.stream().filter(generation -> !generation.node().isDead());
    }

    boolean isOver() {
        return heard().allMatch(SimulatedGeneration::isOver);
    }

    void checkGenerations() {
        heard().forEach(this::check);
    }

    private void check(SimulatedGeneration generation) {
        String which = "generation " + generation.id + " of " + ring.deployment + " ";
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

    private boolean isRefusedFork(SimulatedGeneration generation, Failure failure) {
        return generation.isFork
                && failure.kind() == Failure.Kind.REFUSED
                && failure.node().equals(head());
    }

    /** A ring that has served and whose nodes all stand joins again by itself; any other is its client's to load again. */
    void loadAgainIfLost() {
        if (lost || ring.held(ring.head()).filter(SimulatedShard::hasServed).isEmpty()) {
            ring.loadAgain();
        }
    }

    boolean isIdleAndServes() {
        return serves() && ring.nodes().stream().allMatch(this::isIdle);
    }

    private boolean serves() {
        return ring.held(ring.head()).filter(held -> held.member.serving()).isPresent();
    }

    private boolean isIdle(SimulatedNode node) {
        return ring.held(node).filter(held -> held.member.isIdle()).isPresent();
    }

    /** The ring serves again as if nothing had been. */
    void checkServes() {
        require(
                serves(),
                ring.deployment + " does not serve again: "
                        + ring.held(ring.head()).flatMap(held -> held.member.refusal()));
        blame.clear();
        SimulatedGeneration last = ring.generate(request());
        ring.run(30);
        check(last);
    }

    void checkOrders() {
        orders.forEach((order, node) -> require(node.isDead() || order.isDone(), "a truncation has no answer"));
    }

    static void require(boolean condition, String otherwise) {
        if (!condition) {
            throw new AssertionError(otherwise);
        }
    }
}
