package org.espalier.node.ring;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import org.espalier.failure.Failure;
import org.espalier.v1.Frame;

/** A stream from a node to the next one, with replies: what is sent arrives later, in order, unless it is tampered with. */
final class SimulatedLink {

    /** What may happen to a numbered frame. */
    enum Tampering {
        LOSE,
        DOUBLE,
        REORDER
    }

    final String deployment;
    final SimulatedNode caller;
    final SimulatedNode callee;
    private final World world;
    private final Direction forth;
    private final Direction back;
    private boolean held;
    private final Deque<Runnable> waiting = new ArrayDeque<>();

    SimulatedLink(World world, String deployment, SimulatedNode caller, SimulatedNode callee, FrameSource replies) {
        this.deployment = deployment;
        this.world = world;
        this.caller = caller;
        this.callee = callee;
        this.forth = new Direction(caller, callee);
        this.back = new Direction(callee, caller);
        this.back.source = replies;
    }

    /** Where the caller sends. */
    FrameSink sink() {
        return forth;
    }

    /** Nothing arrives until the link is released. */
    void hold() {
        held = true;
    }

    void release() {
        held = false;
        while (!waiting.isEmpty()) {
            waiting.remove().run();
        }
    }

    /** Both ends find that the connection has closed, each in its own time. */
    void cut() {
        world.after(world.millis(0, 300), () -> forth.closed("its connection closed"));
        world.after(world.millis(0, 300), () -> back.closed("its connection closed"));
        forth.broken = true;
        back.broken = true;
    }

    /** Tampers with the next numbered frame in a direction. */
    void tamper(boolean forward, Tampering how) {
        (forward ? forth : back).next = how;
    }

    /** Frames of one side. */
    private final class Direction implements FrameSink {
        private final SimulatedNode from;
        private final SimulatedNode to;
        /** Null until Hello was answered. */
        private FrameSource source;

        private boolean refused;
        private boolean over;
        private boolean broken;
        private long last;
        private Tampering next;
        private Frame overtaken;

        private Direction(SimulatedNode from, SimulatedNode to) {
            this.from = from;
            this.to = to;
        }

        @Override
        public void send(Frame frame) {
            from.allocate();
            if (broken) {
                return;
            }
            boolean numbered = !frame.hasHeartbeat() && !frame.hasFailure();
            if (overtaken != null && numbered) {
                deliver(frame);
                deliver(overtaken);
                overtaken = null;
            } else if (next == null || !numbered) {
                deliver(frame);
            } else {
                Tampering how = next;
                next = null;
                switch (how) {
                    case LOSE -> {}
                    case DOUBLE -> {
                        deliver(frame);
                        deliver(frame);
                    }
                    case REORDER -> overtaken = frame;
                }
            }
        }

        private void deliver(Frame frame) {
            arrive(() -> {
                if (!over) {
                    take(frame);
                }
            });
        }

        private void arrive(Runnable what) {
            last = Math.max(last + 1, world.now() + world.millis(0.05, world.chance(0.05) ? 40 : 1));
            world.at(last, () -> {
                if (held) {
                    waiting.add(() -> to.handle(what));
                } else {
                    to.handle(what);
                }
            });
        }

        private void take(Frame frame) {
            if (source != null) {
                source.onFrame(frame);
            } else if (!refused) {
                greet(frame);
            }
        }

        private void greet(Frame frame) {
            try {
                source = to.greet(frame, back);
            } catch (Throwable e) {
                refused = true;
                back.arriveEnd(Optional.of(Failure.of(e, Failure.Kind.REFUSED).at(to.name, "node " + to.name)), "");
            }
        }

        @Override
        public void end() {
            arriveEnd(Optional.empty(), "it ended the stream");
        }

        @Override
        public void drop() {
            arriveEnd(Optional.empty(), "its connection closed");
        }

        private void arriveEnd(Optional<Failure> said, String reason) {
            if (!broken) {
                arrive(() -> ended(said, reason));
            }
        }

        private void closed(String reason) {
            to.handle(() -> ended(Optional.empty(), reason));
        }

        private void ended(Optional<Failure> said, String reason) {
            if (!over) {
                over = true;
                if (source != null) {
                    source.onEnd(said, reason);
                }
            }
        }
    }

    /** The callee's process is not there. */
    void unreachable() {
        forth.broken = true;
        back.broken = true;
        world.after(world.millis(0.1, 2), () -> caller.handle(() -> back.ended(Optional.empty(), "nothing answers")));
    }

    /** One end has lost power: the other hears nothing more. */
    void silence() {
        forth.broken = true;
        back.broken = true;
    }

    @Override
    public String toString() {
        return deployment + ": " + caller.name + " > " + callee.name;
    }
}
