package org.espalier.cluster;

import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.espalier.routing.RoutingTrace;
import org.espalier.v1.Finished;
import org.espalier.v1.GenerateReply;
import org.espalier.v1.GenerateRequest;

/** A generation under way: gRPC's thread only enqueues replies, a few ahead; the thread in {@link #await} turns them into text and tells the listener. */
final class GenerateCall implements RunningGeneration, ClientResponseObserver<GenerateRequest, GenerateReply> {

    private sealed interface Event {
        record Reply(GenerateReply reply) implements Event {}

        record Failed(Throwable error) implements Event {}

        record Completed() implements Event {}

        record Cancelled() implements Event {}
    }

    /** After so many seconds without a reply the head is lost: its machine answers, but it does not. */
    private static final int SILENT_SECONDS = 5;

    /** How many replies may lie here; the head is not sent for more, and slows down. */
    private static final int AHEAD = 64;

    private final ClusterNode head;
    private final GenerateRequest request;
    private final Prompt prompt;
    private final ClientModel model;
    private final GenerationListener listener;
    private final Optional<AnswerText> text;
    private final Optional<TraceBuilder> trace;
    private final Optional<PromptScore> score;
    private final Consumer<Optional<Generation>> whenOver;
    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();
    private final List<Integer> tokens = new ArrayList<>();
    private final Object starting = new Object();
    private final AtomicBoolean claimed = new AtomicBoolean(); // by whoever waits for it or gives it up
    private ClientCallStreamObserver<GenerateRequest> call;
    private boolean ended;
    private float[] logits;
    private Finished finished;
    private Generation result;
    private ClusterException failure;

    /** @param whenOver told once that it is over, with the generation if it finished */
    GenerateCall(
            ClusterNode head,
            GenerateRequest request,
            Prompt prompt,
            ClientModel model,
            GenerationListener listener,
            Consumer<Optional<Generation>> whenOver) {
        this.head = head;
        this.request = request;
        this.prompt = prompt;
        this.model = model;
        this.listener = listener;
        this.whenOver = whenOver;
        this.text = model.text().map(stream -> new AnswerText(stream, request.getStopStringsList()));
        this.trace = request.getRouting()
                ? model.moe().map(moe -> new TraceBuilder(moe, request.getEditsList()))
                : Optional.empty();
        this.score =
                request.getPromptLogprobs() ? Optional.of(new PromptScore(request.getPromptList())) : Optional.empty();
    }

    /** Sends the request to the head, unless the call has been cancelled before. */
    GenerateCall start() {
        synchronized (starting) {
            if (!ended) {
                head.calls().generate(request, this);
            }
        }
        return this;
    }

    /** Ends the call, or keeps it from starting: it may be cancelled before {@link #start}. */
    private void end(String reason) {
        synchronized (starting) {
            ended = true;
            if (call != null) {
                call.cancel(reason, null);
            }
        }
    }

    @Override
    public void beforeStart(ClientCallStreamObserver<GenerateRequest> started) {
        call = started;
        started.disableAutoRequestWithInitial(AHEAD);
    }

    @Override
    public void onNext(GenerateReply reply) {
        events.add(new Event.Reply(reply));
    }

    @Override
    public void onError(Throwable error) {
        events.add(new Event.Failed(error));
    }

    @Override
    public void onCompleted() {
        events.add(new Event.Completed());
    }

    @Override
    public void cancel() {
        events.add(new Event.Cancelled());
        end("cancelled by the user");
    }

    /** Cancels it, and releases the model if nobody waits for it: whoever waits later is told that it was cancelled. */
    void giveUp() {
        cancel();
        if (claimed.compareAndSet(false, true)) {
            whenOver.accept(Optional.empty());
        }
    }

    /** Ends it because the head fell silent or ended this client's stream. */
    void lost(ClusterException why) {
        events.add(new Event.Failed(why));
        end("the head is lost");
    }

    @Override
    public synchronized Generation await() {
        if (result == null && failure == null && !claimed.compareAndSet(false, true)) {
            failure = cancelled();
        }
        if (result == null && failure == null) {
            try {
                result = pump();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                failure = cancelled();
            } catch (ClusterException e) {
                failure = e;
            } finally {
                if (result == null) {
                    end("not waited for");
                }
                whenOver.accept(Optional.ofNullable(result));
            }
        }
        if (failure != null) {
            throw failure;
        }
        return result;
    }

