package org.espalier.node.service;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.Executor;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.NoMemoryException;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.program.Attention;
import org.espalier.program.Embed;
import org.espalier.program.Logits;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.espalier.weights.Piece;
import org.espalier.weights.Plain;
import org.espalier.weights.Region;
import org.espalier.weights.Weight;

/**
 * A causal "model" of whole numbers below a prime, exact in float32: every layer mixes a row with a sum over all rows before it, so a
 * lost, doubled or misplaced row changes every later token. Layers from 1 on "route".
 */
public final class FakeProgram implements Executor {

    public static final int HIDDEN = 8;
    public static final int VOCABULARY = 61;
    public static final int EXPERTS = 16;
    public static final int WIDTH = 2;
    private static final int PRIME = 65_521;
    private static final Path TABLE = table();

    /** Running sums of each layer after each row: [row][layer][D]. */
    private record Session(List<long[][]> rows, int maxLength) {}

    /** Milliseconds that each row takes; looks at the cancel flag all the time. */
    public volatile int rowMillis;
    /** What each layer says that it occupies. */
    public volatile long layerBytes = 1000;
    /** Rows for which there is KV memory. */
    public volatile long kvRows = Integer.MAX_VALUE;
    /** The logits of a session with this many rows are no numbers. */
    public volatile int nanAtLength = Integer.MAX_VALUE;
    /** A step of a session at or beyond this length fails. */
    public volatile int failAtLength = Integer.MAX_VALUE;

    /** There is no memory for a step of more rows. */
    public volatile int mostRows = Integer.MAX_VALUE;

    final AtomicInteger cuts = new AtomicInteger();
    final AtomicInteger rows = new AtomicInteger();
    final AtomicInteger steps = new AtomicInteger();
    final AtomicInteger greatestStep = new AtomicInteger();
    final List<Thread> owners = new ArrayList<>();
    volatile boolean closed;

    private final int first;
    private final int end;
    private final boolean last;
    private final int activationBytes;
    private final int window;
    private final Map<Long, Session> sessions = new HashMap<>();

    /** @param window rows that the layers say they see; 0: all */
    public FakeProgram(int first, int end, int layers, int activationBytes, int window) {
        this.activationBytes = activationBytes;
        this.window = window;
        this.first = first;
        this.end = end;
        this.last = end == layers;
    }

