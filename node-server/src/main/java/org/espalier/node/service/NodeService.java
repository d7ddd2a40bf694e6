package org.espalier.node.service;

import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import java.util.function.Consumer;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureException;
import org.espalier.failure.FailureStatus;
import org.espalier.node.ring.StageShard;
import org.espalier.node.ring.agent.GrpcReplies;
import org.espalier.node.ring.agent.RingMember;
import org.espalier.transport.Channels;
import org.espalier.v1.AttachPing;
import org.espalier.v1.AttachPong;
import org.espalier.v1.DescribeReply;
import org.espalier.v1.DescribeRequest;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;
import org.espalier.v1.JoinReply;
import org.espalier.v1.JoinRequest;
import org.espalier.v1.LoadProgress;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.NodeGrpc;
import org.espalier.v1.ProbeReply;
import org.espalier.v1.ProbeRequest;
import org.espalier.v1.UnloadReply;
import org.espalier.v1.UnloadRequest;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Serves the calls of clients. gRPC's threads never block: whatever may wait runs on a thread of its own. */
final class NodeService extends NodeGrpc.NodeImplBase implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(NodeService.class);

    private final String node;
    private final Description description;
    private final LinkProbes links;
    private final Deployments deployments;
    private final Attachments attachments;
    private final Limits limits;

    /** Each request has a thread while it is begun; a generation that runs or waits its turn has none. */
    private final RequestThreads threads;

    NodeService(NodeOptions options, ShardLoader loader, Deployments deployments, Attachments attachments) {
        this.node = options.name();
        this.limits = options.limits();
        this.description = new Description(options, loader, deployments);
        LinkProbe probe = new LinkProbe(new Channels(options.listening().credentials()), deployments::generating);
        this.links = new LinkProbes(node, probe::measure);
        this.deployments = deployments;
        this.attachments = attachments;
        this.threads = new RequestThreads(limits);
    }

    @Override
    public void describe(DescribeRequest request, StreamObserver<DescribeReply> replies) {
        answer(replies, () -> {
            replies.onNext(description.reply(request));
            replies.onCompleted();
        });
    }

    @Override
    public void load(LoadRequest request, StreamObserver<LoadProgress> replies) {
        ServerCallStreamObserver<LoadProgress> call = (ServerCallStreamObserver<LoadProgress>) replies;
        LoadWatch watch = new LoadWatch(node, limits, replies);
        RunningLoad loading = new RunningLoad(request, watch);
        // With a handler set, sending progress to a client that has gone is harmless.
        call.setOnCancelHandler(
                () -> loading.end(new Failure(node, Failure.Kind.CANCELLED, "the client has gone away")));
        answer(replies, () -> {
            RingMember member;
            try {
                member = deployments.load(loading);
            } finally {
                watch.close();
            }
            if (loading.ended()) {
                deployments.unload(UnloadRequest.newBuilder()
                        .setDeployment(request.getDeployment())
                        .setClient(request.getClient())
                        .setEpoch(request.getEpoch())
                        .setForce(true)
                        .build());
                loading.check(); // whoever asked for it is told why it ended, unless that was its going away
            }
            StageShard shard = member.shard();
            long bytes = shard.program().residentBytes();
            replies.onNext(LoadProgress.newBuilder()
                    .setBytesDone(bytes)
                    .setBytesTotal(bytes)
                    .setDone(true)
                    .setResidentBytes(bytes)
                    .setEngine(shard.engine())
                    .setPrecision(shard.precision())
                    .build());
            replies.onCompleted();
        });
    }

    @Override
    public void probe(ProbeRequest request, StreamObserver<ProbeReply> replies) {
        answer(replies, () -> {
            replies.onNext(links.measure(request, deployments.generating()));
            replies.onCompleted();
        });
    }

    @Override
    public void join(JoinRequest request, StreamObserver<JoinReply> replies) {
        answer(replies, () -> {
            deployments.member(request.getDeployment(), request.getEpoch()).join();
            replies.onNext(JoinReply.getDefaultInstance());
            replies.onCompleted();
        });
    }

    @Override
    public void unload(UnloadRequest request, StreamObserver<UnloadReply> replies) {
        answer(replies, () -> {
            long freed = deployments.unload(request);
            replies.onNext(UnloadReply.newBuilder().setFreedBytes(freed).build());
            replies.onCompleted();
        });
    }

    @Override
    public StreamObserver<AttachPing> attach(StreamObserver<AttachPong> replies) {
        return attachments.attach((ServerCallStreamObserver<AttachPong>) replies);
    }

    @Override
    public void generate(GenerateRequest request, StreamObserver<GenerateReply> replies) {
        ServerCallStreamObserver<GenerateReply> call = (ServerCallStreamObserver<GenerateReply>) replies;
        RunningCall running = new RunningCall();
        call.setOnCancelHandler(running::cancel);
        GrpcReplies sink = new GrpcReplies(call);
        String connection = ClientConnection.current();
        // A tokenizer may have to be opened for stop strings.
        answer(sink::fail, () -> {
            new GenerateSize(node, limits).check(request);
            RingMember member = deployments.member(request.getDeployment(), request.getEpoch());
            running.started(member, member.generate(request, connection, sink));
        });
    }

    /** Whoever asks for something from now on hears that the node was shut down. */
    void refuse() {
        threads.refuse();
    }

    @Override
    public void close() {
        threads.close();
    }

    /** A Generate call, which may be cancelled before its session is known. */
    private static final class RunningCall {
        private RingMember member;
        private long session;
        private boolean cancelled;

        private synchronized void started(RingMember startedMember, long startedSession) {
            member = startedMember;
            session = startedSession;
            if (cancelled) {
                member.cancel(session);
            }
        }

        private synchronized void cancel() {
            cancelled = true;
            if (member != null) {
                member.cancel(session);
            }
        }
    }

    private void answer(StreamObserver<?> replies, Runnable work) {
        answer(why -> replies.onError(FailureStatus.of(why)), work);
    }

    private void answer(Consumer<Failure> refused, Runnable work) {
        try {
            threads.execute(ClientConnection.current(), () -> {
                try {
                    work.run();
                } catch (Throwable e) {
                    Failure failure = Failure.of(e, Failure.Kind.REFUSED);
                    if (failure.kind() == Failure.Kind.INTERNAL) {
                        LOG.error("a request failed by a defect", e);
                    }
                    refuse(refused, failure);
                }
            });
        } catch (FailureException | OutOfMemoryError e) {
            refuse(refused, Failure.of(e, Failure.Kind.REFUSED));
        }
    }

    private void refuse(Consumer<Failure> refused, Failure failure) {
        refused.accept(failure.at(node, "node " + node));
    }
}
