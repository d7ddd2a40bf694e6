package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.espalier.failure.Failure;
import org.espalier.node.service.FakeEngine;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Shard;

/** A deployment on simulated nodes, and its client. */
final class SimulatedRing {

    private static final int LAYERS = 8;

    final SimulatedNetwork network;
    final World world;
    final String deployment;
    final List<SimulatedGeneration> generations = new ArrayList<>();
    private final List<Shard> shards = new ArrayList<>();
    private long epoch = 1;
    private long nextSession;

    /** The tokens and routing of a request, by a ring of one node without faults. */
    static final class Expected {
        private final Map<GenerateRequest, SimulatedGeneration> known = new HashMap<>();
        private final FakeEngine fakes;

        Expected(FakeEngine fakes) {
            this.fakes = fakes;
        }

        /** Kept, as most requests come many times. */
        SimulatedGeneration of(GenerateRequest request) {
            return known.computeIfAbsent(request, this::alone);
        }

        SimulatedGeneration alone(GenerateRequest request) {
            SimulatedRing ring = new SimulatedRing(0, 1, fakes);
            ring.join();
            SimulatedGeneration alone = ring.generate(request);
            ring.runUntilOver(alone, World.seconds(600));
            ring.close();
            return alone;
        }
    }

    /** One on all nodes of a network of its own. */
    SimulatedRing(long seed, int count, FakeEngine fakes) {
        this(
                new SimulatedNetwork(seed, count, fakes),
                "d",
                IntStream.range(0, count).mapToObj(i -> "n" + i).toList(),
                1);
        network.run(0.05);
    }

    /**
     * @param nodes in ring order
     * @param firstSession the sessions of rings on the same nodes have different ids, so that a fault can be one session's
     */
    SimulatedRing(SimulatedNetwork network, String deployment, List<String> nodes, long firstSession) {
        this.network = network;
        this.world = network.world;
        this.deployment = deployment;
        this.nextSession = firstSession;
        int count = nodes.size();
        for (int i = 0; i < count; i++) {
            shards.add(Shard.newBuilder()
                    .setNode(nodes.get(i))
                    .setAddress(nodes.get(i) + ":1")
                    .setFirstLayer(LAYERS * i / count)
                    .setEndLayer(LAYERS * (i + 1) / count)
                    .build());
        }
        nodes().forEach(node -> node.load(place(node, ByteString.EMPTY), () -> {}));
    }

    private RingPlace place(SimulatedNode node, ByteString digest) {
        return new RingPlace(deployment, epoch, shards, nodes().indexOf(node), digest);
    }

    /** In ring order. */
    List<SimulatedNode> nodes() {
        return shards.stream().map(shard -> network.node(shard.getNode())).toList();
    }

    SimulatedNode head() {
        return nodes().get(0);
    }

    /** The node after another one, by name; empty if that is not one of the ring. */
    Optional<String> next(SimulatedNode node) {
        int index = nodes().indexOf(node);
        return index < 0
                ? Optional.empty()
                : Optional.of(shards.get((index + 1) % shards.size()).getNode());
    }

    /** What a node holds of it, if it does. */
    Optional<SimulatedShard> held(SimulatedNode node) {
        return node.held(deployment);
    }

    void join() {
        join(50);
        network.run(1);
    }

    /** The client asks all nodes to join, each within some milliseconds. */
    void join(double within) {
        for (SimulatedNode node : nodes()) {
            held(node)
                    .ifPresent(shard -> world.after(
                            world.millis(0, within),
                            () -> node.handle(() -> shard.guarded(() -> shard.member.join(refusal -> {})))));
        }
    }

    /** The client loads the deployment again, and has it joined once it is on all nodes. */
    void loadAgain() {
        loadAgain(node -> ByteString.EMPTY);
    }

    /** Two clients load it at once, in one epoch: a node has the placement of the one, the rest that of the other. */
    void loadTwice(SimulatedNode other) {
        loadAgain(node -> node == other ? ByteString.copyFromUtf8("another") : ByteString.EMPTY);
    }

    private void loadAgain(Function<SimulatedNode, ByteString> digest) {
        epoch++;
        long mine = epoch;
        network.log(deployment + " is loaded again as epoch " + mine);
        int[] loaded = new int[1];
        for (SimulatedNode node : nodes()) {
            RingPlace place = place(node, digest.apply(node));
            world.after(
                    world.millis(0, 300),
                    () -> node.handle(() -> node.load(place, () -> {
                        if (++loaded[0] == shards.size() && mine == epoch) {
                            join(50);
                        }
                    })));
        }
    }

    SimulatedGeneration generate(GenerateRequest request) {
        SimulatedGeneration generation = new SimulatedGeneration(world, nextSession++, request);
        begin(generation, head(), Member::generate);
        return generation;
    }

    /** In a copy of the first rows of another one's session. */
    SimulatedGeneration fork(SimulatedGeneration from, GenerateRequest request, int length) {
        SimulatedGeneration generation = from.fork(nextSession++, request, length);
        begin(generation, from.node(), (member, session) -> {
            if (from.runsIn(member)) {
                member.fork(session, from.id, length);
            } else {
                generation.refuse(from.node().gone(deployment));
            }
        });
        return generation;
    }

    /** How a session begins. */
    private interface Start {
        void begin(Member member, HeadSession session);
    }

    private void begin(SimulatedGeneration generation, SimulatedNode node, Start start) {
        generations.add(generation);
        generation.at(node);
        node.handle(() -> held(node)
                .ifPresentOrElse(
                        shard -> shard.guarded(() -> begin(generation, node, shard, start)),
                        () -> generation.refuse(node.gone(deployment))));
    }

    private void begin(SimulatedGeneration generation, SimulatedNode node, SimulatedShard shard, Start start) {
        Optional<Failure> refusal = shard.member.refusal();
        if (refusal.isPresent()) {
            generation.refuse(refusal.get());
            return;
        }
        generation.begun(shard);
        HeadSession session = new HeadSession(
                generation.id,
                generation.request,
                shard.place,
                shard.shard,
                new HeadSession.Origin(generation.request.getClient(), generation, world::now));
        try {
            start.begin(shard.member, session);
        } catch (Throwable e) {
            generation.refuse(new Failure(node.name, Failure.Kind.INTERNAL, e.toString()));
            throw e;
        }
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
        network.run(seconds);
    }

    /** Each row takes so long on each node. */
    void setRowNanos(long nanos) {
        nodes().forEach(node -> node.rowNanos = nanos);
    }

    void close() {
        nodes().stream()
                .flatMap(node -> held(node).stream())
                .forEach(
                        shard -> shard.member.leave(new Failure("", Failure.Kind.CANCELLED, "the simulation is over")));
    }
}
