package org.espalier.transport;

import io.grpc.Metadata;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.regex.Pattern;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.espalier.EspalierException;

/**
 * What callers of a node in plain text have to know: any user of a machine can reach its loopback. A parent makes one for the nodes that it
 * starts; for others it is the first line of a file.
 */
public final class Secret {

    /** Has {@link #proof}. */
    static final Metadata.Key<String> HEADER = Metadata.Key.of("espalier-secret", Metadata.ASCII_STRING_MARSHALLER);

    /** Printable without blanks, so that it is a line and a header as it stands; short ones could be guessed. */
    private static final Pattern TEXT = Pattern.compile("[!-~]{16,1000}");

    private static final String HMAC = "HmacSHA256";
    private static final int RANDOM_BYTES = 32;
    private static final Secret OF_THIS_PROCESS = random();

    private final String text;

    private Secret(String text) {
        this.text = text;
    }

    /**
     * @param from where it was read, for the message
     * @throws EspalierException if it is too short or not one word
     */
    public static Secret of(String text, String from) {
        if (!TEXT.matcher(text).matches()) {
            throw new EspalierException(
                    "the first line of " + from
                            + " is no secret: expected 16 to 1000 printable characters without blanks, for instance from `openssl rand -hex 32`");
        }
        return new Secret(text);
    }

    /** @throws EspalierException if the file cannot be read, others may read it too, or its first line is no secret */
    public static Secret read(Path file) {
        return of(PrivateFile.firstLine(file, "the secret"), file.toString());
    }

    /** The one of all nodes that this process starts, so that they may form a ring. */
    public static Secret ofThisProcess() {
        return OF_THIS_PROCESS;
    }

    static Secret random() {
        byte[] bytes = new byte[RANDOM_BYTES];
        new SecureRandom().nextBytes(bytes);
        return new Secret(HexFormat.of().formatHex(bytes));
    }

    /** As it goes over standard input to a node that was started. */
    public String line() {
        return text + "\n";
    }

    /**
     * What a caller shows: HMAC-SHA256 (RFC 2104) of the address that it dials, in hexadecimal. Whoever has taken the port of a node that ended
     * learns neither the secret nor what another node would take.
     */
    String proof(InetSocketAddress dialled) {
        try {
            Mac mac = Mac.getInstance(HMAC);
            mac.init(new SecretKeySpec(text.getBytes(StandardCharsets.US_ASCII), HMAC));
            return HexFormat.of().formatHex(mac.doFinal(words(dialled).getBytes(StandardCharsets.US_ASCII)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("every Java has " + HMAC, e);
        }
    }

    /**
     * Whether it is the proof for where a call came in, in the same time whatever is offered; a null is none.
     *
     * @param here the listener's own end of the connection
     */
    boolean isProven(String offered, SocketAddress here) {
        return offered != null
                && here instanceof InetSocketAddress internet
                && MessageDigest.isEqual(
                        proof(internet).getBytes(StandardCharsets.US_ASCII),
                        offered.getBytes(StandardCharsets.US_ASCII));
    }

    private static String words(InetSocketAddress address) {
        return address.getAddress().getHostAddress() + ":" + address.getPort();
    }

    /** Never the secret itself. */
    @Override
    public String toString() {
        return "a secret";
    }
}
