package org.espalier.cluster;

import java.lang.System.Logger.Level;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Function;
import org.espalier.Remedy;
import org.espalier.transport.Certificates;
import org.espalier.transport.Channels;
import org.espalier.transport.NodeAddress;

/** The nodes that a cluster is connected to, from connecting until it is closed. */
final class Connection implements AutoCloseable {

    private static final System.Logger LOG = System.getLogger(Connection.class.getName());

    private final List<ClusterNode> nodes;
    private final NodeStarter.Started started;
    private volatile List<Link> links = List.of();
    private volatile boolean closed;

    private Connection(List<ClusterNode> nodes, NodeStarter.Started started) {
        this.nodes = List.copyOf(nodes);
        this.started = started;
    }

    /**
     * To nodes that are there, and stay.
     *
     * @throws ClusterException if one does not answer, or two have the same name
     */
    static Connection open(List<String> addresses, ConnectOptions options) {
        return open(addresses, addresses.stream().map(address -> "").toList(), options);
    }

    /** As {@link #open(List, ConnectOptions)}, to nodes that must still be the ones of these names. */
    static Connection open(RememberedNodes remembered) {
        return open(
                remembered.nodes().stream().map(RememberedNodes.Node::address).toList(),
                remembered.nodes().stream().map(RememberedNodes.Node::name).toList(),
                remembered.options());
    }

    private static Connection open(List<String> addresses, List<String> names, ConnectOptions options) {
        requireSome(addresses);
        List<NodeAddress> parsed = addresses.stream().map(NodeAddress::parse).toList();
        return open(new NodeStarter.Started(addresses, options.read(parsed), () -> false, () -> {}), names);
    }

    private static void requireSome(List<String> addresses) {
        if (addresses.isEmpty()) {
            throw new ClusterException("no node address was given: each is HOST:PORT", Remedy.CONNECT);
        }
    }

    /**
     * @param started closed with the connection, also if connecting fails
     * @throws ClusterException if one does not answer, or two have the same name
     */
    static Connection open(NodeStarter.Started started) {
        return open(started, started.addresses().stream().map(address -> "").toList());
    }

    /** @param expected each node's name; empty for any */
    private static Connection open(NodeStarter.Started started, List<String> expected) {
        List<String> addresses = started.addresses();
        List<ClusterNode> nodes = new ArrayList<>();
        try {
            requireSome(addresses);
            Channels channels = new Channels(started.credentials());
            for (int i = 0; i < addresses.size(); i++) {
                nodes.add(new ClusterNode(NodeAddress.parse(addresses.get(i)), expected.get(i), channels));
            }
            Set<String> names = new HashSet<>();
            for (NodeInfo node : Concurrently.all(
                    nodes.stream().map(node -> (Callable<NodeInfo>) node::greet).toList())) {
                if (!names.add(node.name())) {
                    throw new ClusterException(
                            "two nodes have the name " + node.name() + ": restart one of them with another `--name`");
                }
            }
            Connection opened = new Connection(nodes, started);
            opened.links = Links.measure(nodes);
            return opened;
        } catch (RuntimeException e) {
            new Connection(nodes, started).close();
            throw e;
        }
    }

    /** Whether a node that belongs to this cluster alone has ended by itself. */
    boolean ownNodesEnded() {
        return started.ended().getAsBoolean();
    }

    /** In the order of the addresses. */
    List<ClusterNode> nodes() {
        return nodes;
    }

    /** All nodes, asked now; those that do not answer are listed with the reason. */
    List<NodeInfo> describe() {
        return describe(ClusterNode::describe);
    }

    /** As {@link #describe}, with the details that take a node a while to find out; one node of each machine measures for all. */
    List<NodeInfo> describeInFull() {
        Map<String, ClusterNode> measuring = new HashMap<>();
        nodes.forEach(node -> measuring.putIfAbsent(machine(node), node));
        List<NodeInfo> answers = describe(node -> node.describeInFull(measuring.containsValue(node)));
        Map<String, Long> rates = new HashMap<>();
        answers.forEach(node -> rates.merge(machine(node), node.details().readBytesPerSecond(), Math::max));
        return answers.stream()
                .map(node -> node.with(node.details().withReadBytesPerSecond(rates.get(machine(node)))))
                .toList();
    }

    /** What is the same for all nodes of a machine. */
    private static String machine(NodeInfo node) {
        return node.machine().isEmpty() ? node.name() : node.machine();
    }

    private static String machine(ClusterNode node) {
        return node.lastAnswer().map(Connection::machine).orElse(node.address());
    }

    private List<NodeInfo> describe(Function<ClusterNode, NodeInfo> how) {
        return Concurrently.all(nodes.stream()
                .map(node -> (Callable<NodeInfo>) () -> {
                    try {
                        return how.apply(node);
                    } catch (RuntimeException e) {
                        LOG.log(Level.DEBUG, () -> node + " does not say how it is", e);
                        return NodeInfo.without(node.name(), node.address(), node.problem(e));
                    }
                })
                .toList());
    }

    /** The ways between the nodes, as they were when this was opened. */
    List<Link> links() {
        return links;
    }

    /** Nodes that cannot reach each other, and certificates that expire soon. */
    List<String> notices() {
        List<String> notices = new ArrayList<>();
        links.stream()
                .filter(link -> link.state() == Link.State.UNREACHABLE)
                .forEach(link -> notices.add("from " + link + "; the two cannot be neighbours in a ring like that"));
        started.credentials()
                .certificates()
                .filter(own -> Certificates.isSoon(own.expires()))
                .ifPresent(own ->
                        notices.add("this client's certificate in " + own.folder() + expires("client", own.expires())));
        for (ClusterNode node : nodes) {
            node.lastAnswer()
                    .flatMap(NodeInfo::certificateExpires)
                    .filter(Certificates::isSoon)
                    .ifPresent(expiry -> notices.add("the certificate of " + node + expires(node.name(), expiry)));
        }
        return notices;
    }

    private static String expires(String name, Instant expiry) {
        return " expires on " + Certificates.day(expiry) + ": `espalier-node init --renew " + name
                + "` makes another, on the machine with the CA";
    }

    /** @throws ClusterException if a deployment's head is not among the nodes */
    ClusterNode head(Deployment deployment) {
        String name = deployment.placement().nodes().get(0);
        return nodes.stream()
                .filter(node -> node.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new ClusterException("node " + name + ", the head of deployment '" + deployment.id()
                        + "', is not in this cluster: connect to it too"));
    }

    boolean closed() {
        return closed;
    }

    /** From here on nothing new may begin on it. */
    void closing() {
        closed = true;
    }

    /** Disconnects; nodes that belong to this cluster alone end. */
    @Override
    public void close() {
        closing();
        nodes.forEach(ClusterNode::close);
        try {
            started.whenDone().close();
        } catch (Exception e) {
            throw new ClusterException("the cluster's own nodes did not stop: " + e.getMessage(), e);
        }
    }
}
