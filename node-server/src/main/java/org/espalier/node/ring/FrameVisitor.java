package org.espalier.node.ring;

import org.espalier.v1.CancelSession;
import org.espalier.v1.CloseSession;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.OpenSession;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.StepFrame;
import org.espalier.v1.StepOutcome;
import org.espalier.v1.TruncateSession;

/** What a part of the ring does with each kind of numbered frame. */
interface FrameVisitor<R> {

    R open(OpenSession open);

    R truncate(TruncateSession truncate);

    R fork(ForkSession fork);

    R close(CloseSession close);

    R cancel(CancelSession cancel);

    R step(StepFrame step);

    R outcome(StepOutcome outcome);

    R session(SessionOutcome outcome);

    /** Any other frame. */
    R other(Frame frame);

    static <R> R visit(Frame frame, FrameVisitor<R> visitor) {
        return switch (frame.getBodyCase()) {
            case OPEN -> visitor.open(frame.getOpen());
            case TRUNCATE -> visitor.truncate(frame.getTruncate());
            case FORK -> visitor.fork(frame.getFork());
            case CLOSE -> visitor.close(frame.getClose());
            case CANCEL -> visitor.cancel(frame.getCancel());
            case STEP -> visitor.step(frame.getStep());
            case OUTCOME -> visitor.outcome(frame.getOutcome());
            case SESSION -> visitor.session(frame.getSession());
            default -> visitor.other(frame);
        };
    }
}
