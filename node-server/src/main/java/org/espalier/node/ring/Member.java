package org.espalier.node.ring;

import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.v1.Frame;
import org.espalier.v1.Heartbeat;
import org.espalier.v1.Hello;
import org.espalier.v1.StageProgress;

/**
 * A node's part in one deployment's ring, as a machine without a wire: it is told what arrives and what time it is, and says through its
 * ports what to send, dial and compute. All calls come from one thread and none blocks, so that a test can play every order of events.
 *
 * <p>It has a stage, a role, the link to the next node and the link from the previous one. When any part breaks, the
 * failure goes to both neighbours and from there on, so that it reaches the head whichever side of the break it is on; sessions are freed.
 * The head of a ring that served before then begins the next incarnation: its Hello goes around, and every node that it reaches drops what
 * is left of the former one.
 */
public final class Member {

    private final RingPlace place;
    private final StageShard shard;
    private final HelloCheck hellos;
    private final Arithmetic arithmetic;
    private final RingPorts ports;
    private final Stage stage;
    private final StepTimes times;
    private final Role role;

    private final Rejoining rejoining = new Rejoining();
    private final Joins joins = new Joins();

    private Link outbound;
    private Link inbound;
    private long incarnation;
    /** Rows of sessions for which this node and all before it have KV memory; at the head, once it is dialled, all nodes. */
    private long kvRows;
    /** How many of them each session takes beside its own: the most of the same nodes. */
    private long kvSessionRows;
    /** The most rows of a step for which the same nodes have room. */
    private int stepRows;
    /** Whether a client has asked this node to join: from then on it dials the next whenever the previous one has dialled it. */
    private boolean asked;

    private boolean accepted;
    /** Why nothing runs; null while the ring serves or is being joined. */
    private Failure failure;
    /** Whether all that ran has been ended with the failure. */
    private boolean stopped;

    private boolean stopping;
    /** What the ring is still to be ended for; null for nothing. */
    private Throwable defect;
    /** Why the former incarnation broke; null once the ring serves again. */
    private Failure former;

    private boolean left;
    /** Whether this incarnation has been said to serve. */
    private boolean announced;
    /** What the stages before this one say of themselves. */
    private List<StageProgress> before = List.of();

    public Member(RingPlace place, StageShard shard, RingLimits limits, EngineQueue engine, RingPorts ports) {
        this.place = place;
        this.shard = shard;
        this.arithmetic = Arithmetic.of(shard);
        this.hellos = new HelloCheck(place, arithmetic);
        this.kvRows = shard.program().kvRows();
        this.kvSessionRows = shard.program().kvSessionRows();
        this.stepRows = shard.stepRows();
        this.ports = ports;
        this.times = new StepTimes(shard.program().residentBytes());
        Exit exit = place.exit();
        this.stage =
                new Stage(place, new ShardExecutor(place, shard.program(), exit), exit, engine, times, new FromStage());
        this.role = place.isHead()
                ? new Head(place, limits, times, ports::nanos, new FromHead())
                : new Follower(place, stage);
    }

    /** Sessions open on this node; at the head also those that wait for their first step. */
    public int sessions() {
        return Math.max(role.generations(), stage.sessions());
    }

    /** Whether both links are up. */
    public boolean serving() {
        return failure == null && asked && (place.isAlone() || accepted && inbound != null);
    }

    /** Whether there is a link to the next node, or one is being made. */
    public boolean hasDialled() {
        return outbound != null;
    }

    /** Dials on once this node was asked to join and has been dialled, so that what the head hears from the last node proves the whole ring. */
    private void dialOn() {
        if (asked && outbound == null && (role.begins() || inbound != null)) {
            dial();
        }
    }

    /** Why no generation can start; empty while the ring serves. */
    public Optional<Failure> refusal() {
        if (serving()) {
            return Optional.empty();
        }
        Failure why = failure == null ? former : failure;
        return Optional.of(
                why == null
                        ? refusal(Failure.Kind.REFUSED, "deployment " + place.deployment() + " is not joined yet")
                        : why);
    }

    /** Whether nothing of it is left for the engine. */
    public boolean isIdle() {
        return stage.isIdle();
    }

    private Failure refusal(Failure.Kind kind, String message) {
        return new Failure(place.self().getNode(), kind, message);
    }

    /**
     * Dials the next node. It is dialled once: whoever asks again waits for the same answer, or has it already.
     *
     * @param done told why it failed; empty once the next node has accepted
     */
    public void join(Consumer<Optional<Failure>> done) {
        if (failure != null) {
            done.accept(Optional.of(failure));
            return;
        }
        asked = true;
        incarnation = Math.max(1, incarnation);
        if (place.isAlone() || accepted) {
            served();
            done.accept(Optional.empty());
            return;
        }
        if (!joins.add(done)) {
            done.accept(Optional.of(refusal(
                    Failure.Kind.EXHAUSTED,
                    RingPlace.name(place.self()) + " is asked to join by too many callers already: try again later")));
            return;
        }
        dialOn();
    }

