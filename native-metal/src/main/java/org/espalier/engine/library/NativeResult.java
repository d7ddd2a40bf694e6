package org.espalier.engine.library;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.espalier.engine.Routing;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.program.Program;

/** A {@code struct es_result}. What it points to is valid until the next call, so that a step's result is copied. */
final class NativeResult implements AutoCloseable {

    private final Memory memory = new Memory(ResultField.BYTES);

    Pointer pointer() {
        return memory;
    }

    private long get(ResultField field) {
        return memory.getLong(field.offset());
    }

    private int length(ResultField field) {
        return Math.toIntExact(get(field));
    }

    /** The index in the program of the op that begins the exchange at which a step pauses. */
    int exchangeOp() {
        return length(ResultField.EXCHANGE_OP);
    }

    /** The values that are exchanged, in the library's own memory. */
    ByteBuffer exchangeValues() {
        int bytes = length(ResultField.EXCHANGE_BYTES);
        return bytes == 0
                ? ByteBuffer.allocate(0)
                : new Pointer(get(ResultField.EXCHANGE_VALUES))
                        .getByteBuffer(0, bytes)
                        .order(ByteOrder.LITTLE_ENDIAN);
    }

    StepResult copy(Program program, Step step) {
        return new StepResult(
                program.endsInLogits() ? null : bytes(ResultField.ACTIVATIONS, length(ResultField.ACTIVATION_BYTES)),
                logits(program),
                ints(ResultField.GREEDY, length(ResultField.GREEDY_COUNT)),
                step.wants(Step.Want.ROUTING) ? routing(program, step.rows()) : null,
                step.wants(Step.Want.LAST_HIDDEN)
                        ? bytes(ResultField.LAST_HIDDEN, length(ResultField.ACTIVATION_BYTES))
                        : null);
    }

    private float[][] logits(Program program) {
        if (!program.endsInLogits()) {
            return new float[0][];
        }
        int width = program.logits().width();
        float[][] logits = new float[length(ResultField.LOGITS_ROWS)][width];
        for (int row = 0; row < logits.length; row++) {
            long at = get(ResultField.LOGITS) + (long) row * width * Float.BYTES;
            new Pointer(at).read(0, logits[row], 0, width);
        }
        return logits;
    }

    private Routing routing(Program program, int rows) {
        int[] layers =
                program.routedLayers().stream().mapToInt(Integer::intValue).toArray();
        int width = length(ResultField.ROUTING_WIDTH);
        short[] experts = new short[layers.length * rows * width];
        float[] weights = new float[experts.length];
        if (experts.length > 0) {
            new Pointer(get(ResultField.EXPERTS)).read(0, experts, 0, experts.length);
            new Pointer(get(ResultField.EXPERT_WEIGHTS)).read(0, weights, 0, weights.length);
        }
        return new Routing(layers, rows, width, experts, weights);
    }

    private int[] ints(ResultField field, int count) {
        int[] ints = new int[count];
        if (count > 0) {
            new Pointer(get(field)).read(0, ints, 0, count);
        }
        return ints;
    }

    private ByteBuffer bytes(ResultField field, int count) {
        byte[] bytes = new byte[count];
        new Pointer(get(field)).read(0, bytes, 0, count);
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public void close() {
        memory.close();
    }
}
