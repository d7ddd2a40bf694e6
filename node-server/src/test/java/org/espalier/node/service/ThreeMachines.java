package org.espalier.node.service;

import java.nio.file.Path;
import java.util.List;
import org.espalier.cluster.Cluster;
import org.espalier.cluster.ConnectOptions;
import org.espalier.cluster.GenerateOptions;
import org.espalier.cluster.LoadOptions;
import org.espalier.cluster.Prompt;

/** Three machines of one cluster, each with a node: {@code mini-1} to {@code mini-3}. */
final class ThreeMachines implements AutoCloseable {

    static final Path MODELS = Path.of("..", "models", "src", "test", "resources", "models", "deepseek_v3-tiny")
            .toAbsolutePath();
    static final String MODEL = MODELS.resolve("hf").toString();
    static final LoadOptions FLOAT32 = LoadOptions.defaults().withPrecision("float32");
    static final Prompt PROMPT = Prompt.text("the oldest tree of the garden");
    static final GenerateOptions FORTY =
            GenerateOptions.defaults().withMaxTokens(40).ignoringEos();
    static final List<String> NAMES = List.of("mini-1", "mini-2", "mini-3");

    private final Machines hosts;
    private final TestCertificates certificates;

    ThreeMachines(Path folder) throws Exception {
        hosts = new Machines(NAMES.size(), folder);
        try {
            certificates = new TestCertificates(folder.resolve("cluster"), NAMES.toArray(String[]::new));
            for (int i = 0; i < NAMES.size(); i++) {
                serve(i);
            }
        } catch (Exception e) {
            hosts.close();
            throw e;
        }
    }

    Machines hosts() {
        return hosts;
    }

    TestCertificates certificates() {
        return certificates;
    }

    void serve(int machine) throws Exception {
        hosts.serve(machine, certificates.folder(NAMES.get(machine)), MODELS);
    }

    Cluster connect() {
        return Cluster.of(hosts.addresses(), ConnectOptions.defaults().withCertificates(certificates.client()));
    }

    @Override
    public void close() throws InterruptedException {
        hosts.close();
    }
}
