package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.espalier.engine.EngineException;
import org.espalier.engine.Step;
import org.espalier.node.sampling.Logprob;
import org.espalier.node.sampling.Sampler;
import org.espalier.sampling.Sampling;
import org.espalier.sampling.SamplingMessage;
import org.espalier.v1.Sampled;
import org.espalier.v1.StepEntry;

/**
 * The last node's sessions: their sampling options and tokens so far, which came with the frames. {@link Sampler} chooses, a pure
 * function, so that another node could continue. Used on the step thread only.
 */
final class TailSampler {

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

    private final Map<Long, Sequence> sequences = new HashMap<>();

    void open(long session, org.espalier.v1.Sampling sampling) {
        sequences.put(session, new Sequence(SamplingMessage.read(sampling)));
    }

    void truncate(long session, int length) {
        Sequence sequence = sequence(session);
        sequence.count = Math.min(sequence.count, length);
    }

    void fork(long from, long to, int length, org.espalier.v1.Sampling sampling) {
        Sequence source = sequence(from);
        Sequence copy = new Sequence(SamplingMessage.read(sampling));
        copy.tokens = source.tokens.clone();
        copy.count = Math.min(source.count, length);
        sequences.put(to, copy);
    }

    void close(long session) {
        sequences.remove(session);
    }

    /** Appends the entry's tokens to its session. */
    void advance(StepEntry entry) {
        sequence(entry.getSession()).append(entry.getPosition(), entry.getTokensList());
    }

    /** Which rows of an entry need logits; NONE if the last node has nothing to answer. */
    static Step.Logits logits(StepEntry entry) {
        if (entry.getTargetsCount() > 0) {
            return Step.Logits.ALL;
        }
        return entry.getSample() || entry.getLogits() ? Step.Logits.LAST : Step.Logits.NONE;
    }

    /** @param rows [V] of each row that {@link #logits} names, after {@link #advance} */
    Sampled answer(StepEntry entry, List<float[]> rows) {
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
