package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.File;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.espalier.engine.library.LibraryProvider;
import org.espalier.program.Add;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Exchanges of an engine in C with a Java peer, many of them, and peers that throw. */
final class CpuExchangeTest {

    private static final int EXCHANGES = 100;

    private final Engine engine =
            EngineUnderTest.requireReady(LibraryProvider.cpu()).start();
    private final LoadedProgram program = load();

    /** x + 1, which is the peer's, a hundred times. */
    private LoadedProgram load() {
        ProgramBuilder builder = new ProgramBuilder("main", 2);
        View x = builder.slot(2);
        View y = builder.slot(2);
        builder.op(new Add(x, x, y));
        for (int i = 0; i < EXCHANGES; i++) {
            builder.op(new ExchangeBegin(i, y, new ExchangeBegin.Sum())).op(new ExchangeAwait(i));
        }
        EngineOptions options = EngineOptions.FLOAT32.with(new EngineOptions.Group(0, 2));
        return LoadedProgram.load(engine, builder.build(x, y), options, Loading.quietly());
    }

    @AfterEach
    void close() {
        program.close();
        engine.close();
    }

    /** Adds 1 to the first value; in exchange {@code last} it throws, before or after it was begun. */
    private record Peer(int last, Throwable failure, boolean begun) implements Exchange {

        static final Peer WILLING = new Peer(-1, null, false);

        @Override
        public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
            if (op.id() == last && !begun) {
                CpuExchangeTest.<RuntimeException>fail(failure);
            }
            values.putFloat(0, values.getFloat(0) + 1);
        }

        @Override
        public Outcome await(int id) {
            if (id == last) {
                CpuExchangeTest.<RuntimeException>fail(failure);
            }
            return Outcome.DONE;
        }
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void fail(Throwable failure) throws T {
        throw (T) failure;
    }

    private float run(Exchange peer) {
        ByteBuffer row = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putFloat(0, 3);
        Step.Entry entry = Step.Entry.ofRows(1, program.length(1), 1, Step.Logits.NONE);
        Step step = new Step(List.of(entry), row, Set.of());
        return program.run(step, peer, new Cancel()).activations().getFloat(0);
    }

    /** Of the process, also those that are not Java's; 0 where the system does not say. */
    private static int threads() {
        String[] tasks = new File("/proc/self/task").list();
        return tasks == null ? 0 : tasks.length;
    }

    @Test
    void aHundredThousandExchangesTakeNoThread() {
        program.open(1, 1001, RouterEdits.NONE);
        assertThat(run(Peer.WILLING)).isEqualTo(106);
        int before = threads();
        for (int i = 0; i < 100_000 / EXCHANGES; i++) {
            assertThat(run(Peer.WILLING)).isEqualTo(106);
        }
        assertThat(threads()).isLessThan(before + 20); // of the compiler and the collector
    }

    @Test
    void whatAPeerThrowsEndsTheStepAndNothingElse() {
        program.open(1, 100, RouterEdits.NONE);
        for (Throwable failure : List.of(new IllegalStateException("peer"), new StackOverflowError())) {
            for (boolean begun : new boolean[] {false, true}) {
                Peer peer = new Peer(41, failure, begun);
                int length = program.length(1);
                if (failure instanceof Error) { // as of any work on the engine's thread
                    assertThatThrownBy(() -> run(peer))
                            .isInstanceOf(EngineException.class)
                            .hasCause(failure);
                } else {
                    assertThatThrownBy(() -> run(peer)).isSameAs(failure);
                }
                assertThat(program.length(1)).isEqualTo(length);
                assertThat(run(Peer.WILLING)).isEqualTo(106);
            }
        }
    }
}
