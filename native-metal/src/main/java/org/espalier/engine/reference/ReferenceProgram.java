package org.espalier.engine.reference;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.espalier.engine.Cancel;
import org.espalier.engine.EngineException;
import org.espalier.engine.Exchange;
import org.espalier.engine.LoadedProgram;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.program.Program;
import org.espalier.weights.Matrix;
import org.espalier.weights.WeightReader;

/** A program with its mapped weights and its sessions. */
final class ReferenceProgram implements LoadedProgram {

    private final Program program;
    private final Parallel parallel;
    private final WeightReader reader = WeightReader.mapped();
    private final Map<String, Matrix> matrices = new HashMap<>();
    private final Map<Long, Session> sessions = new HashMap<>();

    ReferenceProgram(Program program, Parallel parallel) {
        this.program = program;
        this.parallel = parallel;
        program.weights().forEach((name, weight) -> matrices.put(name, reader.open(name, weight)));
    }

    @Override
    public Program program() {
        return program;
    }

    @Override
    public int activationBytes() {
        return Float.BYTES;
    }

    @Override
    public long residentBytes() {
        return program.weightBytes();
    }

    @Override
    public void open(long session, int maxLength, RouterEdits edits) {
        if (sessions.containsKey(session)) {
            throw new EngineException("session " + session + " is open already");
        }
        if (maxLength < 1) {
            throw new EngineException(
                    "session " + session + " cannot be opened for " + maxLength + " rows, at least 1");
        }
        sessions.put(
                session,
                new Session(
                        maxLength,
                        edits,
                        program.caches().stream()
                                .map(cache -> KvCache.of(cache, maxLength))
                                .toList(),
                        0));
    }

    @Override
    public void truncate(long session, int length) {
        Session found = session(session);
        if (length < 0 || length > found.length()) {
            throw new EngineException(
                    "session " + session + " has " + found.length() + " rows and cannot be cut to " + length);
        }
        checkCut(session, found, length);
        found.truncate(length);
    }

    @Override
    public void fork(long from, long to, int length) {
        Session source = session(from);
        if (length < 0 || length > source.length()) {
            throw new EngineException(
                    "session " + from + " has " + source.length() + " rows, a fork of " + length + " was asked for");
        }
        if (sessions.containsKey(to)) {
            throw new EngineException("session " + to + " is open already");
        }
        checkCut(from, source, length);
        sessions.put(to, source.fork(length));
    }

    private void checkCut(long id, Session session, int length) {
        if (!session.canTruncate(length)) {
            throw new EngineException("session " + id + " has " + session.length() + " rows and cannot be cut to "
                    + length + ": layers that see a window of rows keep " + Program.Cache.SPARE
                    + " more than that; open a new session and send its tokens again");
        }
    }

    @Override
    public void close(long session) {
        sessions.remove(session);
    }

    @Override
    public int length(long session) {
        return session(session).length();
    }

    private Session session(long id) {
        Session session = sessions.get(id);
        if (session == null) {
            throw new EngineException("session " + id + " is not open");
        }
        return session;
    }

    @Override
    public StepResult run(Step step, Exchange exchange, Cancel cancel) {
        StepRows rows = rows(step);
        Slots slots = new Slots(program.slots(), rows.count());
        if (!program.embedsTokens()) {
            receive(step.activations(), slots, rows.count());
        }
        StepRun run = new StepRun(program, matrices, parallel, slots, rows, cancel);
        program.ops().forEach(op -> {
            cancel.check();
            run.run(op, exchange);
        });
        cancel.check();
        step.entries().forEach(entry -> session(entry.session()).commit(entry.position() + entry.rows()));
        ByteBuffer output = program.endsInLogits() && !step.lastHidden() ? null : send(slots, rows.count());
        return new StepResult(
                program.endsInLogits() ? null : output,
                run.logits(),
                step.routing() ? run.routing() : null,
                step.lastHidden() ? output : null);
    }

    private StepRows rows(Step step) {
        if (step.entries().isEmpty()) {
            throw new EngineException("the step has no rows");
        }
        StepRows rows = new StepRows();
        Set<Long> seen = new HashSet<>();
        for (Step.Entry entry : step.entries()) {
            Session session = session(entry.session());
            if (!seen.add(entry.session())) {
                throw new EngineException("session " + entry.session() + " stands twice in the step");
            }
            if (entry.rows() < 1 || entry.tokens() != null && entry.tokens().length != entry.rows()) {
                throw new EngineException("session " + entry.session() + " brings " + entry.rows() + " rows");
            }
            if (entry.position() != session.length()) {
                throw new EngineException("session " + entry.session() + " has " + session.length()
                        + " rows, the step goes on at " + entry.position());
            }
            long end = (long) entry.position() + entry.rows();
            if (end > session.maxLength()) {
                throw new EngineException("session " + entry.session() + " was opened for " + session.maxLength()
                        + " rows, the step would make " + end);
            }
            if (program.embedsTokens() != (entry.tokens() != null)) {
                throw new EngineException("program '" + program.name() + "' takes "
                        + (program.embedsTokens()
                                ? "tokens, the step brings none"
                                : "activations, the step brings tokens"));
            }
            session.caches().forEach(cache -> cache.reserve((int) end));
            rows.add(session, entry);
        }
        return rows;
    }

    private void receive(ByteBuffer activations, Slots slots, int rows) {
        long expected = (long) rows * program.hidden() * Float.BYTES;
        if (activations == null || activations.remaining() != expected) {
            throw new EngineException(rows + " rows x " + program.hidden() + " need " + expected
                    + " bytes of activations, found " + (activations == null ? "none" : activations.remaining()));
        }
        ByteBuffer bytes = activations.duplicate().order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < rows; t++) {
            int at = slots.at(program.input(), t);
            for (int i = 0; i < program.hidden(); i++) {
                slots.array(program.input())[at + i] = bytes.getFloat();
            }
        }
    }

    private ByteBuffer send(Slots slots, int rows) {
        ByteBuffer bytes =
                ByteBuffer.allocate(rows * program.hidden() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        for (int t = 0; t < rows; t++) {
            int at = slots.at(program.output(), t);
            for (int i = 0; i < program.hidden(); i++) {
                bytes.putFloat(slots.array(program.output())[at + i]);
            }
        }
        return bytes.flip();
    }

    @Override
    public void close() {
        sessions.clear();
        matrices.clear();
        reader.close();
    }
}
