package org.espalier.node.service;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import org.espalier.transport.CertificateAuthority;
import org.espalier.transport.Certificates;

/** A cluster's folders, and certificates that no {@code init} would make. */
final class TestCertificates {

    private final Path cluster;

    TestCertificates(Path cluster, String... nodes) {
        this.cluster = cluster;
        CertificateAuthority authority = CertificateAuthority.create(cluster);
        for (String node : nodes) {
            authority.add(node);
        }
    }

    Path folder(String name) {
        return cluster.resolve(name);
    }

    Path client() {
        return Certificates.clientOf(cluster);
    }

    Certificates of(String node) {
        return Certificates.read(folder(node));
    }

    /** A copy of a node's or the client's folder whose certificate has been valid for one day, ten days ago. */
    Path expired(String node) throws IOException, InterruptedException {
        return valid(node, "-10d", 1);
    }

    /** A copy of a node's or the client's folder whose certificate is valid for so many days from now. */
    Path expiringIn(String node, int days) throws IOException, InterruptedException {
        return valid(node, "-1H", days);
    }

    private Path valid(String node, String from, int days) throws IOException, InterruptedException {
        Path folder = Files.createDirectory(cluster.resolve("valid" + from + days + "-" + node));
        for (String file : List.of("identity.p12", "password")) {
            Files.copy(folder(node).resolve(file), folder.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
        }
        Path request = folder.resolve("request");
        Path certificate = folder.resolve("certificate");
        keytool(folder, "identity.p12", "-certreq", "-alias", node, "-file", request.toString());
        keytool(
                folder("ca"),
                "ca.p12",
                "-gencert",
                "-rfc",
                "-alias",
                "ca",
                "-infile",
                request.toString(),
                "-outfile",
                certificate.toString(),
                "-validity",
                String.valueOf(days),
                "-startdate",
                from,
                "-ext",
                node.equals("client")
                        ? "san=dns:client.espalier.internal"
                        : "san=dns:" + node + ".node.espalier.internal,dns:node.espalier.internal");
        Files.writeString(
                certificate,
                Files.readString(certificate) + Files.readString(folder("ca").resolve("ca.crt")));
        keytool(folder, "identity.p12", "-importcert", "-noprompt", "-alias", node, "-file", certificate.toString());
        return folder;
    }

    private static void keytool(Path folder, String store, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
        command.addAll(List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC"));
        command.addAll(List.of(arguments));
        command.addAll(List.of("-keystore", folder.resolve(store).toString()));
        command.addAll(List.of("-storepass:file", folder.resolve("password").toString()));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (process.waitFor() != 0) {
            throw new IOException(command + ": " + said);
        }
    }
}
