package org.espalier.node.ring;

import org.espalier.v1.CancelSession;
import org.espalier.v1.CloseSession;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.Frame.BodyCase;
import org.espalier.v1.OpenSession;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.StepFrame;
import org.espalier.v1.StepOutcome;
import org.espalier.v1.TruncateSession;

/** What a part of the ring does with each kind of numbered frame; {@link #other} for those that are not meant for it. */
interface FrameVisitor<R> {

    /** A frame of a kind that is not meant for this part. */
    R other(BodyCase kind);

    default R open(OpenSession open) {
        return other(BodyCase.OPEN);
    }

    default R truncate(TruncateSession truncate) {
        return other(BodyCase.TRUNCATE);
    }

    default R fork(ForkSession fork) {
        return other(BodyCase.FORK);
    }

    default R close(CloseSession close) {
        return other(BodyCase.CLOSE);
    }

    default R cancel(CancelSession cancel) {
        return other(BodyCase.CANCEL);
    }

    default R step(StepFrame step) {
        return other(BodyCase.STEP);
    }

    default R outcome(StepOutcome outcome) {
        return other(BodyCase.OUTCOME);
    }

    default R session(SessionOutcome outcome) {
        return other(BodyCase.SESSION);
    }

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
            default -> visitor.other(frame.getBodyCase());
        };
    }
}
