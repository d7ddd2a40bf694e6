package org.espalier.failure;

import java.util.Arrays;
import java.util.Optional;
import org.espalier.Remedy;

/** A failure as a message of the protocol. Kinds and remedies have the same names there; those of a newer peer may be unknown here. */
public final class FailureWire {

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
                message.getNode(),
                named(Failure.Kind.values(), kind).orElse(Failure.Kind.INTERNAL),
                message.getMessage(),
                named(Remedy.values(), remedy));
    }

    private static <E extends Enum<E>> Optional<E> named(E[] values, String name) {
        return Arrays.stream(values).filter(value -> value.name().equals(name)).findFirst();
    }
}
