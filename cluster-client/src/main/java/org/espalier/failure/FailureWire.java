package org.espalier.failure;

import java.util.Arrays;
import java.util.Optional;
import org.espalier.Remedy;

/** A failure as a message of the protocol. Kinds and remedies have the same names there; those of a newer peer may be unknown here. */
public final class FailureWire {

    /** Characters of a message: several of our longest sentences. */
    private static final int LONGEST = 4000;

    private FailureWire() {}

    public static org.espalier.v1.Failure encode(Failure failure) {
        var message = org.espalier.v1.Failure.newBuilder()
                .setNode(failure.node())
                .setMessage(failure.message())
                .setKind(org.espalier.v1.Failure.Kind.valueOf(failure.kind().name()));
        failure.remedy().ifPresent(remedy -> message.setRemedy(org.espalier.v1.Failure.Remedy.valueOf(remedy.name())));
        return message.build();
    }

    public static Failure decode(org.espalier.v1.Failure message) {
        String kind = message.getKind().name();
        String remedy = message.getRemedy().name();
        return new Failure(
                Printable.line(message.getNode()),
                named(Failure.Kind.values(), kind).orElse(Failure.Kind.INTERNAL),
                Printable.text(shortened(message.getMessage())),
                named(Remedy.values(), remedy));
    }

    /** Who sends more than a sentence has no more to say. */
    private static String shortened(String text) {
        return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + " ...";
    }

    private static <E extends Enum<E>> Optional<E> named(E[] values, String name) {
        return Arrays.stream(values).filter(value -> value.name().equals(name)).findFirst();
    }
}