    private void dial() {
        Link link = new Link(place.next(), 0, new FromNext());
        link.open(ports.dial(link));
        outbound = link;
        Hello.Builder hello = Hello.newBuilder()
                .setDeployment(place.deployment())
                .setEpoch(place.epoch())
                .setNode(place.self().getNode())
                .setIncarnation(incarnation)
                .setDigest(place.digest())
                .setKvRows(kvRows)
                .setKvSessionRows(kvSessionRows)
                .setStepRows(stepRows);
        arithmetic.write(hello);
        link.send(Frame.newBuilder().setHello(hello));
    }

    /**
     * The previous node has dialled and sent Hello.
     *
     * @param replies to it
     * @return receives its further frames
     * @throws FailureException if it is not the previous node, is of another placement or incarnation, computes otherwise, or has dialled already
     */
    public FrameSource accept(Hello hello, FrameSink replies) {
        hellos.check(hello, incarnation);
        long theirs = hello.getIncarnation();
        if (left) {
            throw failure.exception();
        }
        if (theirs > incarnation
                && (!role.begins() || incarnation == 0)) { // a head that is not asked yet is no later one
            renew(theirs);
        } else if (theirs != incarnation) {
            throw refusal(
                            Failure.Kind.REFUSED,
                            RingPlace.name(place.self()) + " is in incarnation " + incarnation + " of deployment "
                                    + place.deployment() + ", " + RingPlace.name(place.previous()) + " in " + theirs)
                    .exception();
        }
        if (failure != null) {
            throw failure.exception();
        }
        if (inbound != null) {
            throw refusal(
                            Failure.Kind.REFUSED,
                            RingPlace.name(place.self()) + " already has a link from "
                                    + RingPlace.name(place.previous()))
                    .exception();
        }
        if (!stage.isIdle()) {
            Failure busy = refusal(
                    Failure.Kind.REFUSED,
                    RingPlace.name(place.self())
                            + " cannot join yet: its engine has not ended what it computed before");
            fail(busy);
            throw busy.exception();
        }
        kvRows = Math.min(hello.getKvRows(), shard.program().kvRows());
        kvSessionRows = Math.max(hello.getKvSessionRows(), shard.program().kvSessionRows());
        stepRows = StepRows.both(hello.getStepRows(), shard.stepRows());
        inbound = new Link(place.previous(), 1, new FromPrevious());
        inbound.open(replies);
        inbound.beat(Heartbeat.getDefaultInstance());
        dialOn();
        served();
        return inbound;
    }

    /** Leaves what is left of the former incarnation behind. */
    private void renew(long next) {
        if (incarnation == 0) {
            incarnation = next; // the first
            return;
        }
        Failure why = refusal(
                Failure.Kind.NODE_LOST,
                "the ring of deployment " + place.deployment() + " was joined again while it was still in use");
        if (failure == null) {
            stop(why);
        }
        former = failure;
        failure = null;
        stopped = false;
        incarnation = next;
    }

    private void served() {
        if (serving() && !announced) {
            announced = true;
            former = null;
            rejoining.serves(ports.nanos());
            role.serve(kvRows, kvSessionRows, stepRows);
            ports.joined(incarnation);
        }
    }

    /** Starts a generation at the head. */
    public void generate(HeadSession session) {
        refusal().ifPresentOrElse(session.replies::fail, () -> role.submit(session));
    }

    /** Starts a generation in a copy of the first {@code length} rows of a running one's session, which does not change. */
    public void fork(HeadSession session, long from, int length) {
        refusal().ifPresentOrElse(session.replies::fail, () -> role.fork(session, from, length));
    }

    /**
     * Truncates a generation's session to its first {@code length} rows on every node, between two of its steps.
     *
     * @param done completes when all nodes are told; exceptionally if a node refuses or the generation ends first
     */
    public void truncate(long session, int length, CompletableFuture<Void> done) {
        role.truncate(session, length, done);
    }

    /** Ends a generation's work on every node. */
    public void cancel(long session) {
        role.cancel(session);
    }

    /** Ends all generations of a client whose attachment broke. */
    public void cancelClient(String client, String connection) {
        role.cancelClient(client, connection);
    }

    /** The client of a generation takes its replies again. */
    public void ready(long session) {
        role.ready(session);
    }

    /** Each 0.5 s. */
    public void tick() {
        if (defect != null) {
            defect(defect);
        }
        Heartbeat heartbeat = heartbeat();
        for (Link link : links()) {
            link.beat(heartbeat);
        }
        for (Link link : links()) {
            link.tick();
        }
        role.tick(place.isAlone() ? heartbeat.getStagesList() : before);
        if (role.begins()) {
            rejoin();
        }
    }

