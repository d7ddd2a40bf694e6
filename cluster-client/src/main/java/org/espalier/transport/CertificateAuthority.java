package org.espalier.transport;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;
import org.espalier.EspalierException;

/**
 * A cluster's own CA, a folder {@code ca} beside those that it issued: one for clients, one for each node, to be copied there. Its key stays
 * where it was made. Every folder appears whole or not at all, and none is ever overwritten but by {@link #renew}.
 */
public final class CertificateAuthority {

    static final String CLIENT = "client";
    private static final String CA = "ca";
    private static final String CA_STORE = "ca.p12";
    private static final String CA_CERTIFICATE = "ca.crt";
    private static final int PASSWORD_BYTES = 24;

    /** Ten years, from one day back, so that machines whose clocks differ accept each other at once. */
    private static final List<String> VALID = List.of("-validity", "3650", "-startdate", "-1d");

    private static final List<String> KEY = List.of("-keyalg", "EC", "-groupname", "secp256r1");
    private static final SecureRandom RANDOM = new SecureRandom();

    private final Path cluster;

    private CertificateAuthority(Path cluster) {
        this.cluster = cluster;
    }

    /**
     * Makes a CA and a client's folder.
     *
     * @param cluster the folder for both; made if it is not there
     * @throws EspalierException if it has a CA or a client's folder already: then nothing has changed
     */
    public static CertificateAuthority create(Path cluster) {
        CertificateAuthority made = new CertificateAuthority(cluster);
        made.refuseExisting(
                CA,
                " is a CA already, whose nodes a new one would shut out: `espalier-node init --add NODE` adds a node to it, `--out DIR` makes"
                        + " another cluster elsewhere");
        made.refuseExisting(CLIENT, " is there already: move it away, or choose another folder with `--out DIR`");
        made.whole(CA, folder -> {
            Path password = newPassword(folder);
            Path store = folder.resolve(CA_STORE);
            List<String> make = new ArrayList<>(List.of("-genkeypair", "-alias", CA));
            make.addAll(KEY);
            make.addAll(VALID);
            make.addAll(
                    List.of("-dname", "CN=Espalier cluster " + HexFormat.of().formatHex(random(4))));
            make.addAll(List.of("-ext", "bc:c=ca:true,pathlen:0", "-ext", "ku:c=keyCertSign,cRLSign"));
            make.addAll(store(store, password));
            Keytool.run(make);
            List<String> export = new ArrayList<>(List.of("-exportcert", "-rfc", "-alias", CA));
            export.addAll(List.of("-file", folder.resolve(CA_CERTIFICATE).toString()));
            export.addAll(store(store, password));
            Keytool.run(export);
        });
        made.issue(CLIENT);
        return made;
    }

    /** @throws EspalierException if there is no CA */
    public static CertificateAuthority in(Path cluster) {
        if (!Files.isRegularFile(cluster.resolve(CA).resolve(CA_STORE))) {
            throw new EspalierException("there is no CA in " + cluster + ": run `espalier-node init` first"
                    + ", or name the folder with `--out DIR`");
        }
        return new CertificateAuthority(cluster);
    }

    /**
     * Makes a node's folder.
     *
     * @return to be copied to the node
     * @throws EspalierException if the name is not one label of a host's name, or the folder is there already
     */
    public Path add(String node) {
        requireNode(node);
        refuseExisting(
                node,
                " is there already: copy that one, or `espalier-node init --renew " + node
                        + "` makes a new certificate");
        return issue(node);
    }

    /**
     * Makes a new key and certificate in a node's folder, or the client's. The old certificate stays valid until it expires.
     *
     * @throws EspalierException if there is no such folder; the old one is lost only once the new one is whole
     */
    public Path renew(String name) {
        if (name.equals(CLIENT)) {
            return issue(name); // also where it is lost, or was never made
        }
        requireNode(name);
        if (!Files.isDirectory(cluster.resolve(name))) {
            throw new EspalierException("there is no " + cluster.resolve(name) + " to renew: `espalier-node init --add "
                    + name + "` makes it");
        }
        return issue(name);
    }

    private static void requireNode(String node) {
        ClusterNames.requireLabel(node);
        if (node.equals(CA) || node.equals(CLIENT)) {
            throw new EspalierException("a node cannot be called " + node + ": that folder is the cluster's own");
        }
    }