    /** Bytes that nothing reads, where the program's weights lie. */
    private static Path table() {
        try {
            Path file = Files.createTempFile("fake", ".weights");
            file.toFile().deleteOnExit();
            return Files.write(file, new byte[VOCABULARY * HIDDEN * Float.BYTES]);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Sessions that are open. */
    public int sessions() {
        return sessions.size();
    }

    /** Rows that ran so far. */
    public int rows() {
        return rows.get();
    }

    /** Steps that ran so far. */
    public int steps() {
        return steps.get();
    }

    /** Says what {@link LoadedProgram} checks steps by; an engine would compute it. */
    Program program() {
        ProgramBuilder builder = new ProgramBuilder("main", HIDDEN);
        View x = builder.slot(HIDDEN);
        Weight table = Weight.matrix(VOCABULARY, HIDDEN, Plain.F32, Piece.of(new Region(TABLE, 0, HIDDEN * 4)));
        if (first == 0) {
            builder.op(new Embed(builder.weight("embedding", table), x));
        }
        if (window > 0) {
            View seen = builder.slot(HIDDEN);
            builder.op(new Attention(x, x, x, List.of(0), 1, null, builder.cache(2 * HIDDEN, window), seen));
        }
        if (last) {
            builder.op(new Logits(x, builder.weight("head", table), builder.logits(table.rows())));
        }
        return builder.build(x, x);
    }

    @Override
    public int activationBytes() {
        return activationBytes;
    }

    @Override
    public long residentBytes() {
        return layerBytes * (end - first);
    }

    @Override
    public long kvBytesPerRow() {
        return (long) (end - first) * HIDDEN * Long.BYTES;
    }

    @Override
    public long stateBytes() {
        return 0;
    }

    @Override
    public void snapshot(long session) {}

    @Override
    public void dropSnapshot(long session, int length) {}

    @Override
    public long kvRowsFree() {
        return kvRows - reserved();
    }

    private int reserved() {
        return sessions.values().stream().mapToInt(Session::maxLength).sum();
    }

    @Override
    public void open(long session, int maxLength, RouterEdits edits) {
        own();
        if (maxLength > kvRowsFree()) {
            throw new NoMemoryException(
                    "session " + session + " of " + maxLength + " rows does not fit " + kvRowsFree());
        }
        sessions.put(session, new Session(new ArrayList<>(), maxLength));
    }

    @Override
    public void dropRows(long session, int length) {
        own();
        List<long[][]> rows = sessions.get(session).rows;
        rows.subList(length, rows.size()).clear();
        cuts.incrementAndGet();
    }

    @Override
    public void copyRows(long from, long to, int length) {
        own();
        Session source = sessions.get(from);
        sessions.put(to, new Session(new ArrayList<>(source.rows.subList(0, length)), source.maxLength));
    }

    @Override
    public void close(long session) {
        own();
        sessions.remove(session);
    }

    @Override
    public StepResult run(Step step, Exchange exchange, Cancel cancel) {
        own();
        steps.incrementAndGet();
        rows.addAndGet(step.rows());
        greatestStep.accumulateAndGet(step.rows(), Math::max);
        if (step.rows() > mostRows) {
            throw new NoMemoryException("a step of " + step.rows() + " rows does not fit");
        }
        ByteBuffer out = ByteBuffer.allocate(step.rows() * HIDDEN * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        List<float[]> logits = new ArrayList<>();
        List<Integer> routed = new ArrayList<>();
        for (int layer = Math.max(first, 1); layer < end; layer++) {
            routed.add(layer);
        }
        Routing routing = new Routing(
                routed.stream().mapToInt(Integer::intValue).toArray(),
                step.rows(),
                WIDTH,
                new short[routed.size() * step.rows() * WIDTH],
                new float[routed.size() * step.rows() * WIDTH]);
        int row = 0;
        for (Step.Entry entry : step.entries()) {
            Session session = sessions.get(entry.session());
            int before = session.rows.size();
            for (int i = 0; i < entry.rows(); i++, row++) {
                try {
                    pause(cancel);
                    cancel.check();
                } catch (CancelledException e) {
                    session.rows.subList(before, session.rows.size()).clear();
                    throw e;
                }
                if (session.rows.size() >= failAtLength) {
                    throw new EngineException("op 3 went wrong");
                }
                long[] x = input(entry, i, step.activations());
                layers(session, x, routing, row);
                for (long value : x) {
                    out.putFloat(value);
                }
                if (entry.logits() == Step.Logits.ALL || entry.logits() == Step.Logits.LAST && i == entry.rows() - 1) {
                    logits.add(session.rows.size() == nanAtLength ? new float[] {Float.NaN} : logits(x));
                }
            }
        }
        return new StepResult(
                last ? null : out.flip(),
                logits.toArray(float[][]::new),
                new int[0],
                step.wants(Step.Want.ROUTING) ? routing : null,
                null);
    }

    @Override
    public void close() {
        own();
        closed = true;
    }

    private long[] input(Step.Entry entry, int row, ByteBuffer activations) {
        long[] x = new long[HIDDEN];
        for (int i = 0; i < HIDDEN; i++) {
            x[i] = first == 0
                    ? (((Step.Input.Tokens) entry.input()).ids()[row] * 7919L + i * 104_729L + 1) % PRIME
                    : (long) activations.getFloat();
        }
        return x;
    }

    private void layers(Session session, long[] x, Routing routing, int row) {
        long[][] sums = new long[end - first][HIDDEN];
        long[][] former = session.rows.isEmpty() ? sums : session.rows.get(session.rows.size() - 1);
        for (int layer = first, routed = 0; layer < end; layer++) {
            for (int i = 0; i < HIDDEN; i++) {
                sums[layer - first][i] = (former[layer - first][i] * 5 + x[i]) % PRIME;
            }
            for (int i = 0; i < HIDDEN; i++) {
                x[i] = (x[i] * 3 + sums[layer - first][(i + 1) % HIDDEN] * 7 + layer * 11 + i) % PRIME;
            }
            if (layer > 0) {
                for (int k = 0; k < WIDTH; k++) {
                    int at = (routed * routing.rows() + row) * WIDTH + k;
                    routing.experts()[at] = (short) ((x[k] + k) % EXPERTS);
                    routing.weights()[at] = x[k] / (float) PRIME;
                }
                routed++;
            }
        }
        session.rows.add(sums);
    }

    private static float[] logits(long[] x) {
        float[] logits = new float[VOCABULARY];
        for (int token = 0; token < VOCABULARY; token++) {
            logits[token] = (x[token % HIDDEN] * (token + 1) * 31 + token * 17L) % 1009 / 100f;
        }
        return logits;
    }

    private void pause(Cancel cancel) {
        long until = System.nanoTime() + rowMillis * 1_000_000L;
        while (System.nanoTime() < until && !cancel.isSet()) {
            try {
                Thread.sleep(1);
            } catch (InterruptedException e) {
                throw new EngineException("interrupted", e);
            }
        }
    }

    private void own() {
        if (!owners.contains(Thread.currentThread())) {
            owners.add(Thread.currentThread());
        }
    }
}
