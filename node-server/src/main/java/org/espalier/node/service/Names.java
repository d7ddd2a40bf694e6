package org.espalier.node.service;

import java.util.Optional;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;

/**
 * Names that a node keeps, shows and logs: short, and of one line.
 *
 * @param node for refusals
 */
record Names(String node) {

    private static final int MOST = 256;

    /** @throws FailureException of the kind {@code INVALID} */
    void check(String what, String name) {
        wrong(what, name).ifPresent(why -> {
            throw new Failure(node, Failure.Kind.INVALID, why).exception();
        });
    }

    /** What is wrong with a name, in words. */
    static Optional<String> wrong(String what, String name) {
        if (name.length() > MOST) {
            return Optional.of(what + " has " + name.length() + " characters, " + MOST + " are the most");
        }
        return name.chars().anyMatch(Character::isISOControl)
                ? Optional.of(what + " has a control character")
                : Optional.empty();
    }
}