    private Generation pump() throws InterruptedException {
        listener.onPrefill(0, request.getPromptCount());
        while (true) {
            Event event = next();
            if (event instanceof Event.Reply reply) {
                take(reply.reply());
                call.request(1);
            } else if (event instanceof Event.Failed failed) {
                throw head.failure(failed.error());
            } else if (event instanceof Event.Cancelled) {
                throw cancelled();
            } else if (finished == null) {
                throw new ClusterException(head + " ended the generation without giving a reason: generate again");
            } else {
                return generation();
            }
        }
    }

    /** The next event; the head says at least each second that it is alive. Waits in slices: a pause of this process is one of them. */
    private Event next() throws InterruptedException {
        for (int silent = 0; silent < SILENT_SECONDS; silent++) {
            Event event = events.poll(1, TimeUnit.SECONDS);
            if (event != null) {
                return event;
            }
        }
        throw head.lost("it has said nothing about the generation for " + SILENT_SECONDS + " s");
    }

    private void take(GenerateReply reply) {
        switch (reply.getBodyCase()) {
            case PREFILL ->
                listener.onPrefill(
                        reply.getPrefill().getDone(), reply.getPrefill().getTotal());
            case PROMPT_LOGITS -> {
                var bytes = reply.getPromptLogits().getFloat32().asReadOnlyByteBuffer();
                logits = new float[bytes.remaining() / Float.BYTES];
                bytes.order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().get(logits);
            }
            case PROMPT_LOGPROBS -> score.ifPresent(s -> s.add(reply.getPromptLogprobs()));
            case ROUTING -> trace.ifPresent(t -> t.add(reply.getRouting()));
            case TOKEN -> {
                int token = reply.getToken().getId();
                tokens.add(token);
                listener.onToken(token, reply.getToken().getLogprob());
                text.ifPresent(answer -> show(answer.add(token)));
            }
            case FINISHED -> {
                finished = reply.getFinished();
                text.ifPresent(answer -> show(answer.end()));
            }
            case ALIVE -> {
                if (reply.getAlive().getWaitingBefore() > 0) {
                    listener.onWaiting(reply.getAlive().getWaitingBefore());
                }
            }
            case BODY_NOT_SET -> {} // a newer node says more than this client knows
        }
    }

    private void show(String piece) {
        if (!piece.isEmpty()) {
            listener.onText(piece);
        }
    }

    private GenerationCancelledException cancelled() {
        return new GenerationCancelledException(text.map(AnswerText::text).orElse(""));
    }

    private Generation generation() {
        double first = finished.getFirstTokenMicros() / 1e6;
        double decode = finished.getDecodeMicros() / 1e6;
        return new Generation(
                model.name(),
                prompt,
                request.getPromptList(),
                tokens,
                text.map(AnswerText::text).orElse(""),
                switch (finished.getReason()) {
                    case FINISH_REASON_EOS -> Generation.Finish.EOS;
                    case FINISH_REASON_STOP -> Generation.Finish.STOP;
                    case FINISH_REASON_CONTEXT -> Generation.Finish.CONTEXT;
                    default -> Generation.Finish.LENGTH;
                },
                Optional.ofNullable(logits),
                score.flatMap(s -> s.score(model.text())),
                trace.map(built -> named(built.trace())),
                new Generation.Timing(
                        first,
                        first > 0 ? request.getPromptCount() / first : 0,
                        decode > 0 ? (tokens.size() - 1) / decode : 0));
    }

    private RoutingTrace named(RoutingTrace routing) {
        List<Integer> computed = new ArrayList<>(request.getPromptList());
        computed.addAll(tokens);
        List<String> texts = model.texts(computed.subList(0, Math.min(routing.positions(), computed.size())));
        String title = prompt instanceof Prompt.Tokens && !texts.isEmpty()
                ? InShort.of(String.join("", texts.subList(0, Math.min(request.getPromptCount(), texts.size()))))
                : prompt.toString();
        return routing.named(model.name(), title, texts);
    }
}
