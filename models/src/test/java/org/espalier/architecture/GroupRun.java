package org.espalier.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.espalier.checkpoint.Checkpoint;
import org.espalier.engine.Cancel;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.Loading;
import org.espalier.engine.Meeting;
import org.espalier.engine.Precision;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.engine.Wire;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.slice.Member;
import org.espalier.slice.SliceGroup;

/**
 * One sequence through groups of nodes that share layers, each node an engine and a thread of its own; within a group they meet in this process. Any
 * node of a group hands its activations on to all of the next: they must be the same bits.
 */
final class GroupRun implements AutoCloseable {

    static final long SESSION = 1;
    private static final int LONGEST_STEP_SECONDS = 60;

    private final List<List<Node>> groups = new ArrayList<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private int position;

    /** A node's engine and program. */
    record Node(Engine engine, LoadedProgram program) {}

    /** Wraps a node's exchange of one step, for a test that looks on or interferes. */
    interface Interference {

        Interference NONE = (exchange, rank, cancel) -> exchange;

        /** @param cancel the node's own flag */
        Exchange wrap(Exchange exchange, int rank, Cancel cancel);
    }

    GroupRun(Architecture architecture, Checkpoint checkpoint, List<SliceGroup> placed) {
        this(ReferenceEngine::new, architecture, checkpoint, placed);
    }

    /** @param engines starts the engine of a node */
    GroupRun(Supplier<Engine> engines, Architecture architecture, Checkpoint checkpoint, List<SliceGroup> placed) {
        for (SliceGroup group : placed) {
            List<Node> nodes = new ArrayList<>();
            groups.add(nodes);
            for (int rank = 0; rank < group.size(); rank++) {
                Engine engine = engines.get();
                EngineOptions options = new EngineOptions(
                        Precision.FLOAT32,
                        new EngineOptions.Group(rank, group.size()),
                        EngineOptions.KvType.F32,
                        0,
                        1,
                        Set.of());
                LoadedProgram program = LoadedProgram.load(
                        engine, architecture.program(checkpoint, new Member(group, rank)), options, Loading.quietly());
                program.open(SESSION, 256, RouterEdits.NONE);
                nodes.add(new Node(engine, program));
            }
        }
    }

    /** What all groups together computed: logits of the last row, the residual stream before the last norm, routing by group. */
    record Result(float[] logits, ByteBuffer hidden, List<Routing> routing) {}

    /** Every node's programs, by group. */
    List<List<LoadedProgram>> programs() {
        return groups.stream()
                .map(group -> group.stream().map(Node::program).toList())
                .toList();
    }

    Result step(int... tokens) {
        return step(Interference.NONE, Step.Logits.LAST, tokens);
    }

    /** @throws NodesFailed with the error of each node, after every node has ended */
    Result step(Interference interference, Step.Logits logits, int... tokens) {
        ByteBuffer activations = null;
        List<Routing> routing = new ArrayList<>();
        StepResult last = null;
        for (int group = 0; group < groups.size(); group++) {
            List<StepResult> results =
                    together(group, interference, entry(group, logits, activations, tokens), activations);
            last = results.get(0);
            for (StepResult other : results) {
                assertSame(last, other);
            }
            activations = last.activations();
            if (last.routing().layers().length > 0) {
                routing.add(last.routing());
            }
        }
        position += tokens.length;
        return new Result(
                last.logits().length == 0 ? null : last.logits()[last.logits().length - 1], last.lastHidden(), routing);
    }

    private Step.Entry entry(int group, Step.Logits logits, ByteBuffer activations, int... tokens) {
        Step.Logits wanted = group == groups.size() - 1 ? logits : Step.Logits.NONE;
        return activations == null
                ? Step.Entry.ofTokens(SESSION, position, tokens, wanted)
                : Step.Entry.ofRows(SESSION, position, tokens.length, wanted);
    }

    private List<StepResult> together(int group, Interference interference, Step.Entry entry, ByteBuffer activations) {
        List<Node> nodes = groups.get(group);
        Meeting meeting = new Meeting(nodes.size(), new Wire(Float.BYTES));
        boolean ends = group == groups.size() - 1;
        List<Future<StepResult>> running = new ArrayList<>();
        for (int rank = 0; rank < nodes.size(); rank++) {
            Cancel cancel = new Cancel();
            Exchange exchange = interference.wrap(meeting.of(rank), rank, cancel);
            LoadedProgram program = nodes.get(rank).program();
            Set<Step.Want> wants = ends ? Set.of(Step.Want.ROUTING, Step.Want.LAST_HIDDEN) : Set.of(Step.Want.ROUTING);
            ByteBuffer in = activations == null ? null : activations.duplicate();
            running.add(threads.submit(leaving(
                    meeting, () -> program.run(new Step(List.of(entry), in, wants), exchange, cancel))));
        }
        List<StepResult> results = new ArrayList<>();
        List<Throwable> errors = new ArrayList<>();
        for (Future<StepResult> node : running) {
            try {
                results.add(node.get(LONGEST_STEP_SECONDS, TimeUnit.SECONDS));
            } catch (ExecutionException e) {
                errors.add(e.getCause());
            } catch (TimeoutException | InterruptedException e) {
                throw new AssertionError("a node still waits", e);
            }
        }
        if (!errors.isEmpty()) {
            throw new NodesFailed(errors);
        }
        return results;
    }

    /** What nodes threw, in the order of their ranks. */
    static final class NodesFailed extends RuntimeException {
        final transient List<Throwable> errors;

        NodesFailed(List<Throwable> errors) {
            super(errors.toString());
            this.errors = errors;
        }
    }

    /** As a node does that cannot go on: it says so to those that wait for it. */
    private static Callable<StepResult> leaving(Meeting meeting, Callable<StepResult> work) {
        return () -> {
            try {
                return work.call();
            } catch (Throwable e) {
                meeting.leave();
                throw e;
            }
        };
    }

    private static void assertSame(StepResult a, StepResult b) {
        assertThat(bits(b.logits())).as("logits of a group's nodes").isEqualTo(bits(a.logits()));
        assertThat(b.activations()).as("activations of a group's nodes").isEqualTo(a.activations());
        assertThat(b.lastHidden()).as("residual streams of a group's nodes").isEqualTo(a.lastHidden());
        assertThat(b.routing().experts())
                .as("experts on a group's nodes")
                .isEqualTo(a.routing().experts());
        assertThat(bits(b.routing().weights()))
                .as("gate weights on a group's nodes")
                .isEqualTo(bits(a.routing().weights()));
    }

    private static int[][] bits(float[]... values) {
        return Arrays.stream(values)
                .map(row -> IntStream.range(0, row.length)
                        .map(i -> Float.floatToRawIntBits(row[i]))
                        .toArray())
                .toArray(int[][]::new);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        for (List<Node> group : groups) {
            for (Node node : group) {
                node.program().close();
                node.engine().close();
            }
        }
    }
}
