package org.espalier.node.service;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Channel;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.Server;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.MetadataUtils;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.espalier.EspalierException;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ConnectOptions;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.Listening;
import org.espalier.transport.Secret;
import org.espalier.v1.Frame;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.RingGrpc;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A node on loopback that asks for a secret: every service does, of every caller. */
@Timeout(60)
class SecretTest {

    private static final String SECRET = "correct-horse-battery-staple";

    private NodeServer node;
    private ManagedChannel channel;

    @BeforeEach
    void start() {
        node = NodeServer.start(
                NodeOptions.loopback("n0").with(Listening.loopback().with(Secret.of(SECRET, "a test"))),
                new FakeLoader());
        channel = Grpc.newChannelBuilder(node.address(), InsecureChannelCredentials.create())
                .build();
    }

    @AfterEach
    void stop() {
        channel.shutdownNow();
        node.close();
    }

    private Channel with(String header, String value) {
        Metadata metadata = new Metadata();
        metadata.put(Metadata.Key.of(header, Metadata.ASCII_STRING_MARSHALLER), value);
        return ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata));
    }

    @Test
    void noServiceAnswersAStranger() throws Exception {
        Stranger.isRefused("n0", node.address());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "correct-horse-battery-stapl",
                "correct-horse-battery-staple-",
                "CORRECT-HORSE-BATTERY-STAPLE"
            })
    void anotherSecretIsNotIt(String wrong) {
        assertThat(Stranger.describe(with("espalier-secret", wrong)))
                .hasMessage(
                        "UNAUTHENTICATED: node n0 refused the call: its secret is not the node's, or is shown for another port, as behind a tunnel");
    }

    /** Our own client with another secret: the user's error and the node's log say the same. */
    @Test
    void bothSidesSayThatASecretIsWrong(@TempDir Path folder) throws Exception {
        Path file = Files.createFile(
                folder.resolve("secret"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, "another-secret-of-16\n");
        try (Logged log = new Logged("org.espalier.transport")) {
            assertThatThrownBy(() -> Cluster.of(
                            List.of(node.address()), ConnectOptions.defaults().withSecretFile(file)))
                    .hasMessage(
                            "node n0 refused the call: its secret is not the node's, or is shown for another port, as behind a tunnel");
            log.await("refused a caller at /127.0.0.1:[0-9]+: its secret is not the node's.*");
        }
    }

    @Test
    void aProofForTheNodesAddressLetsIn() {
        assertThat(Stranger.describe(with("espalier-secret", proof(SECRET, node.address()))))
                .isNull();
    }

    /** As Python, RFC 2104 and the documentation have it. */
    private static String proof(String secret, String address) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(new SecretKeySpec(secret.getBytes(StandardCharsets.US_ASCII), "HmacSHA256"));
            return HexFormat.of().formatHex(mac.doFinal(address.getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void theSecretItselfAndProofsForOtherAddressesDoNot() {
        for (String shown : List.of(
                SECRET,
                proof("another-secret-of-16", node.address()),
                proof(SECRET, "127.0.0.1:1"),
                proof(SECRET, "127.0.0.2:" + node.port()),
                proof(SECRET, String.valueOf(node.port())),
                proof(SECRET, node.address()).substring(1),
                proof(SECRET, node.address()) + "0",
                proof(SECRET, node.address()).toUpperCase(Locale.ROOT))) {
            assertThat(Stranger.describe(with("espalier-secret", shown)))
                    .hasMessageStartingWith(
                            "UNAUTHENTICATED: node n0 refused the call: its secret is not the node's, or is shown for another port");
        }
    }

    /** Any user of a machine may listen at the port of a node that has ended: whoever dials on shows something that opens no other node. */
    @Test
    void whoeverTookThePortOfANodeLearnsNothingThatOpensAnother() throws Exception {
        List<String> shown = new CopyOnWriteArrayList<>();
        Server thief = NettyServerBuilder.forAddress(new InetSocketAddress("127.0.0.1", 0))
                .intercept(new ServerInterceptor() {
                    @Override
                    public <Q, A> ServerCall.Listener<Q> interceptCall(
                            ServerCall<Q, A> call, Metadata headers, ServerCallHandler<Q, A> next) {
                        shown.addAll(headers.keys().stream()
                                .filter(key -> !key.endsWith("-bin"))
                                .map(key -> headers.get(Metadata.Key.of(key, Metadata.ASCII_STRING_MARSHALLER)))
                                .toList());
                        call.close(Status.UNAVAILABLE, new Metadata());
                        return new ServerCall.Listener<>() {};
                    }
                })
                .addService(new RingGrpc.RingImplBase() {})
                .addService(new NodeGrpc.NodeImplBase() {})
                .build()
                .start();
        String taken = "127.0.0.1:" + thief.getPort();
        ManagedChannel stolen = new Channels(Credentials.of(Secret.of(SECRET, "a test")))
                .toNode("n1", taken)
                .build(); // as links of a ring dial
        try {
            assertThat(Stranger.describe(stolen)).hasMessageStartingWith("UNAVAILABLE");
            assertThat(Stranger.<Frame>ended(answers -> RingGrpc.newStub(stolen).link(answers)))
                    .hasMessageStartingWith("UNAVAILABLE");
        } finally {
            stolen.shutdownNow();
            thief.shutdownNow();
        }
        assertThat(shown).doesNotContain(SECRET).contains(proof(SECRET, taken));
        for (String text : shown) {
            assertThat(Stranger.describe(with("espalier-secret", text))).hasMessageStartingWith("UNAUTHENTICATED");
        }
    }

    @Test
    void aPeerOfAnotherVersionHearsBothVersions() throws Exception {
        Metadata metadata = new Metadata();
        metadata.put(
                Metadata.Key.of("espalier-secret", Metadata.ASCII_STRING_MARSHALLER), proof(SECRET, node.address()));
        metadata.put(Metadata.Key.of("espalier-protocol", Metadata.ASCII_STRING_MARSHALLER), "999");
        Channel newer = ClientInterceptors.intercept(channel, MetadataUtils.newAttachHeadersInterceptor(metadata));
        try (Logged log = new Logged("org.espalier.transport")) {
            Throwable refused = Stranger.describe(newer);
            assertThat(Status.fromThrowable(refused).getCode()).isEqualTo(Status.Code.FAILED_PRECONDITION);
            assertThat(refused)
                    .hasMessageContaining("it speaks version 999 of the protocol, this node version 2: install the same"
                            + " Espalier on both");
            log.await("refused a caller at /127.0.0.1:[0-9]+: it speaks version 999 of the protocol.*");
        }
    }

    /** A node logs a few refusals in ten seconds; those of its neighbour in the same process are not counted among them. */
    @Test
    void strangersAtOneNodeHideNoneAtAnother() throws Exception {
        for (int i = 0; i < 20; i++) {
            assertThat(Stranger.describe(channel)).hasMessageStartingWith("UNAUTHENTICATED");
        }
        stop();
        start();
        try (Logged log = new Logged("org.espalier.transport")) {
            assertThat(Stranger.describe(with("espalier-secret", "a-secret-of-somebody-else")))
                    .hasMessageStartingWith("UNAUTHENTICATED");
            log.await("refused a caller at /127.0.0.1:[0-9]+: its secret is not the node's.*");
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "short",
                "with a blank in it, and long",
                "ends-with-a-tab-and-is-long\t",
                "äääääääääääääääääääää"
            })
    void whatIsNoSecretIsRefused(String text) {
        assertThatThrownBy(() -> Secret.of(text, "FILE"))
                .isInstanceOf(EspalierException.class)
                .hasMessageStartingWith(
                        "the first line of FILE is no secret: expected 16 to 1000 printable characters");
    }

    @Test
    void aSecretIsInNoMessage() {
        assertThat(Secret.of(SECRET, "a test")).hasToString("a secret");
        assertThat(Listening.loopback().with(Secret.of(SECRET, "a test")).toString())
                .doesNotContain(SECRET);
    }
}
