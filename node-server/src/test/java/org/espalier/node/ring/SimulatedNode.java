package org.espalier.node.ring;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.espalier.failure.Failure;
import org.espalier.node.service.FakeProgram;
import org.espalier.v1.Frame;
import org.espalier.v1.Hello;

/** A node's process with its agent and engine, without threads and wires. */
final class SimulatedNode implements EngineQueue.Engine {

    private static final long TICK = World.seconds(0.5);

    final SimulatedNetwork network;
    final String name;
    final List<SimulatedLink> links = new ArrayList<>();
    private final World world;
    private final EngineQueue engine;

    /** What is loaded, by deployment. */
    private final Map<String, SimulatedShard> held = new LinkedHashMap<>();

    private final List<SimulatedShard> former = new ArrayList<>();
    /** The latest epoch of each deployment that was to be loaded. */
    private final Map<String, Long> placing = new LinkedHashMap<>();

    private boolean dead;
    private boolean paused;
    private final Deque<Runnable> afterPause = new ArrayDeque<>();

    /** Thrown by the next step, once; null for none. */
    Throwable nextStep;
    /** Sessions whose steps and openings fail. */
    final Set<Long> poisoned = new HashSet<>();

    final Set<Long> unopenable = new HashSet<>();
    /** How long the next work takes in addition. */
    long delay;

    boolean hangs;
    /** Thrown by the next work itself, which no work should; null for none. */
    Throwable nextWork;
    /** What will happen to the next Hello that it sends; null for nothing. */
    SimulatedLink.Tampering nextHello;
    /** How many times the agent will find that there is no memory. */
    int shortages;
    /** What the programs that it loads are like. */
    Consumer<FakeProgram> likeness = program -> {};
    /** For which its shards have room. */
    int stepRows = StepRows.MOST;
    /** How long each row takes; 0: a time that the seed decides, whatever the work. */
    long rowNanos;

    SimulatedNode(SimulatedNetwork network, String name) {
        this.network = network;
        this.world = network.world;
        this.name = name;
        this.engine = new EngineQueue(this, world::now);
        world.after(world.millis(0, 500), this::tick);
    }

    /** What is loaded of a deployment, if anything is. */
    Optional<SimulatedShard> held(String deployment) {
        return Optional.ofNullable(held.get(deployment));
    }

    /** All that was ever loaded in this process. */
    List<SimulatedShard> all() {
        List<SimulatedShard> all = new ArrayList<>(former);
        all.addAll(held.values());
        return all;
    }

    /**
     * Loads a placement instead of the deployment's former one, once the engine has ended what it computes.
     *
     * @param then told when that is done
     */
    void load(RingPlace place, Runnable then) {
        String deployment = place.deployment();
        if (place.epoch() <= placing.getOrDefault(deployment, 0L)) {
            return; // it has been placed again in the meantime
        }
        placing.put(deployment, place.epoch());
        SimulatedShard old = held.remove(deployment);
        if (old != null) {
            old.guarded(() -> old.member.leave(RingFailure.gone(old.place, "placed again as epoch " + place.epoch())));
            former.add(old);
        }
        engine.submit(new Freed(() -> {
            if (placing.get(deployment) == place.epoch()) {
                held.put(deployment, new SimulatedShard(this, place, engine));
                then.run();
            }
        }));
    }

    private record Freed(Runnable then) implements EngineQueue.Work {
        @Override
        public Object owner() {
            return this;
        }

        @Override
        public void run() {}

        @Override
        public void executed(long nanos) {
            then.run();
        }

        @Override
        public void failed(Throwable error) {
            throw new AssertionError(error);
        }

        @Override
        public long limitNanos() {
            return World.seconds(60); // as a real agent's: those behind it are told
        }

        @Override
        public void overdue(EngineQueue.Work running, long nanos) {}
    }

    /** Has its process do something, unless it is dead; later if it is paused. */
    void handle(Runnable what) {
        if (dead) {
            return;
        }
        if (paused) {
            afterPause.add(what);
            return;
        }
        guarded(what);
    }

    /** As the agent of a real node: it goes on. */
    private void guarded(Runnable what) {
        try {
            what.run();
        } catch (Throwable e) {
            network.thrown(name, e);
        }
    }

    /** Throws an OutOfMemoryError if it is short of memory, for the last time perhaps. */
    void allocate() {
        if (shortages > 0) {
            shortages--;
            throw new OutOfMemoryError("simulated");
        }
    }

    private void tick() {
        if (paused) {
            afterPause.add(this::tick);
        } else if (!dead) {
            guarded(engine::tick);
            all().stream().filter(each -> !each.member.isGone()).forEach(each -> each.guarded(each.member::tick));
            world.after(TICK, this::tick);
        }
    }

    /** Whether its engine never comes back. */
    boolean isHung() {
        return hangs;
    }

    boolean isDead() {
        return dead;
    }

    /** @param silently as a machine that loses power; otherwise its connections close */
    void crash(boolean silently) {
        dead = true;
        for (SimulatedLink link : links) {
            if (silently) {
                link.silence();
            } else {
                link.cut();
            }
        }
    }

    void pause() {
        paused = true;
    }

    void resume() {
        paused = false;
        while (!paused && !afterPause.isEmpty()) {
            handle(afterPause.remove());
        }
    }

    /** What was done to its engine and sessions no longer matters. */
    void heal() {
        poisoned.clear();
        unopenable.clear();
        nextStep = null;
        nextWork = null;
        nextHello = null;
        shortages = 0;
        delay = 0;
        links.forEach(link -> link.tamper(true, null));
    }

    /** The first frame of a link, which must be Hello. */
    FrameSource greet(Frame frame, FrameSink replies) {
        if (!frame.hasHello() || frame.getNumber() != 0) {
            throw new Failure(name, Failure.Kind.INVALID, "the first frame must be Hello with number 0").exception();
        }
        Hello hello = frame.getHello();
        SimulatedShard shard = held(hello.getDeployment())
                .filter(one -> one.place.epoch() == hello.getEpoch())
                .orElseThrow(() -> gone(hello.getDeployment()).exception());
        return new SimulatedShard.Guarded(shard, shard.member.accept(hello, replies));
    }

    /** Why there is no such deployment here. */
    Failure gone(String deployment) {
        return new Failure(
                name,
                Failure.Kind.DEPLOYMENT_GONE,
                "node " + name + " has no deployment '" + deployment + "' of that epoch");
    }

    /** Work is done as it ends, so that a cancellation meanwhile is seen. */
    @Override
    public void execute(EngineQueue.Work work) {
        allocate();
        if (rowNanos > 0) {
            int before = rows();
            work.run();
            world.after(rowNanos * Math.max(1, rows() - before), () -> handle(engine::executed));
            return;
        }
        long takes = world.millis(0.1, 20) + delay;
        delay = 0;
        world.after(
                takes,
                () -> handle(() -> {
                    Throwable thrown = nextWork;
                    if (thrown != null && !(work instanceof Freed)) { // which lets nothing through
                        nextWork = null;
                        engine.failed(thrown);
                    } else {
                        work.run();
                        engine.executed();
                    }
                }));
    }

    private int rows() {
        return held.values().stream().mapToInt(shard -> shard.program.rows()).sum();
    }
}
