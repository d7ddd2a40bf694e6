package org.espalier.node.ring;

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

/** How work leaves a shard: passed on to the next node by a {@link Relay}, answered to the head by the {@link Tail}. */
interface Exit {

    /** Which rows of an entry the shard computes logits of. */
    Step.Logits logits(StepEntry entry);

    /** What follows a step that was computed. */
    Frame.Builder computed(StepFrame step, StepResult result, List<Routing> routes);

    /** What follows a step of which nothing is left to compute. */
    Frame.Builder ended(StepFrame step, StepEnd end);

    /** What follows a command that has no answer, for instance {@code CloseSession}. */
    Optional<Frame.Builder> passed(Frame.Builder command);

    /** What follows a question that all nodes answer, for instance {@code ForkSession}. */
    Frame.Builder asked(long session, Optional<Failure> refusal, Frame.Builder question);

    void open(OpenSession open);

    void truncate(long session, int length);

    void fork(ForkSession fork);

    void close(long session);
}
