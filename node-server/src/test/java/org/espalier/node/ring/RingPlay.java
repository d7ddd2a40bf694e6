package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.espalier.engine.EngineException;
import org.espalier.node.service.FakeEngine;

/**
 * A ring with generations and faults that a seed decides. Every generation must end with the right tokens and routing, or with an error that
 * names a right node: one end of a broken link, the node whose engine threw or stalled, the sender of a lost, doubled or reordered frame; of
 * several faults any one. Afterwards the ring serves again, by itself or once its client has loaded it again, and nothing is left. In some
 * plays another deployment runs on the same nodes, or on some of them: it suffers with them, and not for what is done to the first one.
 */
final class RingPlay {

    /** More than the limits of a first step and the watch above it. */
    private static final long HORIZON = World.seconds(900);

    private final SimulatedNetwork network;
    private final World world;
    private final SimulatedClient first;
    /** The first one and perhaps another. */
    private final List<SimulatedClient> clients = new ArrayList<>();

    private RingPlay(SimulatedNetwork network, SimulatedRing.Expected expected) {
        this.network = network;
        this.world = network.world;
        List<String> names = network.nodes.stream().map(node -> node.name).toList();
        this.first = new SimulatedClient(new SimulatedRing(network, "d", names, 1), expected);
        clients.add(first);
        if (world.chance(0.3)) {
            List<String> some = new ArrayList<>(names);
            Collections.shuffle(some, world.random);
            clients.add(new SimulatedClient(
                    new SimulatedRing(network, "e", some.subList(0, 1 + world.random.nextInt(some.size())), 1001),
                    expected));
        }
    }

    /** Plays what the seed decides. Throws an AssertionError that says what went wrong. */
    static void play(long seed, FakeEngine fakes, SimulatedRing.Expected expected) {
        int count = 1 + (int) Math.floorMod(seed, 8L);
        SimulatedNetwork network = new SimulatedNetwork(seed, count, fakes);
        RingPlay play = new RingPlay(network, expected);
        try {
            play.play();
        } catch (AssertionError e) {
            System.err.println(network.log());
            throw new AssertionError(
                    "seed " + seed + ", " + count + " nodes: " + e.getMessage() + "\n" + network.log(), e);
        } finally {
            play.clients.forEach(client -> client.ring.close());
        }
    }

    private void play() {
        network.run(0.05);
        first.begin(7);
        clients.stream().skip(1).forEach(other -> other.begin(3));
        int faults = world.chance(0.25) ? 0 : 1 + world.random.nextInt(2);
        for (int i = 0; i < faults; i++) {
            world.after(world.millis(1600, 4100), this::fault);
        }
        check();
    }

    /** What all deployments suffer from. */
    private void blame(Consumer<Blame> what) {
        clients.forEach(client -> what.accept(client.blame));
    }

    private void fault() {
        SimulatedNode node = network.nodes.get(world.random.nextInt(network.nodes.size()));
        String name = node.name;
        switch (world.random.nextInt(17)) {
            case 0 -> crash(node, false);
            case 1 -> crash(node, true);
            case 2 -> {
                double seconds = 0.2 + 4 * world.random.nextDouble();
                network.log("fault: " + name + " pauses for " + seconds + " s");
                blame(blame -> blame.node(name));
                node.pause();
                world.after(World.seconds(seconds), node::resume);
            }
            case 3, 4 ->
                link(node).ifPresent(link -> {
                    network.log("fault: the link " + link + " is cut");
                    ends(link);
                    link.cut();
                });
            case 5 ->
                link(node).ifPresent(link -> {
                    double seconds = 0.2 + 4 * world.random.nextDouble();
                    network.log("fault: the link " + link + " is held for " + seconds + " s");
                    ends(link);
                    link.hold();
                    world.after(World.seconds(seconds), link::release);
                });
            case 6, 7 ->
                link(node).ifPresent(link -> {
                    SimulatedLink.Tampering how = tampering();
                    network.log("fault: " + how + " a frame of " + link);
                    of(link).node(link.caller.name);
                    link.tamper(true, how);
                });
            case 8 -> {
                boolean memory = world.chance(0.5);
                network.log("fault: the engine of " + name + " fails once" + (memory ? " for memory" : ""));
                blame(blame -> blame.transientFault(name));
                node.nextStep = memory ? new OutOfMemoryError("heap") : new EngineException("op 3 went wrong");
            }
            case 9 -> {
                long session = 1 + world.random.nextInt(8);
                network.log("fault: session " + session + " fails on " + name);
                first.blame.session(session, name);
                node.poisoned.add(session);
            }
            case 10 -> {
                long session = 1 + world.random.nextInt(8);
                network.log("fault: session " + session + " cannot be opened on " + name);
                first.blame.session(session, name);
                node.unopenable.add(session);
            }
            case 11 -> {
                int times = 1 + world.random.nextInt(4);
                network.log("fault: the agent of " + name + " has no memory " + times + " times");
                blame(blame -> blame.node(name));
                node.shortages = times;
            }
            case 12 -> {
                network.log("fault: work for the engine of " + name + " throws what none should");
                blame(blame -> blame.node(name));
                node.nextWork = new OutOfMemoryError("simulated");
            }
            case 13 -> {
                first.blame.placedAgain();
                first.ring.loadAgain();
            }
            case 14 -> {
                network.log("fault: two clients load at once, " + name + " has the placement of the other");
                first.blame.placedAgain();
                around(node).forEach(first.blame::node);
                first.lose(node);
                first.ring.loadTwice(node);
            }
            case 15 -> {
                SimulatedLink.Tampering how = tampering();
                network.log("fault: " + how + " the next Hello of " + name);
                clients.forEach(client -> client.lose(node)); // it may be refused for good
                for (SimulatedClient client : clients) {
                    client.ring.next(node).ifPresent(client.blame::node);
                    client.blame.node(name);
                }
                node.nextHello = how;
            }
            default -> {
                double seconds = world.chance(0.5) ? 10 : world.chance(0.5) ? 90 + world.random.nextInt(200) : 100_000;
                network.log("fault: the engine of " + name + " is busy for " + seconds + " s");
                blame(blame -> blame.node(name));
                node.delay = World.seconds(seconds);
                if (seconds > 1000) {
                    clients.forEach(client -> client.lose(node));
                    node.hangs = true;
                }
            }
        }
    }

