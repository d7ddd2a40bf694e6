package org.espalier.failure;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.ProtoUtils;
import java.util.Optional;
import org.espalier.Remedy;
import org.espalier.failure.Failure.Kind;

/** A failure as the status of a call: code and message for any client, the value itself in the trailers for ours. */
public final class FailureStatus {

    private static final Metadata.Key<org.espalier.v1.Failure> DETAILS =
            ProtoUtils.keyForProto(org.espalier.v1.Failure.getDefaultInstance());

    /**
     * The message is sent twice, in the status, where what is not ASCII has three characters a byte, and in the details, where all has four a three
     * bytes. Many peers accept no more than 8 KiB of trailers, and a node's name is among them.
     */
    private static final int MAX_MESSAGE = 3000;

    private static final int MAX_NODE = 256;

    private FailureStatus() {}

    /** The status for {@code onError}, or to be thrown where gRPC catches it. */
    public static StatusRuntimeException of(Failure failure) {
        return of(failure, code(failure.kind()));
    }

    /** As {@link #of(Failure)}, with a code that says more to other callers. */
    public static StatusRuntimeException of(Failure failure, Status.Code code) {
        Metadata trailers = new Metadata();
        put(trailers, failure);
        return code.toStatus()
                .withDescription(inShort(failure.message(), MAX_MESSAGE))
                .asRuntimeException(trailers);
    }

    /** Writes a failure into the trailers of a call that ends for another reason than a node's. */
    public static void put(Metadata trailers, Failure failure) {
        trailers.put(
                DETAILS,
                FailureWire.encode(failure).toBuilder()
                        .setNode(inShort(failure.node(), MAX_NODE))
                        .setMessage(inShort(failure.message(), MAX_MESSAGE))
                        .build());
    }

    /** @param most characters as the status has them */
    private static String inShort(String text, int most) {
        int sent = 0;
        for (int i = 0; i < text.length(); i = text.offsetByCodePoints(i, 1)) {
            sent += sentCharacters(text.codePointAt(i));
            if (sent > most) {
                return text.substring(0, i) + " ...";
            }
        }
        return text;
    }

    private static int sentCharacters(int character) {
        if (character >= ' ' && character <= '~' && character != '%') {
            return 1;
        }
        return 3 * (character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4);
    }

    private static Status.Code code(Kind kind) {
        return switch (kind) {
            case NODE_LOST, PROTOCOL -> Status.Code.UNAVAILABLE;
            case DEPLOYMENT_GONE -> Status.Code.NOT_FOUND;
            case INVALID -> Status.Code.INVALID_ARGUMENT;
            case REFUSED, LOAD_FAILED -> Status.Code.FAILED_PRECONDITION;
            case OUT_OF_MEMORY, EXHAUSTED -> Status.Code.RESOURCE_EXHAUSTED;
            case CANCELLED -> Status.Code.CANCELLED;
            case TIMED_OUT -> Status.Code.DEADLINE_EXCEEDED;
            case ENGINE_FAILED, INTERNAL -> Status.Code.INTERNAL;
        };
    }

    /** The value that a failed call carries; empty if the answer is not from one of our nodes, or its details are damaged. */
    public static Optional<Failure> details(Throwable error) {
        Metadata trailers = Status.trailersFromThrowable(error);
        if (trailers == null) {
            return Optional.empty();
        }
        try {
            return Optional.ofNullable(trailers.get(DETAILS))
                    .map(FailureWire::decode)
                    .filter(failure -> !failure.message().isBlank());
        } catch (IllegalArgumentException damaged) {
            return Optional.empty();
        }
    }

    /**
     * What a failed call says: its details, or a sentence for its code if it has none, as from a foreign server or a proxy.
     *
     * @param node that was called
     * @param where the node as messages name it
     */
    public static Failure read(Throwable error, String node, String where) {
        return details(error).orElseGet(() -> foreign(Status.fromThrowable(error), node, where));
    }

    private static Failure foreign(Status status, String node, String where) {
        String code = status.getCode().name();
        String said = status.getDescription() == null ? "" : " (" + Printable.line(status.getDescription()) + ")";
        return switch (status.getCode()) {
            case UNAVAILABLE ->
                new Failure(node, Kind.NODE_LOST, where + " is lost: its connection closed").with(Remedy.AWAIT_REJOIN);
            case DEADLINE_EXCEEDED ->
                new Failure(node, Kind.TIMED_OUT, where + " did not answer in time").with(Remedy.LIST_NODES);
            case CANCELLED -> new Failure(node, Kind.CANCELLED, "the call to " + where + " was cancelled");
            case UNIMPLEMENTED ->
                new Failure(
                        node,
                        Kind.PROTOCOL,
                        where + " does not know this call: it is not an Espalier node, or runs another version");
            case UNAUTHENTICATED, PERMISSION_DENIED ->
                new Failure(node, Kind.REFUSED, where + " denied this client access: " + code + said);
            case INVALID_ARGUMENT, OUT_OF_RANGE ->
                new Failure(node, Kind.INVALID, where + " found the request invalid: " + code + said);
            case RESOURCE_EXHAUSTED ->
                new Failure(
                        node, Kind.REFUSED, where + " refused the call: a limit of size or memory was reached" + said);
            case NOT_FOUND, ALREADY_EXISTS, FAILED_PRECONDITION, ABORTED ->
                new Failure(node, Kind.REFUSED, where + " refused: " + code + said);
            default -> new Failure(node, Kind.INTERNAL, where + " failed without saying why: " + code + said);
        };
    }
}
