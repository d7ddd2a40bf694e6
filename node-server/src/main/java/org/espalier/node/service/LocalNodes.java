package org.espalier.node.service;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;
import org.espalier.transport.Secret;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Nodes as processes of this machine, on loopback: {@code local-1} and on. They run this JVM's own class path, log to files, and end when
 * this object is closed or this process ends, because they watch their stdin, whose first line is the secret that they ask of every caller.
 */
public final class LocalNodes implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(LocalNodes.class);
    private static final Duration READY = Duration.ofSeconds(30);
    private static final Duration PROBE = Duration.ofMillis(150);
    private static final String LISTENING = "listening on ";
    private static final List<String> START_OPTIONS = List.of(
            "-XX:SharedArchiveFile=", "-XX:AOTCache=", "-Xshare:auto", "-Xlog:cds", "-Xlog:aot", "-XX:+UseSerialGC");

    /** @param log the file that the process logs to */
    private record Child(String name, Process process, Path log, CompletableFuture<String> address) {}

    private final List<Child> children;

    private LocalNodes(List<Child> children) {
        this.children = List.copyOf(children);
    }

    /**
     * Starts nodes and waits until all serve.
     *
     * @throws EspalierException with the end of the log of the first that does not start; then no process is left
     */
    public static LocalNodes start(int count) {
        if (count < 1 || count > 64) {
            throw new EspalierException("cannot start " + count + " local nodes: choose 1 to 64");
        }
        return start(IntStream.rangeClosed(1, count).mapToObj(i -> "local-" + i).toList());
    }

    /** The same for nodes of these names. */
    static LocalNodes start(List<String> names) {
        List<Child> children = new ArrayList<>();
        try {
            for (String name : names) {
                children.add(launch(name));
            }
            long deadline = System.nanoTime() + READY.toNanos();
            for (Child child : children) {
                awaitAddress(child, deadline);
            }
            return new LocalNodes(children);
        } catch (RuntimeException e) {
            new LocalNodes(children).close();
            throw e;
        }
    }

    /** host:port of each, in order; they ask for {@link Secret#ofThisProcess}. */
    public List<String> addresses() {
        return children.stream().map(child -> child.address.join()).toList();
    }

    /** Process ids in order. */
    public List<Long> pids() {
        return children.stream().map(child -> child.process.pid()).toList();
    }

    /** Names of the nodes whose process has ended. */
    public List<String> dead() {
        return children.stream()
                .filter(child -> !child.process.isAlive())
                .map(Child::name)
                .toList();
    }

    /** The file that a node's standard error goes to. */
    public List<Path> logs() {
        return children.stream().map(Child::log).toList();
    }

    /** Ends all processes and waits for that. If one hangs, and with it their ring, none is given time to end by itself. */
    @Override
    public void close() {
        try (HungNodes hung = new HungNodes(children.stream()
                .filter(child -> child.process.isAlive())
                .map(LocalNodes::address)
                .filter(address -> !address.isEmpty())
                .toList())) {
            children.forEach(LocalNodes::end);
            if (!hung.after(PROBE).isEmpty()) {
                children.forEach(child -> child.process.destroyForcibly());
            }
        }
        for (Child child : children) {
            try {
                if (!child.process.waitFor(3, TimeUnit.SECONDS)) {
                    child.process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                child.process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Empty if it does not serve. */
    private static String address(Child child) {
        return child.address.isCompletedExceptionally() ? "" : child.address.getNow("");
    }

    private static void end(Child child) {
        try {
            child.process.getOutputStream().close(); // end of stdin: the node shuts down properly
        } catch (IOException e) {
            child.process.destroy();
        }
    }

    private static Child launch(String name) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        if (Runtime.version().feature() >= 22) {
            command.add("--enable-native-access=ALL-UNNAMED"); // earlier versions neither need nor know it
        }
        command.addAll(startOptions());
        command.addAll(List.of(
                "-cp",
                System.getProperty("java.class.path"),
                "org.espalier.node.cli.EspalierNode",
                "serve",
                "--port",
                "0",
                "--name",
                name,
                "--parent-stdin"));
        try {
            Path log = Files.createTempFile("espalier-" + name + "-", ".log");
            log.toFile().deleteOnExit();
            Process process =
                    new ProcessBuilder(command).redirectError(log.toFile()).start();
            Child child = new Child(name, process, log, new CompletableFuture<>());
            tell(process, Secret.ofThisProcess());
            new DaemonThreads("espalier-" + name).newThread(() -> read(child)).start();
            return child;
        } catch (IOException e) {
            throw new EspalierException(
                    "cannot start node " + name + " with " + command.get(0) + ": " + e.getMessage(), e);
        }
    }

    /** Its first line; a process that has ended already is told of by what it said. */
    private static void tell(Process process, Secret secret) {
        try {
            process.getOutputStream().write(secret.line().getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        } catch (IOException e) {
            LOG.debug("a node ended before it was told the secret", e);
        }
    }

    /** What this JVM was told that makes a start quick: its class archive, silence where that cannot be used, and the collector. */
    private static List<String> startOptions() {
        return ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
                .filter(option -> START_OPTIONS.stream().anyMatch(option::startsWith))
                .toList();
    }

    /** Reads the node's stdout to its end, so that it never blocks on it; one line says that it serves. What else a JVM says there is why it ended. */
    private static void read(Child child) {
        String last = "";
        try (BufferedReader lines =
                new BufferedReader(new InputStreamReader(child.process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                if (line.startsWith(LISTENING)) {
                    child.address.complete(line.substring(LISTENING.length()).strip());
                } else if (!line.isBlank()) {
                    last = line.strip();
                }
            }
        } catch (IOException e) {
            // the process ended: the next line says so
        }
        child.address.completeExceptionally(new IOException(last));
    }

    private static void awaitAddress(Child child, long deadline) {
        try {
            child.address.get(Math.max(1, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            String said = e.getCause().getMessage();
            throw new EspalierException(
                    "node " + child.name + " ended before it served: " + (said.isEmpty() ? lastWords(child) : said));
        } catch (TimeoutException e) {
            throw new EspalierException(
                    "node " + child.name + " does not serve after " + READY.toSeconds() + " s: " + lastWords(child));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EspalierException("starting local nodes was interrupted");
        }
    }

    private static String lastWords(Child child) {
        try {
            List<String> lines = Files.readAllLines(child.log).stream()
                    .filter(line -> !line.isBlank())
                    .toList();
            return lines.isEmpty()
                    ? "it logged nothing"
                    : lines.get(lines.size() - 1).strip();
        } catch (IOException e) {
            return "its log " + child.log + " cannot be read";
        }
    }
}
