package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.failure.Failure;
import org.espalier.node.service.FakeEngine;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.Shard;

/** One to eight nodes that hold a deployment, over a simulated network, and its client. */
final class SimulatedRing {

    private static final int LAYERS = 8;

    final World world;
    final List<Throwable> defects = new ArrayList<>();
    /** In ring order. */
    final List<SimulatedNode> nodes = new ArrayList<>();

    final List<SimulatedGeneration> generations = new ArrayList<>();
    private final FakeEngine fakes;
    private final List<Shard> shards = new ArrayList<>();
    private final StringBuilder log = new StringBuilder();
    private long epoch = 1;
    private long nextSession = 1;

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

    SimulatedRing(long seed, int count, FakeEngine fakes) {
        this.world = new World(seed);
        this.fakes = fakes;
        for (int i = 0; i < count; i++) {
            shards.add(Shard.newBuilder()
                    .setNode("n" + i)
                    .setAddress("n" + i + ":1")
                    .setFirstLayer(LAYERS * i / count)
                    .setEndLayer(LAYERS * (i + 1) / count)
                    .build());
        }
        for (int i = 0; i < count; i++) {
            nodes.add(new SimulatedNode(this, world, "n" + i, fakes));
            nodes.get(i).load(place(i), () -> {});
        }
        run(0.05);
    }

    private RingPlace place(int index) {
        return new RingPlace("d", epoch, shards, index, ByteString.EMPTY);
    }

    void log(String event) {
        log.append(String.format("%10.3f %s%n", world.now() / 1e9, event));
    }

    /** What has happened. */
    String log() {
        return log.toString();
    }

    FrameSink dial(SimulatedNode from, String next, FrameSource replies) {
        SimulatedNode to = node(next);
        SimulatedLink link = new SimulatedLink(world, from, to, replies);
        from.links.add(link);
        to.links.add(link);
        if (to.isDead()) {
            link.unreachable();
        }
        return link.sink();
    }

    private SimulatedNode node(String name) {
        return nodes.stream().filter(node -> node.name.equals(name)).findFirst().orElseThrow();
    }

    SimulatedNode head() {
        return nodes.get(0);
    }

    void join() {
        join(50);
        world.runUntil(world.now() + World.seconds(1));
    }

    /** The client asks all nodes to join, each within some milliseconds. */
    void join(double within) {
        for (SimulatedNode node : nodes) {
            node.held()
                    .ifPresent(held -> world.after(
                            world.millis(0, within), () -> node.handle(() -> held.member.join(refusal -> {}))));
        }
    }

    /** A process is started where one was, and holds nothing. */
    void restart(SimulatedNode node) {
        log(node.name + " is started again");
        if (!node.isDead()) {
            node.crash(false);
        }
        nodes.set(nodes.indexOf(node), new SimulatedNode(this, world, node.name, fakes));
    }

    /** The client loads the deployment again, and has it joined once it is on all nodes. */
    void loadAgain() {
        epoch++;
        long mine = epoch;
        log("loaded again as epoch " + mine);
        int[] loaded = new int[1];
        for (int i = 0; i < nodes.size(); i++) {
            SimulatedNode node = nodes.get(i);
            RingPlace place = place(i);
            world.after(
                    world.millis(0, 300),
                    () -> node.handle(() -> node.load(place, () -> {
                        if (++loaded[0] == nodes.size() && mine == epoch) {
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
            if (from.member() == member) {
                member.fork(session, from.id, length);
            } else {
                generation.refuse(from.node().gone());
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
        generation.at(node, null);
        node.handle(() -> {
            SimulatedNode.Held held = node.held().orElse(null);
            if (held == null) {
                generation.refuse(node.gone());
            } else if (held.member.refusal().isPresent()) {
                generation.refuse(held.member.refusal().get());
            } else {
                generation.at(node, held.member);
                String client = generation.request.getClient();
                HeadSession session = new HeadSession(
                        generation.id,
                        generation.request,
                        held.place,
                        held.shard,
                        new HeadSession.Origin(client, generation, world::now));
                try {
                    start.begin(held.member, session);
                } catch (Throwable e) {
                    generation.refuse(new Failure(node.name, Failure.Kind.INTERNAL, e.toString()));
                    throw e;
                }
            }
        });
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

    void close() {
        nodes.stream()
                .flatMap(node -> node.held().stream())
                .forEach(held -> held.member.leave(new Failure("", Failure.Kind.CANCELLED, "the simulation is over")));
    }
}