    private void rejoin() {
        if (rejoining.isDue(ports.nanos()) && stage.isIdle()) {
            rejoining.attempt();
            renew(incarnation + 1);
            if (place.isAlone()) {
                served();
            } else {
                dial();
            }
        } else if (rejoining.givesUp(ports.nanos())) {
            failure = rejoining.advised(failure);
            ports.gaveUp(failure);
        }
    }

    private List<Link> links() {
        return Stream.of(Optional.ofNullable(outbound), Optional.ofNullable(inbound))
                .flatMap(Optional::stream)
                .toList();
    }

    /** The head begins the list, so that what comes back to it has each node once. */
    private Heartbeat heartbeat() {
        Heartbeat.Builder heartbeat = Heartbeat.newBuilder();
        if (!role.begins()) {
            heartbeat.addAllStages(before);
        }
        return heartbeat.addStages(stage.progress()).build();
    }

    /** Breaks the ring: both neighbours are told, generations fail, sessions are freed. */
    public void fail(Failure why) {
        if (stopped || stopping) {
            return;
        }
        stopping = true;
        try {
            Failure cause = rejoining.advised(why);
            stop(cause);
            if (!left) {
                rejoining.broke(cause, ports.nanos());
            }
            ports.broken(cause);
            stopped = true;
        } finally {
            stopping = false;
        }
    }

    /**
     * A defect of this class or of those that it calls: whoever waits is told. Where memory is short even that may fail, and throw something: it
     * is tried again at each tick.
     */
    public void defect(Throwable error) {
        defect = error;
        fail(refusal(
                Failure.Kind.INTERNAL,
                "the ring agent of node " + place.self().getNode() + " failed: " + Failure.words(error)));
        defect = null;
        ports.defect(error);
    }

    /** To be called again where it throws something. */
    private void stop(Failure cause) {
        failure = failure == null ? cause : failure;
        role.fail(failure);
        stage.stop();
        links().forEach(link -> fail(link, failure));
        outbound = null;
        inbound = null;
        accepted = false;
        announced = false;
        before = List.of();
        joins.answer(Optional.of(failure));
    }

    /** A link that cannot even be failed keeps nobody else from being told. */
    private void fail(Link link, Failure cause) {
        try {
            link.fail(cause);
        } catch (Throwable e) {
            link.drop();
        }
    }

    /** Leaves the ring for good; the shard stays loaded. Neighbours are told {@code why}. */
    public void leave(Failure why) {
        left = true;
        rejoining.end();
        fail(why);
        failure = why;
    }

    /** Whether it has left, and nobody is to be told of it any more: it needs no ticks. */
    public boolean isGone() {
        return left && stopped;
    }

    /** Drops both links without telling the neighbours, as a machine that loses power does. */
    public void dropLinks() {
        links().forEach(Link::drop);
    }

    private final class FromNext implements Link.Receiver {
        @Override
        public void onAccepted() {
            accepted = true;
            joins.answer(Optional.empty());
            served();
        }

        @Override
        public void onFrame(Frame frame) {
            fail(RingFailure.violation(
                    place.next(), "it sent a frame against the direction of the ring, " + frame.getBodyCase()));
        }

        @Override
        public void onFailure(Failure cause) {
            fail(RingFailure.said(place, place.next(), cause));
        }
    }

    private final class FromPrevious implements Link.Receiver {
        @Override
        public void onHeartbeat(Heartbeat heartbeat) {
            place.checkBefore(heartbeat.getStagesList())
                    .ifPresentOrElse(
                            wrong -> fail(RingFailure.violation(place.previous(), wrong)),
                            () -> before = heartbeat.getStagesList());
        }

        @Override
        public void onFrame(Frame frame) {
            receive(frame);
        }

        @Override
        public void onFailure(Failure cause) {
            fail(RingFailure.said(place, place.previous(), cause));
        }
    }

    /** A frame of the previous node; in a ring of one of the own stage. None counts once the ring has broken, though not all may know it yet. */
    private void receive(Frame frame) {
        if (failure != null) {
            return;
        }
        try {
            role.accept(frame);
        } catch (IllegalArgumentException e) {
            fail(RingFailure.violation(place.previous(), e.getMessage()));
        }
    }

    private final class FromStage implements Stage.Next {
        @Override
        public void send(Frame.Builder frame) {
            if (failure != null) {
                return;
            }
            if (place.isAlone()) {
                receive(frame.build());
            } else if (outbound != null) {
                outbound.send(frame);
            } else {
                fail(RingFailure.violation(
                        place.previous(), "it sent " + frame.getBodyCase() + " before the ring was joined"));
            }
        }

        @Override
        public void onHang(Failure cause) {
            fail(cause);
        }

        @Override
        public void onDefect(Throwable error) {
            defect(error);
        }
    }

    private final class FromHead implements Head.Ring {
        @Override
        public void send(Frame frame) {
            if (failure == null) {
                stage.accept(frame);
            }
        }

        @Override
        public void broken(Failure why) {
            fail(why);
        }
    }
}
