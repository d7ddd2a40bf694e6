package org.espalier.node.faults;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.espalier.DaemonThreads;

/** A node in a JVM of its own, on this JVM's class path, which can be sent signals and looked at from outside. */
final class NodeProcess implements AutoCloseable {

    private static final long READY_SECONDS = 60;
    private static final String LISTENING = "listening on ";

    private final Process process;
    private final Path log;
    private final String address;

    private NodeProcess(Process process, Path log, String address) {
        this.process = process;
        this.log = log;
        this.address = address;
    }

    /** A node which may read whatever its user may, and which anybody may use. */
    static NodeProcess open(String name, String... jvmOptions) throws Exception {
        return start(name, List.of(jvmOptions), List.of(OpenNode.class.getName(), name));
    }

    /** @param main the class and its arguments; it says where it listens */
    static NodeProcess start(String name, List<String> jvmOptions, List<String> main) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED");
        }
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(jvmOptions);
        command.addAll(List.of("-cp", System.getProperty("java.class.path")));
        command.addAll(main);
        Path log = Files.createTempFile("node-" + name + "-", ".log");
        log.toFile().deleteOnExit();
        Process process =
                new ProcessBuilder(command).redirectError(log.toFile()).start();
        CompletableFuture<String> address = new CompletableFuture<>();
        new DaemonThreads("out-of-" + name)
                .newThread(() -> read(process, address))
                .start();
        try {
            return new NodeProcess(process, log, address.get(READY_SECONDS, TimeUnit.SECONDS));
        } catch (Exception e) {
            process.destroyForcibly();
            throw new AssertionError(name + " did not start: " + Files.readString(log), e);
        }
    }

    private static void read(Process process, CompletableFuture<String> address) {
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(LISTENING)) {
                    address.complete(line.substring(LISTENING.length()).strip());
                }
            }
        } catch (IOException e) {
            // the process ended
        }
        address.completeExceptionally(new IOException("it ended"));
    }

    String address() {
        return address;
    }

    boolean isAlive() {
        return process.isAlive();
    }

    /** What it has logged so far. */
    String log() throws IOException {
        return Files.readString(log);
    }

    /** @param name as {@code kill} takes it: KILL, TERM, STOP, CONT */
    void signal(String name) throws Exception {
        new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid()))
                .inheritIO()
                .start()
                .waitFor();
    }

    /** Waits for its end; false if that takes longer. */
    boolean ends(long seconds) throws InterruptedException {
        return process.waitFor(seconds, TimeUnit.SECONDS);
    }

    /** Open descriptors; Linux only. */
    int descriptors() throws IOException {
        try (Stream<Path> open = Files.list(proc("fd"))) {
            return (int) open.count();
        }
    }

    /** How many threads there are of each name, as far as the system keeps names; Linux only. */
    Map<String, Integer> threads() throws IOException {
        Map<String, Integer> named = new TreeMap<>();
        try (Stream<Path> threads = Files.list(proc("task"))) {
            for (Path thread : threads.toList()) {
                try {
                    named.merge(Files.readString(thread.resolve("comm")).strip(), 1, Integer::sum);
                } catch (IOException e) {
                    // it has just ended
                }
            }
        }
        return named;
    }

    /** Resident memory in bytes; Linux only. */
    long residentBytes() throws IOException {
        return Files.readAllLines(proc("status")).stream()
                .filter(line -> line.startsWith("VmRSS:"))
                .mapToLong(line -> Long.parseLong(line.replaceAll("[^0-9]", "")) * 1024)
                .findFirst()
                .orElseThrow();
    }

    private Path proc(String what) {
        return Path.of("/proc", String.valueOf(process.pid()), what);
    }

    /** Ends it at once. */
    @Override
    public void close() {
        process.destroyForcibly();
        try {
            process.waitFor(10, TimeUnit.SECONDS);
            Files.deleteIfExists(log);
        } catch (IOException e) {
            // it is deleted at exit
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
