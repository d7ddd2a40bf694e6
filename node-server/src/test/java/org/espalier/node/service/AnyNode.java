package org.espalier.node.service;

import static org.assertj.core.api.Assertions.catchThrowable;

import io.grpc.ChannelCredentials;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import io.grpc.health.v1.HealthCheckRequest;
import io.grpc.health.v1.HealthGrpc;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.Principal;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManager;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** What a caller that means harm has instead of ours: it believes whomever it meets. */
final class AnyNode extends X509ExtendedTrustManager {

    /** The error of a health check by a client that believes any node, over TLS. */
    static Throwable call(String host, int port, Optional<Path> shown) {
        TlsChannelCredentials.Builder credentials =
                TlsChannelCredentials.newBuilder().trustManager(new AnyNode());
        shown.ifPresent(path -> credentials.keyManager(key(path)));
        return call(host, port, credentials.build());
    }

    /** The same in plain text. */
    static Throwable callInPlainText(String host, int port) {
        return call(host, port, InsecureChannelCredentials.create());
    }

    private static Throwable call(String host, int port, ChannelCredentials credentials) {
        ManagedChannel channel = NettyChannelBuilder.forAddress(new InetSocketAddress(host, port), credentials)
                .build();
        try {
            return catchThrowable(() -> HealthGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(10, TimeUnit.SECONDS)
                    .check(HealthCheckRequest.getDefaultInstance()));
        } finally {
            channel.shutdownNow();
        }
    }

    /** The key in a folder, whatever its certificate says. */
    static KeyManager[] key(Path folder) {
        try {
            char[] password =
                    Files.readString(folder.resolve("password")).strip().toCharArray();
            KeyStore store = KeyStore.getInstance(folder.resolve("identity.p12").toFile(), password);
            KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
            keys.init(store, password);
            return new KeyManager[] {
                always(
                        (X509ExtendedKeyManager) keys.getKeyManagers()[0],
                        store.aliases().nextElement())
            };
        } catch (IOException | GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Shows its certificate also to whom the JDK's would not, since they name other issuers. */
    private static X509ExtendedKeyManager always(X509ExtendedKeyManager keys, String alias) {
        return new X509ExtendedKeyManager() {
            @Override
            public String chooseEngineClientAlias(String[] types, Principal[] issuers, SSLEngine engine) {
                return alias;
            }

            @Override
            public String chooseClientAlias(String[] types, Principal[] issuers, Socket socket) {
                return alias;
            }

            @Override
            public String[] getClientAliases(String type, Principal[] issuers) {
                return new String[] {alias};
            }

            @Override
            public String[] getServerAliases(String type, Principal[] issuers) {
                return new String[0];
            }

            @Override
            public String chooseServerAlias(String type, Principal[] issuers, Socket socket) {
                return null;
            }

            @Override
            public X509Certificate[] getCertificateChain(String name) {
                return keys.getCertificateChain(name);
            }

            @Override
            public PrivateKey getPrivateKey(String name) {
                return keys.getPrivateKey(name);
            }
        };
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine) {}

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type) {}

    @Override
    public X509Certificate[] getAcceptedIssuers() {
        return new X509Certificate[0];
    }
}
