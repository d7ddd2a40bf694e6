package org.espalier.engine.library;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.espalier.engine.Cancel;
import org.espalier.engine.CancelledException;
import org.espalier.engine.DeviceLostException;
import org.espalier.engine.EngineException;
import org.espalier.engine.EngineOptions;
import org.espalier.engine.EngineProvider.Availability;
import org.espalier.engine.Exchange;
import org.espalier.engine.Loading;
import org.espalier.engine.NoMemoryException;
import org.espalier.engine.RouterEdits;
import org.espalier.engine.Step;
import org.espalier.engine.StepResult;
import org.espalier.program.Add;
import org.espalier.program.ExchangeAwait;
import org.espalier.program.ExchangeBegin;
import org.espalier.program.Program;
import org.espalier.program.ProgramBuilder;
import org.espalier.program.View;
import org.junit.jupiter.api.Test;

/** What the binding makes of a library's answers, by one that is scripted. */
final class LibraryExecutorTest {

    private final ScriptedLibrary library = new ScriptedLibrary();
    private final Program program = program();

    /** Rows of 2 values; ops 0 and 1 are exchange 5. */
    private static Program program() {
        ProgramBuilder builder = new ProgramBuilder("main", 2);
        View x = builder.slot(2);
        return builder.op(new ExchangeBegin(5, x, new ExchangeBegin.Sum()))
                .op(new ExchangeAwait(5))
                .op(new Add(x, x, x))
                .build(x, x);
    }

    private LibraryExecutor load() {
        return LibraryExecutor.load(library, program, EngineOptions.FLOAT32, Loading.quietly());
    }

    private static Step step() {
        ByteBuffer rows = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putInt(0, 11);
        return new Step(List.of(Step.Entry.ofRows(1, 0, 1, Step.Logits.NONE)), rows, Set.of());
    }

    private StepResult run(Exchange exchange, Status... statuses) {
        library.steps.addAll(List.of(statuses));
        library.calls.clear();
        return load().run(step(), exchange, new Cancel());
    }

    @Test
    void aLoadGoesOnUntilAllIsReady() {
        List<Long> told = new ArrayList<>();
        Loading loading = new Loading((done, of) -> told.add(done * 1000 + of), new Cancel());
        try (LibraryExecutor executor = LibraryExecutor.load(library, program, EngineOptions.FLOAT32, loading)) {
            assertThat(told).containsExactly(40_100L, 70_100L, 100_100L);
            assertThat(executor.kvBytesPerRow()).isEqualTo(3L << 32);
            executor.open(8, 3, RouterEdits.NONE);
        }
        assertThat(library.calls).containsExactly("load", "open 8 for 3, 1 words", "unload 77");
    }

    @Test
    void aLoadThatIsCancelledIsFreed() {
        Cancel cancel = new Cancel();
        Loading loading = new Loading((done, of) -> cancel.set(), cancel);
        assertThatExceptionOfType(CancelledException.class)
                .isThrownBy(() -> LibraryExecutor.load(library, program, EngineOptions.FLOAT32, loading));
        assertThat(library.calls).containsExactly("load", "unload 77");
    }

    @Test
    void aLoadThatFailsSaysWhy() {
        library.sentence = "no memory for 5 bytes – close others";
        assertThatExceptionOfType(EngineException.class).isThrownBy(this::load).withMessage(library.sentence);
        assertThat(library.calls).containsExactly("load");
    }

