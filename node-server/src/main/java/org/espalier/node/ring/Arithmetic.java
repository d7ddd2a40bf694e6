package org.espalier.node.ring;

import java.util.Optional;
import org.espalier.v1.Hello;

/**
 * What a node of a ring computes with. Engines may differ; precision and the width of activations may not, since a node reads the bytes
 * that the previous one wrote.
 *
 * @param activationBytes of one value between nodes
 */
record Arithmetic(String engine, String precision, int activationBytes) {

    static Arithmetic of(StageShard shard) {
        return new Arithmetic(shard.engine(), shard.precision(), shard.program().activationBytes());
    }

    static Arithmetic of(Hello hello) {
        return new Arithmetic(hello.getEngine(), hello.getPrecision(), hello.getActivationBytes());
    }

    void write(Hello.Builder hello) {
        hello.setEngine(engine).setPrecision(precision).setActivationBytes(activationBytes);
    }

    /**
     * Why this node, {@code place.self()}, cannot follow the previous one; empty if it can.
     *
     * @param previous the previous node's arithmetic
     */
    Optional<String> refuses(Arithmetic previous, RingPlace place) {
        if (precision.equals(previous.precision) && activationBytes == previous.activationBytes) {
            return Optional.empty();
        }
        return Optional.of(RingPlace.name(place.previous()) + " runs " + previous + ", " + RingPlace.name(place.self())
                + " runs " + this + ": the nodes of deployment " + place.deployment()
                + " need one precision and one width; load it again with one engine on all nodes, or with precision"
                + " float32");
    }

    @Override
    public String toString() {
        return "engine " + engine + " in " + precision + " with " + activationBytes + " bytes an activation value";
    }
}
