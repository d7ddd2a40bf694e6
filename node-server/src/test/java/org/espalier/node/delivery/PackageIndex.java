package org.espalier.node.delivery;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** A package index on loopback that has one file. */
final class PackageIndex implements AutoCloseable {

    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final String name;
    private final byte[] content;
    /** Bytes after which connections are cut, one number a connection. */
    final List<Integer> cuts = new CopyOnWriteArrayList<>();
    /** First byte that each request for the file asked for. */
    final List<Integer> requests = new CopyOnWriteArrayList<>();

    PackageIndex(String name, byte[] content) {
        this.name = name;
        this.content = content;
        try {
            server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        server.setExecutor(threads);
        server.createContext("/simple/", this::page);
        server.createContext("/files/", this::file);
        server.start();
    }

    URI address() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/simple");
    }

    private void page(HttpExchange exchange) throws IOException {
        try (exchange) {
            byte[] page =
                    ("<a href=\"../../files/" + name + "#sha256=0\">" + name + "</a>").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, page.length);
            exchange.getResponseBody().write(page);
        }
    }

    private void file(HttpExchange exchange) throws IOException {
        try (exchange) {
            String range = exchange.getRequestHeaders().getFirst("Range");
            int from = range == null ? 0 : Integer.parseInt(range.replaceAll("[^0-9]", ""));
            requests.add(from);
            if (from > 0) {
                exchange.getResponseHeaders()
                        .add("Content-Range", "bytes " + from + "-" + (content.length - 1) + "/" + content.length);
            }
            exchange.sendResponseHeaders(from > 0 ? 206 : 200, content.length - from);
            int count = content.length - from;
            if (!cuts.isEmpty()) {
                count = Math.min(count, cuts.remove(0));
            }
            exchange.getResponseBody().write(content, from, count);
        } catch (IOException e) {
            // cut
        }
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