    private Path issue(String name) {
        boolean client = name.equals(CLIENT);
        String names = client
                ? "dns:" + ClusterNames.CLIENT
                : "dns:" + ClusterNames.of(name) + ",dns:" + ClusterNames.ANY_NODE;
        String uses = client ? "clientAuth" : "serverAuth,clientAuth";
        return whole(name, folder -> {
            Path password = newPassword(folder);
            Path store = folder.resolve(Certificates.IDENTITY);
            Path request = folder.resolve("request");
            Path certificate = folder.resolve("certificate");
            List<String> key = new ArrayList<>(List.of("-genkeypair", "-alias", name, "-dname", "CN=" + name));
            key.addAll(KEY);
            key.addAll(store(store, password));
            Keytool.run(key);
            List<String> ask = new ArrayList<>(List.of("-certreq", "-alias", name, "-file", request.toString()));
            ask.addAll(store(store, password));
            Keytool.run(ask);
            Path ca = cluster.resolve(CA);
            List<String> sign = new ArrayList<>(List.of("-gencert", "-rfc", "-alias", CA));
            sign.addAll(List.of("-infile", request.toString(), "-outfile", certificate.toString()));
            sign.addAll(VALID);
            sign.addAll(List.of("-ext", "san=" + names, "-ext", "eku=" + uses, "-ext", "ku:c=digitalSignature"));
            sign.addAll(store(ca.resolve(CA_STORE), ca.resolve(Certificates.PASSWORD)));
            Keytool.run(sign);
            Files.writeString(
                    certificate, Files.readString(certificate) + Files.readString(ca.resolve(CA_CERTIFICATE)));
            List<String> join = new ArrayList<>(List.of("-importcert", "-noprompt", "-alias", name));
            join.addAll(List.of("-file", certificate.toString()));
            join.addAll(store(store, password));
            Keytool.run(join);
            Files.delete(request);
            Files.delete(certificate);
        });
    }

    private static List<String> store(Path store, Path password) {
        return List.of("-storetype", "PKCS12", "-keystore", store.toString(), "-storepass:file", password.toString());
    }

    private static Path newPassword(Path folder) throws IOException {
        Path password = folder.resolve(Certificates.PASSWORD);
        PrivateFile.write(password, HexFormat.of().formatHex(random(PASSWORD_BYTES)) + "\n");
        return password;
    }

    private static byte[] random(int count) {
        byte[] bytes = new byte[count];
        RANDOM.nextBytes(bytes);
        return bytes;
    }

    private void refuseExisting(String name, String otherwise) {
        Path folder = cluster.resolve(name);
        if (Files.exists(folder)) {
            throw new EspalierException(folder + otherwise);
        }
    }

    @FunctionalInterface
    private interface Filling {
        void into(Path folder) throws IOException;
    }

    /** Fills a folder beside its place, and moves it there once it is complete. */
    private Path whole(String name, Filling filling) {
        Path place = cluster.resolve(name);
        Path folder = null;
        try {
            PrivateFile.folder(cluster);
            folder = PrivateFile.temporaryFolder(cluster, name);
            filling.into(folder);
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    PrivateFile.protect(file);
                }
            }
            move(folder, place);
            return place;
        } catch (IOException e) {
            throw new EspalierException("cannot make " + place + ": " + EspalierException.reason(e, place), e);
        } finally {
            delete(folder);
        }
    }

    /** A folder that is there, as of a certificate to renew, steps aside first: a folder cannot be replaced in one go. */
    private static void move(Path folder, Path place) throws IOException {
        if (!Files.exists(place)) {
            Files.move(folder, place, StandardCopyOption.ATOMIC_MOVE);
            return;
        }
        Path old = Files.createTempDirectory(place.toAbsolutePath().getParent(), ".old-");
        Files.move(place, old.resolve("folder"), StandardCopyOption.ATOMIC_MOVE);
        try {
            Files.move(folder, place, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            Files.move(old.resolve("folder"), place, StandardCopyOption.ATOMIC_MOVE);
            throw e;
        } finally {
            delete(old);
        }
    }

    private static void delete(Path folder) {
        if (folder == null || !Files.exists(folder)) {
            return;
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new EspalierException(
                    "cannot remove " + folder + ", which may hold a key: " + EspalierException.reason(e, folder), e);
        }
    }
}
