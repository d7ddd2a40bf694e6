package org.espalier.failure;

import static org.assertj.core.api.Assertions.assertThat;

import io.grpc.Metadata;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.Remedy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class FailureStatusTest {

    @ParameterizedTest
    @EnumSource
    void everyKindArrivesAsItWasSent(Failure.Kind kind) {
        // Words that say something else: nothing is told apart by them.
        Failure failure = new Failure("n1", kind, "UNAVAILABLE: io exception of node n7 is lost").with(Remedy.FETCH);
        StatusRuntimeException sent = FailureStatus.of(failure);
        assertThat(FailureStatus.read(sent, "other", "node other")).isEqualTo(failure);
        assertThat(sent.getStatus().getDescription()).isEqualTo(failure.message());
        assertThat(sent.getStatus().isOk()).isFalse();
    }

    @ParameterizedTest
    @EnumSource
    void everyRemedyArrivesAsItWasSent(Remedy remedy) {
        Failure failure = new Failure("n1", Failure.Kind.REFUSED, "no").with(remedy);
        assertThat(FailureWire.decode(FailureWire.encode(failure))).isEqualTo(failure);
        assertThat(FailureWire.decode(FailureWire.encode(new Failure("n1", Failure.Kind.REFUSED, "no")))
                        .remedy())
                .isEmpty();
    }

    @Test
    void whatANewerPeerSaysIsADefectWithItsWords() {
        assertThat(FailureWire.decode(org.espalier.v1.Failure.newBuilder()
                        .setNode("n1")
                        .setMessage("the moon is full")
                        .setKindValue(99)
                        .setRemedyValue(99)
                        .build()))
                .isEqualTo(new Failure("n1", Failure.Kind.INTERNAL, "the moon is full"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "UNAVAILABLE | NODE_LOST | node n1 (h:1) is lost: its connection closed",
                "DEADLINE_EXCEEDED | TIMED_OUT | node n1 (h:1) did not answer in time",
                "CANCELLED | CANCELLED | the call to node n1 (h:1) was cancelled",
                "UNIMPLEMENTED | PROTOCOL | node n1 (h:1) does not know this call: it is not an Espalier node, or runs another version",
                "PERMISSION_DENIED | REFUSED | node n1 (h:1) denied this client access: PERMISSION_DENIED (odd words)",
                "INVALID_ARGUMENT | INVALID | node n1 (h:1) found the request invalid: INVALID_ARGUMENT (odd words)",
                "RESOURCE_EXHAUSTED | REFUSED | node n1 (h:1) refused the call: a limit of size or memory was reached (odd words)",
                "FAILED_PRECONDITION | REFUSED | node n1 (h:1) refused: FAILED_PRECONDITION (odd words)",
                "UNKNOWN | INTERNAL | node n1 (h:1) failed without saying why: UNKNOWN (odd words)",
            })
    void withoutDetailsTheCodeMakesTheSentence(Status.Code code, Failure.Kind kind, String sentence) {
        Failure failure = FailureStatus.read(
                code.toStatus().withDescription("odd words").asRuntimeException(), "n1", "node n1 (h:1)");
        assertThat(failure.kind()).isEqualTo(kind);
        assertThat(failure.node()).isEqualTo("n1");
        assertThat(failure.message()).isEqualTo(sentence);
    }

    /** A node may say anything, and what it says is shown in terminals. */
    @Test
    void whatCannotBeShownIsNot() {
        Failure failure =
                new Failure("n\u001b[2J", Failure.Kind.REFUSED, "no\n\tmodel \u001b]0;owned\u0007\u009b2J\u202e");
        Failure arrived = FailureStatus.details(FailureStatus.of(failure)).orElseThrow();
        assertThat(arrived.node()).isEqualTo("n?[2J");
        assertThat(arrived.message()).isEqualTo("no\n\tmodel ?]0;owned??2J?");
        Throwable foreign = Status.INTERNAL.withDescription("\u001b[2J").asRuntimeException();
        assertThat(FailureStatus.read(foreign, "n", "node n").message()).contains("(?[2J)");
    }

    @Test
    void damagedDetailsAreNoDetails() {
        Metadata trailers = new Metadata();
        trailers.put(
                Metadata.Key.of("espalier.v1.Failure-bin", Metadata.BINARY_BYTE_MARSHALLER), new byte[] {10, 99, 1, 2});
        StatusRuntimeException error = Status.UNAVAILABLE.asRuntimeException(trailers);
        assertThat(FailureStatus.details(error)).isEmpty();
        assertThat(FailureStatus.read(error, "n1", "node n1").kind()).isEqualTo(Failure.Kind.NODE_LOST);
    }

    @Test
    void aLongMessageIsCutSoThatTheTrailersPass() {
        StatusRuntimeException sent =
                FailureStatus.of(new Failure("n1", Failure.Kind.LOAD_FAILED, "x".repeat(100_000)));
        assertThat(FailureStatus.read(sent, "n1", "node n1").message()).isEqualTo("x".repeat(3000) + " ...");
        StatusRuntimeException wide =
                FailureStatus.of(new Failure("n1", Failure.Kind.LOAD_FAILED, "a" + "\uD83C\uDF33".repeat(20_000)));
        assertThat(FailureStatus.read(wide, "n1", "node n1").message())
                .isEqualTo("a" + "\uD83C\uDF33".repeat(249) + " ...");
    }

    @Test
    void theFirstNodeThatIsNamedStaysNamed() {
        Failure failure = Failure.of(new EspalierException("tensor x is cut off"), Failure.Kind.LOAD_FAILED);
        assertThat(failure.at("n1", "node n1"))
                .isEqualTo(new Failure("n1", Failure.Kind.LOAD_FAILED, "node n1: tensor x is cut off"))
                .isEqualTo(failure.at("n1", "node n1").at("n2", "node n2"));
        assertThat(Failure.of(new IllegalStateException("odd"), Failure.Kind.LOAD_FAILED))
                .isEqualTo(new Failure("", Failure.Kind.INTERNAL, "java.lang.IllegalStateException: odd"));
        IOException first = new IOException("Too many open files");
        Throwable thrown = new IllegalStateException("no event loop", new UncheckedIOException("epoll", first));
        assertThat(Failure.of(thrown, Failure.Kind.LOAD_FAILED).message())
                .isEqualTo("java.lang.IllegalStateException: no event loop (java.io.IOException: Too many open files)");
        assertThat(Failure.of(new OutOfMemoryError("heap"), Failure.Kind.LOAD_FAILED)
                        .remedy())
                .isEqualTo(Optional.of(Remedy.SPLIT_OVER_MORE_NODES));
    }
}
