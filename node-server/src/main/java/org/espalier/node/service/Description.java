package org.espalier.node.service;

import org.espalier.transport.NodeAddress;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;

/** What a node says of itself. */
final class Description {

    private final NodeOptions options;
    private final ShardLoader loader;
    private final Deployments deployments;
    private final ModelsOnDisk models;

    Description(NodeOptions options, ShardLoader loader, Deployments deployments) {
        this.options = options;
        this.loader = loader;
        this.deployments = deployments;
        this.models = new ModelsOnDisk(loader::models);
    }

    DescribeReply reply(DescribeRequest request) {
        ModelMemory memory = Machine.modelMemory();
        DescribeReply.Builder reply = Machine.describe()
                .setModelMemoryBytes(memory.bytes())
                .setModelMemorySource(memory.source())
                .setNode(options.name())
                .setAdvertised(options.listening()
                        .advertised()
                        .map(NodeAddress::toString)
                        .orElse(""))
                .addAllEngines(loader.engines())
                .addAllDeployments(deployments.states());
        if (request.getInFull()) {
            models.describe(reply);
        }
        if (request.getReadRate()) {
            reply.setReadBytesPerSecond(deployments.generating() ? ReadRate.known() : ReadRate.bytesPerSecond());
        }
        return reply.build();
    }
}
