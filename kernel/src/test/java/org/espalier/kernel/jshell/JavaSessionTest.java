package org.espalier.kernel.jshell;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.espalier.kernel.jshell.CodeAssist.Whole;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import tech.tablesaw.api.Table;

class JavaSessionTest {

    private static final JavaSession JAVA = new JavaSession();
    private final CodeAssist assist = new CodeAssist(JAVA);

    @AfterAll
    static void close() {
        JAVA.close();
    }

    @Test
    void valuesAreLiveObjects() throws Exception {
        Object list = JAVA.run("var live = new ArrayList<Integer>(List.of(1, 2)); live")
                .orElseThrow();
        ((List<Object>) cast(list)).add(3);
        assertThat(JAVA.run("live.size()")).contains(3);
        assertThat(JAVA.run("record Point(int x) {}\nnew Point(4)")
                        .orElseThrow()
                        .toString())
                .isEqualTo("Point[x=4]");
        assertThat(JAVA.run("Object nothing = null; nothing")).isEmpty();
        assertThat(JAVA.run("int silent = 5;")).isEmpty();
    }

    @SuppressWarnings("unchecked")
    private static <T> T cast(Object object) {
        return (T) object;
    }

    @Test
    void aValueWithoutANameIsHandedOutAndForgotten() throws Exception {
        WeakReference<Object> value =
                new WeakReference<>(JAVA.run("new byte[1000]").orElseThrow());
        assertThat(JAVA.run("6 * 7")).contains(42);
        assertThatThrownBy(() -> JAVA.run("1 / (6 * 7 - 42)")).isInstanceOf(CodeFailure.class);
        for (int i = 0; i < 100 && value.get() != null; i++) {
            System.gc();
        }
        assertThat(value.get()).isNull();
        // What code is compiled with: a line for each variable that JShell has made.
        assertThat(JAVA.analyze(jshell -> jshell.wrappers("6 * 7")).get(0).wrapped())
                .contains("import java.util.*;")
                .doesNotContainPattern("import static .*\\.\\$\\d+;");
    }

    @Test
    void theLastValueCounts() throws Exception {
        assertThat(JAVA.run("int twice(int a) {\n  return 2 * a;\n}\ntwice(3);\ntwice(4)"))
                .contains(8);
    }

    @Test
    void aMethodMayChangeItsSignature() throws Exception {
        JAVA.run("static int f(int a) { return a; }");
        JAVA.run("static String f(int a, int b) { return \"\" + a + b; }");
        assertThat(JAVA.run("f(1, 2)")).contains("12");
    }

    @Test
    void objectsCanBeHandedIn() throws Exception {
        JAVA.define("handed", Table.class, Table.create("t"));
        assertThat(JAVA.run("handed.name()")).contains("t");
    }

    @Test
    void anExceptionKeepsItsNameMessageAndCause() {
        assertThatThrownBy(() -> JAVA.run("throw new IllegalStateException(\"boo\", new RuntimeException(\"why\"));"))
                .isInstanceOfSatisfying(CodeFailure.class, failure -> {
                    assertThat(failure.name()).isEqualTo("java.lang.IllegalStateException");
                    assertThat(failure).hasMessage("boo");
                    assertThat(failure.traceback())
                            .anyMatch(line -> line.contains("Caused by") && line.contains("why"));
                });
    }

    @Test
    void aCompileErrorUnderlinesItsPlace() {
        assertThatThrownBy(() -> JAVA.run("int a = missing + 1;"))
                .isInstanceOfSatisfying(CodeFailure.class, failure -> {
                    assertThat(failure.name()).isEqualTo("CompilationError");
                    assertThat(failure).hasMessageContaining("cannot find symbol");
                    assertThat(failure.traceback()).anyMatch(line -> line.contains("^".repeat("missing".length())));
                });
    }

    @Test
    void whatRunsCanBeStopped() throws Exception {
        var threads = Executors.newSingleThreadExecutor();
        Future<Optional<Object>> run = threads.submit(() -> JAVA.run("while (true) {}"));
        Thread.sleep(1000);
        JAVA.stop();
        assertThatThrownBy(() -> run.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(InterruptedException.class);
        threads.shutdown();
        assertThat(JAVA.run("1 + 1")).contains(2);
    }

    @Test
    void anInterruptAloneStopsWhatRuns() throws Exception {
        JAVA.run("volatile int loops = 0;");
        Thread cell = new Thread(() -> assertThatThrownBy(() -> JAVA.run("while (true) { loops++; }"))
                .isInstanceOf(InterruptedException.class));
        cell.start();
        Thread.sleep(1000);
        cell.interrupt();
        cell.join(10_000);
        assertThat(cell.isAlive()).isFalse();
        Object loops = JAVA.run("loops").orElseThrow();
        Thread.sleep(100);
        assertThat(JAVA.run("loops")).contains(loops);
    }

    @Test
    void anInterruptBeforeItRunsStopsItToo() throws Exception {
        for (String code : List.of("while (true) {}", "class Never {}", "1 + 1")) {
            Thread.currentThread().interrupt();
            assertThatThrownBy(() -> JAVA.run(code)).as(code).isInstanceOf(InterruptedException.class);
            assertThat(JAVA.run("class Afterwards {}")).as("after " + code).isEmpty();
        }
    }

    @Test
    void codeIsCompletedWhileOtherCodeIsCompiled() throws Exception {
        var threads = Executors.newSingleThreadExecutor();
        AtomicBoolean over = new AtomicBoolean();
        Future<?> typing = threads.submit(() -> {
            while (!over.get()) {
                assertThat(assist.complete("System.out.pri", 14).matches()).contains("println(");
            }
        });
        for (int i = 0; i < 50; i++) {
            assertThat(JAVA.run("int counted" + i + " = " + i + "; counted" + i))
                    .contains(i);
        }
        over.set(true);
        typing.get(10, TimeUnit.SECONDS);
        threads.shutdown();
    }

    @Test
    void codeIsCompletedWhileOtherCodeRuns() throws Exception {
        var threads = Executors.newSingleThreadExecutor();
        Future<Optional<Object>> run = threads.submit(() -> JAVA.run("Thread.sleep(60_000);"));
        Thread.sleep(1000);
        assertThat(assist.complete("System.out.pri", 14).matches()).contains("println(");
        assertThat(run.isDone()).isFalse();
        JAVA.stop();
        assertThatThrownBy(() -> run.get(10, TimeUnit.SECONDS)).hasCauseInstanceOf(InterruptedException.class);
        threads.shutdown();
    }

    @Test
    void knowsWhetherCodeIsWhole() {
        for (String code :
                List.of("1 + 1", "int x = 3;", "import java.util.*;", "class A { int a; }", "", "int a = 1; a")) {
            assertThat(assist.whole(code)).as(code).isEqualTo(Whole.COMPLETE);
        }
        for (String code : List.of("int f() {", "String s =", "if (true) {", "foo(")) {
            assertThat(assist.whole(code)).as(code).isEqualTo(Whole.INCOMPLETE);
        }
        for (String code : List.of("int x = = 3;", "class { }")) {
            assertThat(assist.whole(code)).as(code).isEqualTo(Whole.INVALID);
        }
    }

    @Test
    void completesAndDocuments() {
        CodeAssist.Completion completion = assist.complete("System.out.pri", 14);
        assertThat(completion.start()).isEqualTo(11);
        assertThat(completion.matches()).contains("println(", "print(");
        assertThat(assist.document("System.out.println", 18)).anyMatch(text -> text.contains("println(String"));
        assertThat(assist.document("nothing.at.all", 10)).isEmpty();
    }
}
