package org.espalier.cluster;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.RegularFile;
import org.espalier.transport.NodeAddress;

/**
 * The nodes that a user connected to, to be connected to again: kept in {@code ~/.espalier/cluster.json}, with the paths of what was shown to
 * them, never a secret or a key itself.
 *
 * @param nodes in the ring's order
 * @param options what is shown to them
 */
public record RememberedNodes(List<Node> nodes, ConnectOptions options) {

    /** Two to eight machines; whatever has more was not written by us. */
    private static final int MOST_BYTES = 1 << 20;

    private static final ObjectMapper JSON = new ObjectMapper();

    /** A node and where it was reached. Whoever else answers there is not it. */
    public record Node(String name, String address) {}

    public RememberedNodes {
        nodes = List.copyOf(nodes);
    }

    /** {@code ~/.espalier/cluster.json}. */
    public static Path file() {
        return Path.of(System.getProperty("user.home"), ".espalier", "cluster.json");
    }

    /**
     * What is remembered; empty if nothing is.
     *
     * @throws EspalierException if the file cannot be read, or is damaged
     */
    public static Optional<RememberedNodes> read() {
        return read(file());
    }

    static Optional<RememberedNodes> read(Path file) {
        try {
            return Optional.of(parse(JSON.readTree(RegularFile.read(file, MOST_BYTES))));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException | IllegalArgumentException | EspalierException e) {
            String reason = e instanceof IOException io ? EspalierException.reason(io, file) : e.getMessage();
            throw new EspalierException(
                    "cannot read the remembered nodes in " + file + ": " + reason
                            + "; remove the file, and connect again by addresses",
                    e);
        }
    }

    private static RememberedNodes parse(JsonNode json) {
        List<Node> nodes = new ArrayList<>();
        require(json != null && json.path("nodes").isArray(), "\"nodes\" is no list");
        for (JsonNode node : json.path("nodes")) {
            nodes.add(new Node(
                    text(node, "name"), NodeAddress.parse(text(node, "address")).toString()));
        }
        require(!nodes.isEmpty(), "\"nodes\" is empty");
        return new RememberedNodes(nodes, new ConnectOptions(path(json, "certificates"), path(json, "secretFile")));
    }

    private static String text(JsonNode node, String field) {
        require(
                node.path(field).isTextual() && !node.path(field).textValue().isBlank(),
                "a node has no \"" + field + "\"");
        return node.path(field).textValue();
    }

    private static Optional<Path> path(JsonNode json, String field) {
        if (json.path(field).isMissingNode()) {
            return Optional.empty();
        }
        require(json.path(field).isTextual(), "\"" + field + "\" is no path");
        try {
            return Optional.of(Path.of(json.path(field).textValue()));
        } catch (InvalidPathException e) {
            throw new IllegalArgumentException("\"" + field + "\" is no path", e);
        }
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new IllegalArgumentException(otherwise);
        }
    }

    /**
     * Keeps them in place of what was remembered before.
     *
     * @throws EspalierException if the file cannot be written
     */
    public void write() {
        write(file());
    }

    void write(Path file) {
        ObjectNode json = JSON.createObjectNode();
        ArrayNode list = json.putArray("nodes");
        nodes.forEach(node -> list.addObject().put("name", node.name()).put("address", node.address()));
        options.certificates()
                .ifPresent(
                        path -> json.put("certificates", path.toAbsolutePath().toString()));
        options.secretFile()
                .ifPresent(path -> json.put("secretFile", path.toAbsolutePath().toString()));
        Path part = null;
        try {
            Files.createDirectories(file.getParent());
            part = Files.createTempFile(file.getParent(), ".cluster-", ".json"); // of mode 600
            Files.writeString(part, JSON.writerWithDefaultPrettyPrinter().writeValueAsString(json) + "\n");
            Files.move(part, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new EspalierException(
                    "connected, but cannot remember the nodes in " + file + ": " + EspalierException.reason(e, file),
                    e);
        } finally {
            delete(part);
        }
    }

    private static void delete(Path part) {
        try {
            if (part != null) {
                Files.deleteIfExists(part);
            }
        } catch (IOException e) {
            // a few addresses in a file that nobody else may read
        }
    }

    /** Whether anything was remembered; from now on nothing is. */
    public static boolean forget() {
        try {
            return Files.deleteIfExists(file());
        } catch (IOException e) {
            throw new EspalierException("cannot remove " + file() + ": " + EspalierException.reason(e, file()), e);
        }
    }
}
