package org.espalier.engine;

import java.util.HashSet;
import java.util.Set;
import java.util.function.LongFunction;
import org.espalier.engine.RouterEdits.LayerEdit;
import org.espalier.program.Program;
import org.espalier.program.Route;

/** Checks that a step fits its program and its sessions, so that engines need not. */
final class StepCheck {

    private final Program program;
    private final int activationBytes;
    private final int vocabulary;

    StepCheck(Program program, int activationBytes) {
        this.program = program;
        this.activationBytes = activationBytes;
        this.vocabulary = program.vocabulary();
    }

    /** @throws EngineException saying what does not fit; {@code sessions} throws for a session that is not open */
    void check(Step step, LongFunction<OpenSession> sessions) {
        if (step.entries().isEmpty()) {
            throw new EngineException("the step has no rows");
        }
        Set<Long> seen = new HashSet<>();
        for (Step.Entry entry : step.entries()) {
            OpenSession session = sessions.apply(entry.session());
            if (!seen.add(entry.session())) {
                throw new EngineException("session " + entry.session() + " is in the step twice");
            }
            length(entry, session.length());
            input(entry, session);
        }
        if (!program.embedsTokens()) {
            activations(step);
        }
    }

    private static void length(Step.Entry entry, SessionLength length) {
        if (entry.rows() < 1) {
            throw new EngineException(
                    "session " + entry.session() + " has " + entry.rows() + " rows in the step: expected at least 1");
        }
        if (entry.position() != length.get()) {
            throw new EngineException("session " + entry.session() + " has " + length.get()
                    + " rows, but the step continues at " + entry.position());
        }
        long end = (long) entry.position() + entry.rows();
        if (end > length.max()) {
            throw new EngineException("session " + entry.session() + " was opened for " + length.max()
                    + " rows, but the step would make it " + end);
        }
    }

    private void input(Step.Entry entry, OpenSession session) {
        boolean tokens = !(entry.input() instanceof Step.Input.Activations);
        if (program.embedsTokens() != tokens) {
            throw new EngineException("program '" + program.name() + "' takes "
                    + (program.embedsTokens()
                            ? "tokens, but the step has none"
                            : "activations, but the step has tokens"));
        }
        if (entry.input() instanceof Step.Input.Tokens given) {
            for (int token : given.ids()) {
                if (token < 0 || token >= vocabulary) {
                    throw new EngineException("token " + token + " is not in the vocabulary of " + vocabulary);
                }
            }
        }
        if (entry.input() instanceof Step.Input.Greedy && !session.hasLogits()) {
            throw new EngineException(
                    "session " + entry.session()
                            + " has no logits to choose a token from: its last step must ask for them, on the shard with the output matrix");
        }
    }

    private void activations(Step step) {
        long expected = (long) step.rows() * program.hidden() * activationBytes;
        if (step.activations() == null || step.activations().remaining() != expected) {
            throw new EngineException(step.rows() + " rows x " + program.hidden() + " need " + expected
                    + " bytes of activations, found "
                    + (step.activations() == null ? "none" : step.activations().remaining()));
        }
    }

    /** Edits of layers that this program does not route are checked by the shard that does. */
    void check(RouterEdits edits) {
        for (Route route : program.routes()) {
            LayerEdit edit = edits.layers().get(route.layer());
            if (edit != null) {
                edit.ban().forEach(expert -> requireExpert(expert, route));
                edit.force().forEach(expert -> requireExpert(expert, route));
            }
        }
    }

    private static void requireExpert(int expert, Route route) {
        int experts = route.router().experts();
        if (expert < 0 || expert >= experts) {
            throw new EngineException("a router edit names expert " + expert + " of layer " + route.layer()
                    + ", whose experts are 0 to " + (experts - 1));
        }
    }
}
