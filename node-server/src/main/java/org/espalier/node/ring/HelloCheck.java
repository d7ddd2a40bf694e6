package org.espalier.node.ring;

import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.v1.Hello;

/** Whether who dials is the previous node of the same ring. */
record HelloCheck(RingPlace place, Arithmetic arithmetic) {

    /** How far ahead the head may be: it tries every 8 s for 10 minutes. */
    private static final long FURTHEST = 10_000;

    /**
     * @param incarnation this node's
     * @throws FailureException if it is another node, has another placement, model or precision, or an incarnation that no head comes to
     */
    void check(Hello hello, long incarnation) {
        if (place.isAlone() || !hello.getNode().equals(place.previous().getNode())) {
            throw refusal(
                    Failure.Kind.REFUSED,
                    "node '" + hello.getNode() + "' does not come before " + RingPlace.name(place.self())
                            + " in deployment " + place.deployment());
        }
        if (!hello.getDigest().equals(place.digest())) {
            throw refusal(
                    Failure.Kind.INVALID,
                    RingPlace.name(place.previous()) + " has another placement, model or precision of deployment "
                            + place.deployment() + " in epoch " + place.epoch() + " than "
                            + RingPlace.name(place.self()) + ": it was placed twice at once, load it again");
        }
        arithmetic.refuses(Arithmetic.of(hello), place).ifPresent(mismatch -> {
            throw refusal(Failure.Kind.REFUSED, mismatch);
        });
        if (hello.getKvRows() < 0 || hello.getKvSessionRows() < 0) {
            throw refusal(
                    Failure.Kind.INVALID,
                    RingPlace.name(place.previous()) + " says that it has KV memory for " + hello.getKvRows()
                            + " rows, of which a session takes " + hello.getKvSessionRows() + ": no node has that");
        }
        if (hello.getStepRows() < 0) {
            throw refusal(
                    Failure.Kind.INVALID,
                    RingPlace.name(place.previous()) + " says that it has room for steps of " + hello.getStepRows()
                            + " rows: expected 0 or more");
        }
        if (hello.getIncarnation() - incarnation > FURTHEST) {
            throw refusal(
                    Failure.Kind.INVALID,
                    RingPlace.name(place.previous()) + " says that it is in incarnation " + hello.getIncarnation()
                            + " of deployment " + place.deployment() + ", " + RingPlace.name(place.self()) + " is in "
                            + incarnation + ": no head tries so often");
        }
    }

    private FailureException refusal(Failure.Kind kind, String message) {
        return new Failure(place.self().getNode(), kind, message).exception();
    }
}