    @Test
    void anExchangeIsBegunAndAwaitedBetweenCalls() {
        library.values.setInt(0, 20);
        List<String> exchanged = new ArrayList<>();
        ByteBuffer[] kept = new ByteBuffer[1];
        Exchange peer = new Exchange() {
            @Override
            public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
                exchanged.add("begin " + op.id() + ": " + values.remaining() + " bytes, " + values.getInt(0));
                kept[0] = values;
            }

            @Override
            public Outcome await(int id) {
                exchanged.add("await " + id);
                kept[0].putInt(0, 30);
                return Outcome.DONE;
            }
        };
        StepResult result = run(peer, Status.EXCHANGE_BEGIN, Status.EXCHANGE_AWAIT, Status.OK);
        assertThat(exchanged).containsExactly("begin 5: 8 bytes, 20", "await 5");
        assertThat(result.activations().getInt(0)).isEqualTo(30);
        assertThat(result.activations().remaining()).isEqualTo(8);
        assertThat(result.logits()).isEmpty();
        assertThat(library.calls).containsExactly("load", "run 11", "resume 0", "resume 0");
    }

    private static Exchange throwing(Throwable failure, boolean inBegin) {
        return new Exchange() {
            @Override
            public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {
                if (inBegin) {
                    LibraryExecutorTest.<RuntimeException>sneak(failure);
                }
            }

            @Override
            public Outcome await(int id) {
                LibraryExecutorTest.<RuntimeException>sneak(failure);
                return Outcome.DONE;
            }
        };
    }

    @SuppressWarnings("unchecked")
    private static <T extends Throwable> void sneak(Throwable failure) throws T {
        throw (T) failure;
    }

    @Test
    void aStepWhoseExchangeThrowsIsEndedAndThrowsTheSame() {
        Error error = new StackOverflowError("peer");
        assertThatThrownBy(() -> run(throwing(error, true), Status.EXCHANGE_BEGIN))
                .isSameAs(error);
        assertThat(library.calls).containsExactly("load", "run 11", "resume 2");
        RuntimeException failure = new IllegalStateException("peer");
        assertThatThrownBy(() -> run(throwing(failure, false), Status.EXCHANGE_BEGIN, Status.EXCHANGE_AWAIT))
                .isSameAs(failure);
        assertThat(library.calls).containsExactly("load", "run 11", "resume 0", "resume 2");
    }

    private static Exchange ending(Exchange.Outcome outcome) {
        return new Exchange() {
            @Override
            public void begin(ExchangeBegin op, ByteBuffer values, Cancel cancel) {}

            @Override
            public Outcome await(int id) {
                return outcome;
            }
        };
    }

    @Test
    void outcomesOfAGroup() {
        assertThatExceptionOfType(CancelledException.class)
                .isThrownBy(
                        () -> run(ending(Exchange.Outcome.CANCELLED), Status.EXCHANGE_BEGIN, Status.EXCHANGE_AWAIT));
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> run(ending(Exchange.Outcome.FAILED), Status.EXCHANGE_BEGIN, Status.EXCHANGE_AWAIT))
                .withMessage("exchange 5 of program 'main' failed: another node of the group failed or is gone");
    }

    @Test
    void statusesAreExceptions() {
        LibraryExecutor executor = load();
        library.sentence = "what happened";
        library.steps.addAll(List.of(Status.CANCELLED, Status.FAILED, Status.DEVICE_LOST, Status.NO_MEMORY));
        List<Class<? extends EngineException>> thrown = List.of(
                CancelledException.class, EngineException.class, DeviceLostException.class, NoMemoryException.class);
        for (Class<? extends EngineException> type : thrown) {
            assertThatThrownBy(() -> executor.run(step(), Exchange.ALONE, new Cancel()))
                    .isExactlyInstanceOf(type)
                    .hasMessage(type == CancelledException.class ? "it was cancelled" : "what happened");
        }
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(() -> executor.copyRows(1, 2, 0))
                .withMessage("what happened");
        library.steps.add(Status.OK);
        Cancel cancel = new Cancel();
        cancel.set();
        executor.run(step(), Exchange.ALONE, cancel);
        assertThat(library.calls).endsWith("run 11 cancelled");
    }

    /** Heap or direct, and wherever they begin. */
    @Test
    void activationsAreReadFromTheirPosition() {
        LibraryExecutor executor = load();
        for (ByteBuffer buffer : List.of(ByteBuffer.allocate(40), ByteBuffer.allocateDirect(40))) {
            buffer.order(ByteOrder.LITTLE_ENDIAN).putInt(0, 5).putInt(9, 6);
            Step at9 = new Step(step().entries(), buffer.position(9).limit(17), Set.of());
            library.steps.add(Status.OK);
            executor.run(at9, Exchange.ALONE, new Cancel());
            assertThat(library.calls).endsWith("run 6");
            assertThat(buffer.position()).isEqualTo(9);
            ByteBuffer slice =
                    buffer.duplicate().position(1).slice().position(8).limit(16);
            library.steps.add(Status.OK);
            executor.run(new Step(step().entries(), slice, Set.of()), Exchange.ALONE, new Cancel());
            assertThat(library.calls).endsWith("run 6");
        }
    }

    @Test
    void closingTwiceUnloadsOnce() {
        LibraryExecutor executor = load();
        executor.close();
        executor.close();
        assertThat(executor.isClosed()).isTrue();
        assertThat(library.calls).containsExactly("load", "unload 77");
    }

    @Test
    void whatTheLibraryChoseIsALineEach() {
        assertThat(load().choices()).containsExactly("3 of 8 experts: one way taken", "all experts: another");
    }

    /** A library would follow an address that is no longer one. */
    @Test
    void whatIsClosedIsNotCalled() {
        LibraryExecutor executor = load();
        executor.close();
        List<ThrowingCallable> calls = List.of(
                executor::kvRowsFree,
                () -> executor.open(1, 2, RouterEdits.NONE),
                () -> executor.run(step(), Exchange.ALONE, new Cancel()),
                () -> executor.close(1),
                executor::profile,
                executor::choices);
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call)
                    .isInstanceOf(EngineException.class)
                    .hasMessage("program 'main' is no longer loaded");
        }
        assertThat(library.calls).containsExactly("load", "unload 77");
    }

    @Test
    void aLibraryThatIsNotThereIsMissing() {
        LibraryProvider provider =
                new LibraryProvider("none", () -> LibraryFile.open("espalier-none", CpuLibrary::new));
        assertThat(provider.availability())
                .isInstanceOfSatisfying(
                        Availability.Missing.class,
                        missing -> assertThat(missing.why())
                                .startsWith("this build has no library for ")
                                .endsWith(": it is made where there are a C compiler and make"));
        assertThatExceptionOfType(EngineException.class)
                .isThrownBy(provider::start)
                .withMessageStartingWith("the engine none is missing here: this build has no library");
    }
}
