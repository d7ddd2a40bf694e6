package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.espalier.engine.reference.ReferenceEngine;
import org.espalier.program.Program;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A load that takes long lets other programs of its engine run in between. */
@Timeout(60)
class LoadTurnsTest {

    @TempDir
    Path directory;

    private final ReferenceEngine engine = new ReferenceEngine();
    private int closed; // on the engine's thread

    /** The reference engine with a load that has as many turns as a test says. */
    private final class Slow implements ForwardingEngine {
        private int turns = Integer.MAX_VALUE;

        @Override
        public Engine engine() {
            return engine;
        }

        @Override
        public Executor load(Program program, EngineOptions options, Loading loading) {
            Executor executor = engine.load(program, options, loading);
            return new ForwardingExecutor() {
                @Override
                public Executor executor() {
                    return executor;
                }

                @Override
                public boolean loadMore(Loading more) {
                    return --turns > 0;
                }

                @Override
                public void close() {
                    closed++;
                    executor.close();
                }
            };
        }
    }

    @Test
    void aStepOfAnotherProgramRunsBetweenTwoTurns() throws Exception {
        Program tiny = TinyProgram.tokens(new WeightFile(directory));
        Slow slow = new Slow();
        try (LoadedProgram other = LoadedProgram.load(engine, tiny, EngineOptions.FLOAT32, Loading.quietly())) {
            CompletableFuture<LoadedProgram> loading = CompletableFuture.supplyAsync(
                    () -> LoadedProgram.load(slow, tiny, EngineOptions.FLOAT32, Loading.quietly()));
            other.open(1, 4, RouterEdits.NONE);
            Step step = Step.of(Step.Entry.ofTokens(1, 0, new int[] {1}, Step.Logits.LAST));
            assertThat(other.run(step, Exchange.ALONE, new Cancel()).logits()).hasNumberOfRows(1);
            assertThat(loading).isNotDone();
            engine.thread().call(() -> slow.turns = 2);
            try (LoadedProgram program = loading.get(20, TimeUnit.SECONDS)) {
                program.open(1, 4, RouterEdits.NONE);
                assertThat(program.run(step, Exchange.ALONE, new Cancel()).logits())
                        .hasNumberOfRows(1);
            }
        } finally {
            slow.close();
        }
    }

    @Test
    void aCancelBetweenTwoTurnsFreesWhatWasLoaded() {
        Program tiny = TinyProgram.tokens(new WeightFile(directory));
        Cancel cancel = new Cancel();
        List<String> told = new ArrayList<>();
        Loading loading = new Loading(
                new Loading.Progress() {
                    @Override
                    public void waits() {
                        told.add("waits");
                        if (told.size() > 4) {
                            cancel.set();
                        }
                    }

                    @Override
                    public void loads() {
                        told.add("loads");
                    }

                    @Override
                    public void loaded(long done, long of) {}
                },
                cancel);
        try (Slow slow = new Slow()) {
            assertThatExceptionOfType(CancelledException.class)
                    .isThrownBy(() -> LoadedProgram.load(slow, tiny, EngineOptions.FLOAT32, loading));
            assertThat(told).containsExactly("waits", "loads", "waits", "loads", "waits");
            assertThat(slow.thread().call(() -> closed)).isEqualTo(1);
        }
    }
}