    private SimulatedLink.Tampering tampering() {
        return SimulatedLink.Tampering.values()[world.random.nextInt(3)];
    }

    /** A node and its neighbours in the first ring. */
    private List<String> around(SimulatedNode node) {
        int count = network.nodes.size();
        int index = network.nodes.indexOf(node);
        return IntStream.of(index - 1, index, index + 1)
                .mapToObj(i -> network.nodes.get(Math.floorMod(i, count)).name)
                .toList();
    }

    /** Whose link it is. */
    private Blame of(SimulatedLink link) {
        return clients.stream()
                .filter(client -> client.ring.deployment.equals(link.deployment))
                .findFirst()
                .orElseThrow()
                .blame;
    }

    private void ends(SimulatedLink link) {
        of(link).node(link.caller.name);
        of(link).node(link.callee.name);
    }

    /** Half of the nodes that die are started again before anybody looks. */
    private void crash(SimulatedNode node, boolean silently) {
        network.log("fault: " + node.name + " is killed" + (silently ? ", silently" : ""));
        blame(blame -> blame.node(node.name));
        clients.forEach(client -> client.lose(node));
        node.crash(silently);
        if (world.chance(0.5)) {
            world.after(world.millis(100, 5000), () -> {
                if (network.nodes.contains(node)) {
                    network.restart(node);
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
        while (world.now() < HORIZON && !clients.stream().allMatch(SimulatedClient::isOver)) {
            world.runUntil(world.now() + World.seconds(5));
        }
        clients.forEach(SimulatedClient::checkGenerations);
        serveAgain();
        network.run(2);
        long limit = world.now() + World.seconds(400);
        while (world.now() < limit && !held().allMatch(SimulatedShard::isAtRest)) {
            network.run(1);
        }
        held().forEach(RingPlay::checkNothingLeft);
        clients.forEach(SimulatedClient::checkOrders);
        if (!network.defects.isEmpty()) {
            throw new AssertionError("a defect: " + network.defects.get(0), network.defects.get(0));
        }
    }

    private Stream<SimulatedShard> held() {
        return network.nodes.stream().flatMap(node -> node.all().stream());
    }

    private void serveAgain() {
        network.nodes.forEach(SimulatedNode::heal);
        network.run(3); // a frame that was held back is noticed
        List.copyOf(network.nodes).stream()
                .filter(node -> node.isDead() || node.isHung())
                .forEach(network::restart);
        clients.forEach(SimulatedClient::loadAgainIfLost);
        network.run(1);
        long limit = world.now() + World.seconds(400);
        while (!clients.stream().allMatch(SimulatedClient::isIdleAndServes) && world.now() < limit) {
            network.run(1);
        }
        clients.forEach(SimulatedClient::checkServes);
    }

    private static void checkNothingLeft(SimulatedShard held) {
        String name = RingPlace.name(held.place.self()) + " in epoch " + held.place.epoch() + " of "
                + held.place.deployment();
        SimulatedClient.require(
                held.member.sessions() == 0, name + " has " + held.member.sessions() + " sessions left");
        SimulatedClient.require(held.member.isIdle(), name + " has work left");
        SimulatedClient.require(
                held.program.sessions() == 0, name + "'s engine has " + held.program.sessions() + " sessions left");
    }
}
