package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.util.List;
import java.util.Optional;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.v1.Failure;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.OpenSession;
import org.espalier.v1.Routing;
import org.espalier.v1.StepEnd;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;

/** Passes everything on to the next node; keeps nothing of the sessions. */
final class Relay implements Exit {

    @Override
    public Step.Logits logits(StepEntry entry) {
        return Step.Logits.NONE;
    }

    @Override
    public Frame.Builder computed(StepFrame step, StepResult result, List<Routing> routes) {
        // Copied: the engine may reuse its buffer for the next step while the link is still writing.
        return Frame.newBuilder()
                .setStep(step.toBuilder()
                        .setActivations(ByteString.copyFrom(result.activations().duplicate()))
                        .clearRoutes()
                        .addAllRoutes(routes));
    }

    @Override
    public Frame.Builder ended(StepFrame step, StepEnd end) {
        return Frame.newBuilder()
                .setStep(step.toBuilder().clearActivations().clearRoutes().setEnd(end));
    }

    @Override
    public Optional<Frame.Builder> passed(Frame.Builder command) {
        return Optional.of(command);
    }

    @Override
    public Frame.Builder asked(long session, Optional<Failure> refusal, Frame.Builder question) {
        return question;
    }

    @Override
    public void open(OpenSession open) {}

    @Override
    public void truncate(long session, int length) {}

    @Override
    public void fork(ForkSession fork) {}

    @Override
    public void close(long session) {}
}
