package org.espalier.kernel;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.dflib.jjava.jupyter.kernel.KernelConnectionProperties;
import org.espalier.EspalierException;
import org.espalier.kernel.jupyter.Client;
import org.espalier.kernel.jupyter.Message;

/**
 * The classes of a first session, parsed and verified beforehand: the JVM's class-data sharing. A JVM that finds the archive missing,
 * or made by another JVM or from another jar, starts without it, only slower.
 *
 * @param file named after the JVM's version; its time of change is that of the jar it was made from
 */
record ClassArchive(Path file) {

    private static final String OPTION = "-XX:SharedArchiveFile=";
    private static final Duration PATIENCE = Duration.ofMinutes(2);

    /** What most notebooks do first; each cell may fail. */
    private static final List<String> CELLS = List.of(
            "1 + 1",
            "System.out.println(\"line\"); List.of(\"a\", 2)",
            "int[] twice(int... a) { return Arrays.stream(a).map(i -> 2 * i).toArray(); }\ntwice(1, 2)",
            "record Point(int x, double y) {}\nnew Point(1, 2)",
            "int x = \"text\";",
            "Object none = null; none.toString()",
            "Table.create(\"t\", IntColumn.create(\"a\", 1, 2))",
            "%magics",
            "%model",
            "try (var node = LocalCluster.embedded()) { System.out.println(node.nodes()); }");

    /** The archive in a folder for the JVM that runs this. */
    static ClassArchive in(Path folder) {
        return new ClassArchive(
                folder.resolve("classes-" + Runtime.version() + ".jsa").toAbsolutePath());
    }

    /** What makes the JVM use it, and say nothing where it cannot. */
    List<String> options() {
        List<String> options = new ArrayList<>(quiet());
        options.add(OPTION + file);
        options.add("-Xshare:auto");
        return options;
    }

    private static List<String> quiet() {
        return Runtime.version().feature() < 24
                ? List.of("-Xlog:cds*=off")
                : List.of("-Xlog:cds*=off", "-Xlog:aot*=off");
    }

    /**
     * Why this JVM starts without the archive that it was told to use, which it does not say itself.
     *
     * @param arguments of the JVM
     */
    static Optional<String> unused(List<String> arguments, Path jar) throws IOException {
        Optional<ClassArchive> named = arguments.stream()
                .filter(argument -> argument.startsWith(OPTION))
                .map(argument -> new ClassArchive(Path.of(argument.substring(OPTION.length()))))
                .findFirst();
        if (named.isEmpty()) {
            return Optional.empty();
        }
        ClassArchive archive = named.get();
        String why = !Files.exists(archive.file)
                ? "is missing"
                : !archive.equals(in(archive.file.getParent()))
                        ? "is of another JVM than this " + Runtime.version()
                        : archive.isMadeFrom(jar) ? "" : "was made before " + jar + " changed";
        return Optional.of(why)
                .filter(reason -> !reason.isEmpty())
                .map(reason -> "the class archive " + archive.file + " " + reason
                        + ", so the kernel started more slowly: installing the kernel again makes it anew");
    }

    boolean isMadeFrom(Path jar) throws IOException {
        return Files.exists(file) && Files.getLastModifiedTime(file).equals(Files.getLastModifiedTime(jar));
    }

    /**
     * Runs a kernel with a first session and archives the classes that it loaded; takes some seconds.
     *
     * @param java the JVM with the options that the kernel will be started with
     * @throws EspalierException that says why it could not be made
     */
    void make(List<String> java, Path jar) throws IOException, InterruptedException {
        Path part = Files.createTempFile(file.getParent(), ".classes-", ".jsa");
        Path connection = Files.createTempFile("espalier-", ".json"); // readable only by this user
        Files.delete(part); // the JVM wants to create it
        try {
            Files.writeString(connection, connection());
            List<String> command = new ArrayList<>(java);
            command.addAll(quiet());
            command.add("-XX:ArchiveClassesAtExit=" + part);
            command.addAll(List.of("-jar", jar.toString(), connection.toString()));
            rehearse(command, KernelConnectionProperties.parse(Files.readString(connection)));
            if (!Files.exists(part)) {
                throw new EspalierException("this JVM wrote no archive: " + String.join(" ", command));
            }
            Files.setLastModifiedTime(part, Files.getLastModifiedTime(jar));
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            forgetOthers();
        } finally {
            Files.deleteIfExists(part);
            Files.deleteIfExists(connection);
        }
    }

    private static void rehearse(List<String> command, KernelConnectionProperties properties)
            throws IOException, InterruptedException {
        ProcessBuilder kernel =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(ProcessBuilder.Redirect.DISCARD);
        kernel.environment()
                .put("JPY_PARENT_PID", Long.toString(ProcessHandle.current().pid())); // ends with this process
        Process running = kernel.start();
        try (Client client = new Client(properties)) {
            client.ask("kernel_info_request", Message.object(), PATIENCE);
            for (String code : CELLS) {
                client.ask("execute_request", Message.object().put("code", code).put("stop_on_error", false), PATIENCE);
            }
            client.ask("complete_request", at("\"a\".len"), PATIENCE);
            client.ask("inspect_request", at("System.out.println("), PATIENCE);
            client.ask("is_complete_request", at("int x ="), PATIENCE);
            client.ask("shutdown_request", Message.object(), PATIENCE);
            if (!running.waitFor(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
                throw new EspalierException("the kernel did not end within " + PATIENCE.toSeconds() + " s");
            }
        } catch (GeneralSecurityException e) {
            throw new EspalierException("this JVM cannot sign messages: " + e.getMessage(), e);
        } finally {
            running.destroyForcibly();
        }
    }

    private static ObjectNode at(String code) {
        return Message.object()
                .put("code", code)
                .put("cursor_pos", code.length())
                .put("detail_level", 0);
    }

    /** A connection file with ports that are free now. */
    private static String connection() throws IOException {
        Map<String, ServerSocket> held = new TreeMap<>();
        ObjectNode file = Message.object();
        try {
            for (String channel : List.of("shell", "iopub", "stdin", "control", "hb")) {
                held.put(channel, new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
            }
            held.forEach((channel, socket) -> file.put(channel + "_port", socket.getLocalPort()));
        } finally {
            for (ServerSocket socket : held.values()) {
                socket.close();
            }
        }
        file.put("transport", "tcp").put("ip", "127.0.0.1").put("signature_scheme", "hmac-sha256");
        return file.put("key", UUID.randomUUID().toString()).toString();
    }

    /** Deletes the archives of JVMs that were used here before. */
    private void forgetOthers() throws IOException {
        try (Stream<Path> files = Files.list(file.getParent())) {
            for (Path other : files.filter(path -> path.getFileName().toString().matches("classes-.*\\.jsa"))
                    .toList()) {
                if (!other.equals(file)) {
                    Files.delete(other);
                }
            }
        }
    }
}
