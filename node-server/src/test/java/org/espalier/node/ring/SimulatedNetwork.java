package org.espalier.node.ring;

import java.util.ArrayList;
import java.util.List;
import org.espalier.node.service.FakeEngine;

/** Nodes in simulated time and the links between them; rings of several deployments may run over the same nodes. */
final class SimulatedNetwork {

    final World world;
    final FakeEngine fakes;
    final List<SimulatedNode> nodes = new ArrayList<>();
    /** What was thrown that nobody had simulated. */
    final List<Throwable> defects = new ArrayList<>();

    private final StringBuilder log = new StringBuilder();

    /** Nodes n0, n1, ... */
    SimulatedNetwork(long seed, int count, FakeEngine fakes) {
        this.world = new World(seed);
        this.fakes = fakes;
        for (int i = 0; i < count; i++) {
            nodes.add(new SimulatedNode(this, "n" + i));
        }
    }

    void log(String event) {
        log.append(String.format("%10.3f %s%n", world.now() / 1e9, event));
    }

    /** What has happened. */
    String log() {
        return log.toString();
    }

    /** Something that was thrown: a defect unless it was simulated. */
    void thrown(String where, Throwable error) {
        log(where + " defect: " + error);
        if (!"simulated".equals(error.getMessage())) {
            defects.add(error);
        }
    }

    SimulatedNode node(String name) {
        return nodes.stream().filter(node -> node.name.equals(name)).findFirst().orElseThrow();
    }

    /** Begins a stream from a node to another one. */
    FrameSink dial(SimulatedNode from, String deployment, String next, FrameSource replies) {
        SimulatedNode to = node(next);
        SimulatedLink link = new SimulatedLink(world, deployment, from, to, replies);
        from.links.add(link);
        to.links.add(link);
        link.tamper(true, from.nextHello);
        from.nextHello = null;
        if (to.isDead()) {
            link.unreachable();
        }
        return link.sink();
    }

    /** A process is started where one was, and holds nothing. */
    void restart(SimulatedNode node) {
        log(node.name + " is started again");
        if (!node.isDead()) {
            node.crash(false);
        }
        nodes.set(nodes.indexOf(node), new SimulatedNode(this, node.name));
    }

    /** Lets time pass. */
    void run(double seconds) {
        world.runUntil(world.now() + World.seconds(seconds));
    }
}
