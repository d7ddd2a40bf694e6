package org.espalier.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A hub with one repository, {@code org/model}, on loopback. What it answers to the next requests can be scripted. */
final class FakeHub implements AutoCloseable {

    static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

    /** Handles one request in place of the usual answer. */
    interface Answer {
        void to(HttpExchange exchange, byte[] content) throws IOException;
    }

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final Map<String, byte[]> files = new LinkedHashMap<>();
    private final Map<String, Deque<Answer>> scripts = Collections.synchronizedMap(new LinkedHashMap<>());
    private final ObjectNode listing = new ObjectMapper().createObjectNode();
    /** Bytes of files that were sent. */
    final AtomicLong sent = new AtomicLong();
    /** {@code GET path Range Authorization} of every request. */
    final List<String> requests = new CopyOnWriteArrayList<>();

    FakeHub() {
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/", this::handle);
        server.start();
        listing.put("sha", COMMIT).putArray("siblings");
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort());
    }

    /** A small file, named by git's hash. */
    FakeHub file(String name, String content) {
        byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
        sibling(name).put("size", bytes.length).put("blobId", gitHash(bytes));
        files.put(name, bytes);
        return this;
    }

    /** A large file, named by its SHA-256. */
    FakeHub large(String name, byte[] bytes) {
        sibling(name)
                .put("size", 130)
                .putObject("lfs")
                .put("sha256", hash("SHA-256", bytes))
                .put("size", bytes.length);
        files.put(name, bytes);
        return this;
    }

    ObjectNode sibling(String name) {
        ArrayNode siblings = (ArrayNode) listing.get("siblings");
        for (JsonNode known : siblings) {
            if (known.path("rfilename").asText().equals(name)) {
                return (ObjectNode) known;
            }
        }
        return siblings.addObject().put("rfilename", name);
    }

    ObjectNode listing() {
        return listing;
    }

    /** The next request for a path that ends so is answered like this; several in their order. */
    FakeHub next(String end, Answer answer) {
        scripts.computeIfAbsent(end, name -> new ArrayDeque<>()).add(answer);
        return this;
    }

    static Answer status(int status, String... headers) {
        return (exchange, content) -> {
            for (int i = 0; i < headers.length; i += 2) {
                exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
            }
            exchange.sendResponseHeaders(status, -1);
        };
    }

    /** Promises everything and closes the connection after {@code bytes}. */
    static Answer cutAfter(int bytes) {
        return (exchange, content) -> {
            int[] range = answerHead(exchange, content);
            exchange.getResponseBody().write(content, range[0], Math.min(bytes, range[1] - range[0]));
            exchange.getResponseBody().flush();
            throw new IOException("cut");
        };
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            requests.add(exchange.getRequestMethod() + " " + path + " " + header(exchange, "Range") + " "
                    + header(exchange, "Authorization"));
            byte[] content = files.getOrDefault(path.replaceFirst("^/org/model/resolve/[^/]+/", ""), new byte[0]);
            Optional<Answer> scripted = scripts.entrySet().stream()
                    .filter(script ->
                            path.endsWith(script.getKey()) && !script.getValue().isEmpty())
                    .findFirst()
                    .map(script -> script.getValue().poll());
            if (scripted.isPresent()) {
                scripted.get().to(exchange, content);
            } else if (path.startsWith("/api/models/org/model/revision/")) {
                byte[] json = new ObjectMapper().writeValueAsBytes(listing);
                answerHead(exchange, json);
                exchange.getResponseBody().write(json);
            } else if (path.startsWith("/org/model/resolve/" + COMMIT + "/") && content.length > 0) {
                int[] range = answerHead(exchange, content);
                sent.addAndGet(range[1] - range[0]);
                try (OutputStream body = exchange.getResponseBody()) {
                    body.write(content, range[0], range[1] - range[0]);
                }
            } else {
                exchange.sendResponseHeaders(404, -1);
            }
        } catch (IOException e) {
            // the client went, or this answer was to be cut
        }
    }

    private static String header(HttpExchange exchange, String name) {
        return Optional.ofNullable(exchange.getRequestHeaders().getFirst(name)).orElse("-");
    }

    private static final Pattern RANGE = Pattern.compile("bytes=(\\d+)-(\\d*)");

    /** Begin and end of what is asked for. */
    private static int[] range(HttpExchange exchange, byte[] content) {
        Matcher range = RANGE.matcher(header(exchange, "Range"));
        if (!range.matches()) {
            return new int[] {0, content.length};
        }
        int end = range.group(2).isEmpty() ? content.length : Integer.parseInt(range.group(2)) + 1;
        return new int[] {Integer.parseInt(range.group(1)), end};
    }

    /** Sends status and headers; returns begin and end of the body. */
    static int[] answerHead(HttpExchange exchange, byte[] content) throws IOException {
        int[] range = range(exchange, content);
        boolean part = !header(exchange, "Range").equals("-");
        if (part) {
            exchange.getResponseHeaders()
                    .add("Content-Range", "bytes " + range[0] + "-" + (range[1] - 1) + "/" + content.length);
        }
        exchange.sendResponseHeaders(part ? 206 : 200, range[1] - range[0]);
        return range;
    }

    static String gitHash(byte[] bytes) {
        byte[] head = ("blob " + bytes.length + "\0").getBytes(StandardCharsets.UTF_8);
        byte[] all = Arrays.copyOf(head, head.length + bytes.length);
        System.arraycopy(bytes, 0, all, head.length, bytes.length);
        return hash("SHA-1", all);
    }

    static String hash(String algorithm, byte[] bytes) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance(algorithm).digest(bytes));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
