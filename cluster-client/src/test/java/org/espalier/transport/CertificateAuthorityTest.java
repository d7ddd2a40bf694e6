package org.espalier.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.espalier.EspalierException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CertificateAuthorityTest {

    @TempDir
    private static Path cluster;

    private static CertificateAuthority authority;

    @BeforeAll
    static void make() {
        authority = CertificateAuthority.create(cluster);
        authority.add("mini-1");
    }

    private static Map<String, String> contents() throws IOException {
        try (Stream<Path> files = Files.walk(cluster)) {
            return files.filter(Files::isRegularFile)
                    .collect(Collectors.toMap(
                            file -> cluster.relativize(file).toString(), CertificateAuthorityTest::text));
        }
    }

    private static String text(Path file) {
        try {
            return new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void foldersAreWholeAndOnlyTheirUserMayReadThem() throws IOException {
        assertThat(contents())
                .containsOnlyKeys(
                        "ca/ca.p12",
                        "ca/ca.crt",
                        "ca/password",
                        "client/identity.p12",
                        "client/password",
                        "mini-1/identity.p12",
                        "mini-1/password");
        try (Stream<Path> files = Files.walk(cluster)) {
            for (Path file : files.toList()) {
                assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                        .as(file.toString())
                        .isEqualTo(Files.isDirectory(file) ? "rwx------" : "rw-------");
            }
        }
    }

    @Test
    void certificatesNameTheirNodeForTenYearsFromADayBack() {
        Certificates node = Certificates.read(cluster.resolve("mini-1"));
        assertThat(node.peer()).isEqualTo(new Peer(Peer.Role.NODE, "mini-1"));
        assertThat(node.expires())
                .isBetween(
                        Instant.now().plus(3648, ChronoUnit.DAYS), Instant.now().plus(3649, ChronoUnit.DAYS));
        node.requireValid(Instant.now().minus(Duration.ofHours(23)));
        assertThatThrownBy(() -> node.requireValid(Instant.now().minus(Duration.ofDays(3))))
                .hasMessageContaining("the certificate in " + cluster.resolve("mini-1") + " is valid from ")
                .hasMessageEndingWith(": set the clock");
        assertThatThrownBy(() -> node.requireValid(Instant.now().plus(3650, ChronoUnit.DAYS)))
                .hasMessageContaining("the certificate in " + cluster.resolve("mini-1") + " expired on ")
                .hasMessageContaining("`espalier-node init --renew mini-1` makes another");
        assertThat(Certificates.read(Certificates.clientOf(cluster)).peer().role())
                .isEqualTo(Peer.Role.CLIENT);
        assertThatThrownBy(() -> node.require(Peer.Role.CLIENT))
                .hasMessage("the certificate in " + cluster.resolve("mini-1")
                        + " is for node mini-1, a client's is needed here");
    }

    @Test
    void nothingThatIsThereIsOverwritten() throws IOException {
        Map<String, String> before = contents();
        assertThatThrownBy(() -> CertificateAuthority.create(cluster))
                .isInstanceOf(EspalierException.class)
                .hasMessageStartingWith(
                        cluster.resolve("ca") + " is a CA already, whose nodes a new one would shut out");
        assertThatThrownBy(() -> authority.add("mini-1"))
                .hasMessageStartingWith(cluster.resolve("mini-1") + " is there already");
        assertThatThrownBy(() -> authority.renew("mini-2")).hasMessageContaining("to renew");
        assertThatThrownBy(() -> CertificateAuthority.in(cluster.resolve("mini-1")))
                .hasMessageContaining("there is no CA in " + cluster.resolve("mini-1"));
        assertThat(contents()).isEqualTo(before);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "-a",
                "a-",
                "Mini",
                "mini_1",
                "mini.local",
                "../x",
                "a/b",
                "ca",
                "client",
                "mini 1",
                "ä",
                "a,dns:client.espalier.internal",
                "0123456789012345678901234567890123456789012345678901234567890123"
            })
    void aNodesNameIsOneLabel(String name) throws IOException {
        Map<String, String> before = contents();
        assertThatThrownBy(() -> authority.add(name))
                .isInstanceOf(EspalierException.class)
                .hasMessageContaining("a node");
        assertThat(contents()).isEqualTo(before);
    }

    @Test
    void aClientThatIsLostIsMadeAgain() throws IOException {
        Path client = cluster.resolve("client");
        Files.delete(client.resolve("identity.p12"));
        Files.delete(client.resolve("password"));
        Files.delete(client);
        authority.renew("client");
        assertThat(Certificates.read(client).peer().name()).isEqualTo("client");
    }

    @Test
    void renewingMakesANewKeyForTheSameName() {
        Path folder = authority.add("mini-3");
        String before = text(folder.resolve("identity.p12"));
        assertThat(authority.renew("mini-3")).isEqualTo(folder);
        assertThat(text(folder.resolve("identity.p12"))).isNotEqualTo(before);
        assertThat(Certificates.read(folder).peer().name()).isEqualTo("mini-3");
        assertThat(folder.getParent()).isDirectoryNotContaining("glob:**/.*");
    }

    /** Who may put a file in place of another may put a CA of his own there. */
    @Test
    void aFolderThatOthersMayWriteToIsRefused(@TempDir Path copy) throws IOException {
        Path folder = Files.createDirectory(copy.resolve("mini-1"));
        for (String file : List.of("identity.p12", "password")) {
            Files.copy(
                    cluster.resolve("mini-1").resolve(file), folder.resolve(file), StandardCopyOption.COPY_ATTRIBUTES);
        }
        for (String mode : List.of("rwxrwxr-x", "rwx----w-")) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString(mode));
            assertThatThrownBy(() -> Certificates.read(folder))
                    .hasMessage("other users of this machine may change the certificates in " + folder + " (" + mode
                            + "): run `chmod 700 " + folder + "`");
        }
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        assertThat(Certificates.read(folder).peer().name()).isEqualTo("mini-1");
    }

    @Test
    void damagedMissingAndReadableFilesAreNamed(@TempDir Path copy) throws IOException {
        Path identity = copy.resolve("identity.p12");
        Path password = copy.resolve("password");
        assertThatThrownBy(() -> Certificates.read(copy)).hasMessage("there is no " + identity + ", which has the key");
        Files.copy(cluster.resolve("mini-1/identity.p12"), identity);
        Files.setPosixFilePermissions(identity, PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> Certificates.read(copy))
                .hasMessage("other users of this machine may read the key " + identity + " (rw-r-----): run `chmod 600 "
                        + identity + "`");
        Files.setPosixFilePermissions(identity, PosixFilePermissions.fromString("rw-------"));
        assertThatThrownBy(() -> Certificates.read(copy))
                .hasMessage("there is no " + password + ", which has the key's password");
        PrivateFile.write(password, "wrong\n");
        assertThatThrownBy(() -> Certificates.read(copy))
                .hasMessageStartingWith("cannot open " + identity + " with the password beside it: ");
        Files.write(identity, new byte[] {1, 2, 3});
        assertThatThrownBy(() -> Certificates.read(copy)).hasMessageStartingWith("cannot open " + identity);
        Files.delete(identity);
        Files.createDirectory(identity);
        assertThatThrownBy(() -> Certificates.read(copy)).isInstanceOf(EspalierException.class);
        assertThatThrownBy(() -> Certificates.read(copy.resolve("nowhere")))
                .hasMessageStartingWith("there is no folder " + copy.resolve("nowhere") + " with certificates");
    }
}
