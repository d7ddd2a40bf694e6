package org.espalier.transport;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.util.Collections;
import java.util.List;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedTrustManager;
import org.espalier.EspalierException;

/**
 * What a node or a client shows of itself and trusts in others: its key and certificate, and the cluster's own CA, which issued it. A folder
 * that {@code espalier-node init} made: {@code identity.p12} (PKCS12; the chain ends with the CA) and its {@code password}.
 */
public final class Certificates {

    static final String IDENTITY = "identity.p12";
    static final String PASSWORD = "password";

    private final Path folder;
    private final KeyStore store;
    private final char[] password;
    private final X509Certificate own;
    private final X509Certificate authority;
    private final Peer peer;

    private Certificates(Path folder, KeyStore store, char[] password) throws GeneralSecurityException {
        this.folder = folder;
        this.store = store;
        this.password = password;
        List<String> aliases = Collections.list(store.aliases());
        Certificate[] chain = aliases.size() == 1 ? store.getCertificateChain(aliases.get(0)) : null;
        if (chain == null || chain.length != 2 || !(chain[1] instanceof X509Certificate issuer)) {
            throw new EspalierException(
                    folder.resolve(IDENTITY)
                            + " must hold one key with its certificate and the CA's: make the folder with `espalier-node init`");
        }
        own = (X509Certificate) chain[0];
        authority = issuer;
        peer = ClusterNames.peer(own)
                .orElseThrow(() -> new EspalierException("the certificate in " + folder
                        + " names neither a node nor a client: make the folder with `espalier-node init`"));
    }

    /** {@code ~/.espalier/cluster}, where {@code espalier-node init} puts the CA and the client's folder. */
    public static Path defaultCluster() {
        return Path.of(System.getProperty("user.home"), ".espalier", "cluster");
    }

    /** The client's folder of {@link #defaultCluster}. */
    public static Path defaultClient() {
        return clientOf(defaultCluster());
    }

    /** The client's folder of a cluster's. */
    public static Path clientOf(Path cluster) {
        return cluster.resolve(CertificateAuthority.CLIENT);
    }

    /**
     * Reads a folder.
     *
     * @throws EspalierException if it is none of ours, is damaged, others may read or change it, or its certificate is not valid now
     */
    public static Certificates read(Path folder) {
        Certificates read = open(folder);
        read.requireValid(Instant.now());
        return read;
    }

    /** As {@link #read}, valid now or not. */
    static Certificates open(Path folder) {
        if (!Files.isDirectory(folder)) {
            throw new EspalierException(
                    "there is no folder " + folder
                            + " with certificates: `espalier-node init` makes a client's, `espalier-node init --add NODE` one for each node");
        }
        PrivateFile.requireOwnFolder(folder, "the certificates");
        byte[] identity = PrivateFile.read(folder.resolve(IDENTITY), "the key");
        char[] password = PrivateFile.firstLine(folder.resolve(PASSWORD), "the key's password")
                .toCharArray();
        try {
            KeyStore store = KeyStore.getInstance("PKCS12");
            store.load(new ByteArrayInputStream(identity), password);
            return new Certificates(folder, store, password);
        } catch (IOException | GeneralSecurityException e) {
            throw new EspalierException(
                    "cannot open " + folder.resolve(IDENTITY) + " with the password beside it: " + e.getMessage(), e);
        }
    }

    /** @throws EspalierException if the certificate is not valid at that time */
    void requireValid(Instant now) {
        if (now.isAfter(expires())) {
            throw new EspalierException("the certificate in " + folder + " expired on " + day(expires())
                    + ": `espalier-node init --renew " + peer.name() + "` makes another, on the machine with the CA");
        }
        Instant begins = own.getNotBefore().toInstant();
        if (now.isBefore(begins)) {
            throw new EspalierException("the certificate in " + folder + " is valid from " + day(begins)
                    + " on, and this machine's clock says " + day(now) + ": set the clock");
        }
    }

    /** Whom the certificate names. */
    public Peer peer() {
        return peer;
    }

    /**
     * The same, for who must be a node or a client.
     *
     * @throws EspalierException if it is the other
     */
    public Certificates require(Peer.Role role) {
        if (peer.role() != role) {
            throw new EspalierException("the certificate in " + folder + " is for " + peer + ", a "
                    + (role == Peer.Role.NODE ? "node's" : "client's") + " is needed here");
        }
        return this;
    }

    public Instant expires() {
        return own.getNotAfter().toInstant();
    }

    /** The folder that was read. */
    public Path folder() {
        return folder;
    }

    KeyManager[] keys() throws GeneralSecurityException {
        KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        keys.init(store, password);
        return keys.getKeyManagers();
    }

    /** Trusts the cluster's own CA alone. */
    X509ExtendedTrustManager trust() throws GeneralSecurityException {
        KeyStore anchors = KeyStore.getInstance("PKCS12");
        try {
            anchors.load(null, null);
        } catch (IOException e) {
            throw new GeneralSecurityException(e);
        }
        anchors.setCertificateEntry("ca", authority);
        TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(anchors);
        return (X509ExtendedTrustManager) trust.getTrustManagers()[0];
    }

    X509Certificate authority() {
        return authority;
    }

    /** A date as messages show it, for instance 2026-11-30. */
    public static String day(Instant time) {
        return time.atZone(ZoneId.systemDefault()).toLocalDate().toString();
    }

    /** Whether that is so soon that it should be said: within 30 days. */
    public static boolean isSoon(Instant expiry) {
        return Instant.now().plus(Duration.ofDays(30)).isAfter(expiry);
    }

    /** For logs: never the key. */
    @Override
    public String toString() {
        return "certificates of " + peer + " in " + folder;
    }
}
