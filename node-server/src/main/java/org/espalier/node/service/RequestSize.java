package org.espalier.node.service;

import io.grpc.Context;
import io.grpc.ForwardingServerCall.SimpleForwardingServerCall;
import io.grpc.ForwardingServerCallListener.SimpleForwardingServerCallListener;
import io.grpc.Metadata;
import io.grpc.ServerCall;
import io.grpc.ServerCallHandler;
import io.grpc.ServerInterceptor;
import io.grpc.ServerStreamTracer;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.util.function.Consumer;
import org.espalier.failure.Failure;
import org.espalier.failure.FailureStatus;
import org.espalier.v1.RingGrpc;

/**
 * Ends a call whose request is no message of the protocol, and one while a request comes that is too large. gRPC has one limit for all that a port serves, which has room for a step's activations, and
 * gathers a message up to that before anybody sees it: a few clients could fill the memory so. It counts the bytes as they come instead, of
 * each request and of all that are unanswered. What is let in stays so: the small messages of a stream ask for nothing more. The ring's frames after the first, by which a node says who it is, may be as large as gRPC lets them.
 */
final class RequestSize extends ServerStreamTracer.Factory implements ServerInterceptor {

    private static final Context.Key<Counted> COUNTED = Context.key("request size");

    private final String node;
    private final Limits limits;
    private final RequestMemory calls;
    private final RequestMemory messages;

    RequestSize(String node, Limits limits) {
        this.node = node;
        this.limits = limits;
        this.calls = RequestMemory.ofCalls(limits);
        this.messages = RequestMemory.ofMessages(limits);
    }

    /** Has something called whenever bytes come of the call that is being begun on this thread. */
    static void onBytes(Runnable heard) {
        COUNTED.get().heard = heard;
    }

    @Override
    public ServerStreamTracer newServerStreamTracer(String method, Metadata headers) {
        return new Counted(method.startsWith(RingGrpc.SERVICE_NAME + "/"));
    }

    @Override
    public <Q, R> ServerCall.Listener<Q> interceptCall(
            ServerCall<Q, R> call, Metadata headers, ServerCallHandler<Q, R> next) {
        Refusable<Q, R> refusable = new Refusable<>(call);
        Counted counted = COUNTED.get();
        counted.refuse = refusable::refuse;
        counted.begin(ClientConnection.current());
        if (refusable.refused) {
            return new ServerCall.Listener<>() {};
        }
        return new SimpleForwardingServerCallListener<>(next.startCall(refusable, headers)) {
            @Override
            public void onMessage(Q message) {
                if (refusable.refused) {
                    return;
                }
                if (message == null) {
                    refusable.refuse(unreadable(call));
                    super.onCancel(); // a link is broken by it
                    return;
                }
                super.onMessage(message);
            }

            @Override
            public void onHalfClose() {
                if (!refusable.refused) {
                    super.onHalfClose();
                }
            }
        };
    }

    private Failure tooLarge() {
        return new Failure(
                node,
                Failure.Kind.EXHAUSTED,
                "a request of more than " + limits.of(Limit.REQUEST_BYTES) + " " + Limit.REQUEST_BYTES
                        + " is too large for node " + node);
    }

    private Failure tooMany() {
        return new Failure(
                node,
                Failure.Kind.EXHAUSTED,
                "node " + node + " has " + (calls.taken() + messages.taken()) + " " + Limit.ALL_REQUEST_BYTES
                        + " of unanswered requests, too many of them on this connection: try again when some are answered");
    }

    private Failure unreadable(ServerCall<?, ?> call) {
        return new Failure(
                node,
                Failure.Kind.INVALID,
                "node " + node + " cannot read a request of "
                        + call.getMethodDescriptor().getFullMethodName()
                        + ": its bytes are no such message");
    }

    /** A call that this class may end: what its handler says after that is not sent. */
    private final class Refusable<Q, R> extends SimpleForwardingServerCall<Q, R> {
        private volatile boolean refused;

        Refusable(ServerCall<Q, R> call) {
            super(call);
        }

        private synchronized void refuse(Failure failure) {
            if (refused) {
                return;
            }
            refused = true;
            StatusRuntimeException why = FailureStatus.of(failure);
            delegate().close(why.getStatus(), why.getTrailers());
        }

        @Override
        public synchronized void sendHeaders(Metadata headers) {
            if (!refused) {
                super.sendHeaders(headers);
            }
        }

        @Override
        public synchronized void sendMessage(R message) {
            if (!refused) {
                super.sendMessage(message);
            }
        }

        @Override
        public synchronized void close(Status status, Metadata trailers) {
            if (!refused) {
                refused = true;
                super.close(status, trailers);
            }
        }
    }

    /** The bytes of a call's message, and whether there is memory for them. */
    private final class Counted extends ServerStreamTracer {
        private final boolean firstOnly;
        private Consumer<Failure> refuse = why -> {};
        private Runnable heard = () -> {};
        private boolean counts = true;
        private long bytes;
        /** With what its pieces take. */
        private long size;
        /** How much of the size takes nothing from the messages' memory. */
        private long free;
        /** Null as long as the call has not been let in, and after its end. */
        private String connection;

        private long held;

        Counted(boolean firstOnly) {
            this.firstOnly = firstOnly;
        }

        @Override
        public Context filterContext(Context context) {
            return context.withValue(COUNTED, this);
        }

        private synchronized void begin(String client) {
            connection = client;
            if (!calls.take(connection, RequestMemory.CALL_BYTES)) {
                refuse.accept(tooMany());
            }
        }

        @Override
        public void inboundMessage(int number) {
            counts = number == 0 || !firstOnly;
            bytes = 0;
            size = 0;
            if (number > 0) { // the one before is dealt with
                free = RequestMemory.OWN_BYTES;
                release();
            }
        }

        @Override
        public void inboundWireSize(long more) {
            bytes += more;
            heard.run();
            if (!counts) {
                return;
            }
            if (bytes > limits.of(Limit.REQUEST_BYTES)) {
                refuse.accept(tooLarge());
            }
            long before = Math.max(size, free);
            size += more + RequestMemory.PIECE_BYTES;
            if (size > before) {
                hold((size - before) * RequestMemory.HEAP_PER_BYTE);
            }
        }

        @Override
        public synchronized void streamClosed(Status status) {
            if (connection != null) {
                release();
                calls.giveBack(connection, RequestMemory.CALL_BYTES);
                connection = null;
            }
        }

        private synchronized void hold(long more) {
            if (connection == null) {
                return;
            }
            held += more;
            if (!messages.take(connection, more)) {
                refuse.accept(tooMany());
            }
        }

        private synchronized void release() {
            if (held > 0) {
                messages.giveBack(connection, held);
                held = 0;
            }
        }
    }
}
