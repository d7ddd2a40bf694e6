package org.espalier.engine.reference;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;
import org.espalier.engine.BFloat16;
import org.espalier.engine.Engine;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider;
import org.espalier.engine.Precision;
import org.espalier.program.Program;

/** The reference engine with the roundings of a fast one: what an op writes is bfloat16, also between shards. */
public final class RoundingProvider implements EngineProvider {

    private static final Numbers BFLOAT16 = new Numbers() {
        @Override
        public int bytes() {
            return Short.BYTES;
        }

        @Override
        public void round(float[] values, int from, int count) {
            for (int i = from; i < from + count; i++) {
                values[i] = BFloat16.round(values[i]);
            }
        }

        @Override
        public void put(ByteBuffer into, float value) {
            into.putShort(BFloat16.bits(value));
        }

        @Override
        public float get(ByteBuffer from) {
            return BFloat16.fromBits(from.getShort());
        }
    };

    @Override
    public String name() {
        return "rounding";
    }

    @Override
    public Availability availability() {
        return new Availability.Ready("plain Java on the processor");
    }

    @Override
    public Set<Precision> precisions() {
        return Set.of(Precision.FAST);
    }

    @Override
    public Optional<String> refusal(Program program, EngineOptions options) {
        return ReferenceProvider.refuses(program, options);
    }

    @Override
    public Engine start() {
        return new ReferenceEngine(this, BFLOAT16);
    }
}
