package org.espalier.node.faults;

import io.grpc.ManagedChannel;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.espalier.transport.CertificateAuthority;
import org.espalier.transport.Certificates;
import org.espalier.transport.Channels;
import org.espalier.transport.Credentials;
import org.espalier.transport.NodeAddress;
import org.espalier.transport.PeerIdentity;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.ModelIdentity;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.Placement;
import org.espalier.v1.Shard;

/**
 * What a hop between two processes costs, all in: the time from token to token over two nodes, less that on one node, is two hops (there
 * and back), since a model of whole numbers computes the same in both. In plain text and over TLS. A benchmark, run by hand: {@code java -cp ... org.espalier.node.faults.HopBench}.
 */
final class HopBench {

    private static final int LAYERS = 6;
    private static final int TOKENS = 1900;
    private static final int WARM_UP = 6;
    private static final int MEASURED = 4;

    private HopBench() {}

    public static void main(String[] arguments) throws Exception {
        Path cluster = Files.createTempDirectory("hop-bench-");
        CertificateAuthority authority = CertificateAuthority.create(cluster.resolve("cluster"));
        authority.add("n0");
        authority.add("n1");
        measure("plain text", Optional.empty());
        measure("TLS", Optional.of(cluster.resolve("cluster")));
        System.exit(0);
    }

    private static void measure(String mode, Optional<Path> certificates) throws Exception {
        double[] one = times(1, certificates);
        double[] two = times(2, certificates);
        print(mode + ", a token on 1 node", one);
        print(mode + ", a token on 2 nodes", two);
        // Not by the median: tokens that arrive together have one long gap and many short ones.
        System.out.printf("%s, a hop, all in: mean %.3f ms%n", mode, (mean(two) - mean(one)) / 2);
    }

    private static NodeProcess serve(String name, Optional<Path> certificates) throws Exception {
        List<String> main = new ArrayList<>(List.of(FakeNode.class.getName(), name));
        if (certificates.isPresent()) {
            try (ServerSocket free = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
                main.addAll(List.of(certificates.get().resolve(name).toString(), "" + free.getLocalPort()));
            }
        }
        return NodeProcess.start(name, List.of("-XX:TieredStopAtLevel=4"), main);
    }

    private static ManagedChannel channel(String address, Optional<Path> certificates) {
        return certificates.isEmpty()
                ? ProcessRing.channel(address)
                : new Channels(Credentials.of(Certificates.read(Certificates.clientOf(certificates.get()))))
                        .toAddress(NodeAddress.parse(address), PeerIdentity.anyNode())
                        .build();
    }

    private static double mean(double[] times) {
        return Arrays.stream(times).average().orElseThrow();
    }

    /** Milliseconds from token to token, as the client sees them, ascending. */
    private static double[] times(int nodes, Optional<Path> certificates) throws Exception {
        List<NodeProcess> processes = new ArrayList<>();
        List<ManagedChannel> channels = new ArrayList<>();
        try {
            Placement.Builder placement =
                    Placement.newBuilder().setStrategy("pipeline").setLayers(LAYERS);
            for (int i = 0; i < nodes; i++) {
                processes.add(serve("n" + i, certificates));
                channels.add(channel(processes.get(i).address(), certificates));
                placement.addShards(Shard.newBuilder()
                        .setNode("n" + i)
                        .setAddress(processes.get(i).address())
                        .setFirstLayer(LAYERS * i / nodes)
                        .setEndLayer(LAYERS * (i + 1) / nodes));
            }
            for (int i = 0; i < nodes; i++) {
                stub(channels.get(i)).load(load(placement.build(), i)).forEachRemaining(progress -> {});
            }
            for (ManagedChannel channel : channels) {
                stub(channel)
                        .join(JoinRequest.newBuilder()
                                .setDeployment("d")
                                .setEpoch(1)
                                .build());
            }
            double[] times = new double[MEASURED * (TOKENS - 1)];
            for (int run = -WARM_UP; run < MEASURED; run++) {
                double[] these = generate(channels.get(0));
                if (run >= 0) {
                    System.arraycopy(these, 0, times, run * (TOKENS - 1), TOKENS - 1);
                }
            }
            Arrays.sort(times);
            return times;
        } finally {
            channels.forEach(ManagedChannel::shutdownNow);
            processes.forEach(NodeProcess::close);
        }
    }

    private static double[] generate(ManagedChannel head) {
        Iterator<GenerateReply> replies = stub(head)
                .generate(GenerateRequest.newBuilder()
                        .setDeployment("d")
                        .setEpoch(1)
                        .setClient("bench")
                        .addPrompt(1)
                        .setMaxTokens(TOKENS)
                        .build());
        double[] times = new double[TOKENS - 1];
        int tokens = 0;
        long before = 0;
        while (replies.hasNext()) {
            if (replies.next().hasToken()) {
                long now = System.nanoTime();
                if (tokens++ > 0) {
                    times[tokens - 2] = (now - before) / 1e6;
                }
                before = now;
            }
        }
        return times;
    }

    private static NodeGrpc.NodeBlockingStub stub(ManagedChannel channel) {
        return NodeGrpc.newBlockingStub(channel).withDeadlineAfter(120, TimeUnit.SECONDS);
    }

    private static LoadRequest load(Placement placement, int shard) {
        return LoadRequest.newBuilder()
                .setDeployment("d")
                .setEpoch(1)
                .setClient("bench")
                .setModel(ModelIdentity.newBuilder().setName("fake").setHash("0".repeat(64)))
                .setPlacement(placement)
                .setShard(shard)
                .setPrecision("float32")
                .build();
    }

    private static void print(String what, double[] times) {
        System.out.printf(
                "%s: mean %.3f ms, median %.3f ms, p90 %.3f ms, p99 %.3f ms%n",
                what, mean(times), at(times, 0.5), at(times, 0.9), at(times, 0.99));
    }

    private static double at(double[] sorted, double part) {
        return sorted[(int) (part * (sorted.length - 1))];
    }
}
