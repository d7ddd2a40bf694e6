package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.espalier.engine.EngineException;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.failure.FailureWire;
import org.espalier.node.sampling.Logprob;
import org.espalier.node.sampling.Sampler;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingMessage;
import org.espalier.v1.Failure;
import org.espalier.v1.ForkSession;
import org.espalier.v1.Frame;
import org.espalier.v1.OpenSession;
import org.espalier.v1.Routing;
import org.espalier.v1.Sampled;
import org.espalier.v1.SessionOutcome;
import org.espalier.v1.StepEnd;
import org.espalier.v1.StepEntry;
import org.espalier.v1.StepFrame;
import org.espalier.v1.StepOutcome;

/**
 * The last node's exit: samples and answers the head. It keeps each session's sampling options and tokens so far, which came with the
 * frames; {@link Sampler} chooses, a pure function, so that another node could continue.
 */
final class Tail implements Exit {

    private static final class Sequence {
        private final Sampling options;
        private int[] tokens = new int[256];
        private int count;

        private Sequence(Sampling options) {
            this.options = options;
        }

        private void append(int position, List<Integer> more) {
            if (position != count) {
                throw new EngineException(
                        "the last node has " + count + " tokens of the session, the step begins at " + position);
            }
            if (tokens.length < count + more.size()) {
                tokens = Arrays.copyOf(tokens, Math.max(2 * tokens.length, count + more.size()));
            }
            for (int token : more) {
                tokens[count++] = token;
            }
        }
    }

    private final RingPlace place;
    private final Map<Long, Sequence> sequences = new HashMap<>();

    Tail(RingPlace place) {
        this.place = place;
    }

    /** Which rows of an entry need logits; NONE if there is nothing to answer. */
    static Step.Logits wanted(StepEntry entry) {
        if (entry.getTargetsCount() > 0) {
            return Step.Logits.ALL;
        }
        return entry.getSample() || entry.getLogits() ? Step.Logits.LAST : Step.Logits.NONE;
    }

    @Override
    public Step.Logits logits(StepEntry entry) {
        return wanted(entry);
    }

    @Override
    public Frame.Builder computed(StepFrame step, StepResult result, List<Routing> routes) {
        StepOutcome.Builder outcome = StepOutcome.newBuilder().setStep(step.getStep());
        List<Routing> kept = routes;
        int logits = 0;
        int row = 0;
        for (StepEntry entry : step.getEntriesList()) {
            if (entry.hasFailure()) {
                outcome.addSampled(failed(entry, entry.getFailure()));
                continue;
            }
            int rows = entry.getTokensCount();
            int answered = switch (wanted(entry)) {
                case NONE -> 0;
                case LAST -> 1;
                case ALL -> rows;
            };
            Optional<Sampled> sampled =
                    sampled(entry, Arrays.asList(result.logits()).subList(logits, logits + answered));
            sampled.ifPresent(outcome::addSampled);
            logits += answered;
            if (sampled.filter(Sampled::hasFailure).isPresent()) {
                int first = row;
                kept = kept.stream()
                        .map(route -> RoutingFrames.without(route, first, rows))
                        .toList();
            } else {
                row += rows;
            }
        }
        return Frame.newBuilder().setOutcome(outcome.addAllRoutes(kept));
    }

    private static Sampled failed(StepEntry entry, Failure failure) {
        return Sampled.newBuilder()
                .setSession(entry.getSession())
                .setFailure(failure)
                .build();
    }

    /** What fails here, logits that are no numbers above all, is the failure of one entry. */
    private Optional<Sampled> sampled(StepEntry entry, List<float[]> rows) {
        try {
            sequence(entry.getSession()).append(entry.getPosition(), entry.getTokensList());
            return rows.isEmpty() ? Optional.empty() : Optional.of(answer(entry, rows));
        } catch (Throwable e) {
            return Optional.of(failed(
                    entry,
                    FailureWire.encode(ShardExecutor.failure(e, org.espalier.failure.Failure.Kind.ENGINE_FAILED)
                            .at(
                                    place.self().getNode(),
                                    RingPlace.name(place.self()) + " could not sample for session "
                                            + entry.getSession()))));
        }
    }

    @Override
    public Frame.Builder ended(StepFrame step, StepEnd end) {
        return Frame.newBuilder()
                .setOutcome(StepOutcome.newBuilder().setStep(step.getStep()).setEnd(end));
    }

    @Override
    public Optional<Frame.Builder> passed(Frame.Builder command) {
        return Optional.empty();
    }

    /** All nodes have answered. */
    @Override
    public Frame.Builder asked(long session, Optional<Failure> refusal, Frame.Builder question) {
        SessionOutcome.Builder outcome = SessionOutcome.newBuilder().setSession(session);
        refusal.ifPresent(outcome::setRefusal);
        return Frame.newBuilder().setSession(outcome);
    }

    @Override
    public void open(OpenSession open) {
        sequences.put(open.getSession(), new Sequence(SamplingMessage.read(open.getSampling())));
    }

    @Override
    public void truncate(long session, int length) {
        Sequence sequence = sequence(session);
        sequence.count = Math.min(sequence.count, length);
    }

    @Override
    public void fork(ForkSession fork) {
        Sequence source = sequence(fork.getFrom());
        Sequence copy = new Sequence(SamplingMessage.read(fork.getSampling()));
        copy.tokens = source.tokens.clone();
        copy.count = Math.min(source.count, fork.getLength());
        sequences.put(fork.getTo(), copy);
    }

    @Override
    public void close(long session) {
        sequences.remove(session);
    }

    /** @param rows [V] of each row that {@link #wanted} names */
    private Sampled answer(StepEntry entry, List<float[]> rows) {
        Sampled.Builder sampled = Sampled.newBuilder().setSession(entry.getSession());
        for (int i = 0; i < entry.getTargetsCount(); i++) {
            sampled.addLogprobs(Logprob.of(rows.get(i), entry.getTargets(i)));
        }
        float[] logits = rows.get(rows.size() - 1);
        if (entry.getLogits()) {
            ByteBuffer bytes = ByteBuffer.allocate(logits.length * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
            bytes.asFloatBuffer().put(logits);
            sampled.setLogits(ByteString.copyFrom(bytes));
        }
        if (entry.getSample()) {
            Sequence sequence = sequence(entry.getSession());
            var chosen = Sampler.sample(sequence.options, sequence.count, logits, sequence.tokens, sequence.count);
            sampled.setToken(chosen.token()).setLogprob(chosen.logprob());
        }
        return sampled.build();
    }

    private Sequence sequence(long session) {
        Sequence sequence = sequences.get(session);
        if (sequence == null) {
            throw new EngineException("session " + session + " is not open on the last node");
        }
        return sequence;
    }
}
