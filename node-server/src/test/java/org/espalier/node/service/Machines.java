package org.espalier.node.service;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * Machines with a network of their own: namespaces of this one's kernel, each with one cable to a bridge, which is where the client sits.
 * Skips the test, with the reason, where that is not allowed or iproute2 is missing.
 */
final class Machines implements AutoCloseable {

    /** Of the benchmarking range (RFC 2544), which no real network uses. */
    private static final String NETWORK = "198.18." + (ProcessHandle.current().pid() % 250) + ".";

    private static final int PORT = 50515;

    /** For whatever takes a second at most on a machine that has nothing else to do. */
    private static final int SECONDS = 60;

    private final String prefix = "esp" + ProcessHandle.current().pid() % 100_000;
    private final int count;
    private final Path logs;
    private final Process[] nodes;

    Machines(int count, Path logs) throws IOException, InterruptedException {
        this.count = count;
        this.logs = logs;
        this.nodes = new Process[count];
        Assumptions.assumeTrue(may(), "network namespaces need root and Debian's iproute2");
        ip("link", "add", prefix, "type", "bridge");
        ip("address", "add", NETWORK + "254/24", "dev", prefix);
        ip("link", "set", prefix, "up");
        for (int i = 0; i < count; i++) {
            ip("netns", "add", space(i));
            ip("link", "add", cable(i), "type", "veth", "peer", "name", "eth0", "netns", space(i));
            ip("link", "set", cable(i), "master", prefix, "up");
            ip("-n", space(i), "address", "add", host(i) + "/24", "dev", "eth0");
            ip("-n", space(i), "link", "set", "eth0", "up");
            ip("-n", space(i), "link", "set", "lo", "up");
        }
    }

    private static boolean may() throws InterruptedException {
        String name = "esp-try" + ProcessHandle.current().pid();
        try {
            ip("netns", "add", name);
            ip("netns", "delete", name);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private String space(int machine) {
        return prefix + "-" + machine;
    }

    private String cable(int machine) {
        return prefix + "v" + machine;
    }

    String host(int machine) {
        return NETWORK + (machine + 1);
    }

    /** Where the client is, as machines see it. */
    String bridge() {
        return NETWORK + "254";
    }

    String address(int machine) {
        return host(machine) + ":" + PORT;
    }

    List<String> addresses() {
        List<String> all = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            all.add(address(i));
        }
        return all;
    }

    Process node(int machine) {
        return nodes[machine];
    }

    String log(int machine) throws IOException {
        return Files.readString(logs.resolve("node-" + machine + ".log"));
    }

    /** Serves on a machine, over TLS, and waits until it does. */
    void serve(int machine, Path certificates, Path models) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip", "netns", "exec", space(machine)));
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), "org.espalier.node.cli.EspalierNode"));
        command.addAll(List.of("serve", "--listen", address(machine), "--engine", "reference"));
        command.addAll(List.of("--certificates", certificates.toString(), "--models", models.toString()));
        nodes[machine] = new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.appendTo(
                        logs.resolve("node-" + machine + ".log").toFile()))
                .start();
        String first = firstLine(nodes[machine]);
        if (first == null || !first.equals("listening on tls://" + address(machine))) {
            throw new IOException("machine " + machine + " said " + first + "; its log: " + log(machine));
        }
    }

    /** Null if it ends before; if it says nothing in time, it is ended. */
    private static String firstLine(Process process) throws IOException {
        CompletableFuture<Void> spoke = new CompletableFuture<>();
        spoke.orTimeout(SECONDS, TimeUnit.SECONDS).exceptionally(late -> {
            process.destroyForcibly();
            return null;
        });
        try {
            return new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))
                    .readLine();
        } finally {
            spoke.complete(null);
        }
    }

    void signal(int machine, String signal) throws IOException, InterruptedException {
        run("kill", "-" + signal, String.valueOf(nodes[machine].pid()));
    }

    void unplug(int machine) throws IOException, InterruptedException {
        ip("link", "set", cable(machine), "down");
    }

    void plug(int machine) throws IOException, InterruptedException {
        ip("link", "set", cable(machine), "up");
    }

    private static void ip(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(List.of(arguments));
        run(command.toArray(String[]::new));
    }

    private static void run(String... command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS); // it says less than a pipe holds
        if (!ended) {
            process.destroyForcibly();
        }
        if (!ended || process.exitValue() != 0) {
            String said =
                    ended ? new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8) : "it hangs";
            throw new IOException(String.join(" ", command) + ": " + said);
        }
    }

    @Override
    public void close() throws InterruptedException {
        for (Process node : nodes) {
            if (node != null) {
                node.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        }
        for (int i = 0; i < count; i++) {
            quietly("netns", "delete", space(i));
        }
        quietly("link", "delete", prefix);
    }

    private static void quietly(String... arguments) throws InterruptedException {
        try {
            ip(arguments);
        } catch (IOException e) {
            // it was never made
        }
    }
}
