"""What cells must not lose: exceptions on threads, and the kernel itself to System.exit."""

import pytest


def test_an_uncaught_exception_is_printed_after_other_cells_ran(shared):
    shared.ok("int guardWarm = 1; guardWarm + 1")
    cell = shared.ok('var guardThread = new Thread(() -> { throw new RuntimeException("in thread"); }, "worker-7"); guardThread.start(); guardThread.join();')
    errors = "".join(text for name, text in cell.streams if name == "stderr")
    assert 'Exception in thread "worker-7" java.lang.RuntimeException: in thread' in errors
    shared.ok("guardWarm + 2")
    cell = shared.ok('guardThread = new Thread(() -> { throw new Error("second"); }, "worker-8"); guardThread.start(); guardThread.join();')
    assert 'Exception in thread "worker-8" java.lang.Error: second' in cell.text


def test_a_thread_group_of_a_cell_prints_too(shared):
    cell = shared.ok('var guardIn = new Thread(new ThreadGroup("mine"), () -> { int[] none = {}; none[1]++; }, "grouped"); guardIn.start(); guardIn.join();')
    assert 'Exception in thread "grouped" java.lang.ArrayIndexOutOfBoundsException: Index 1' in cell.text


def test_a_thread_started_by_an_earlier_cell_prints_in_the_present_one(shared):
    shared.ok("var guardGate = new CountDownLatch(1);")
    shared.ok('Runnable guardWaits = () -> { try { guardGate.await(); } catch (InterruptedException e) { } throw new IllegalStateException("late"); };')
    shared.ok('var guardLate = new Thread(guardWaits, "later"); guardLate.start();')
    cell = shared.ok("guardGate.countDown(); guardLate.join();")
    assert 'Exception in thread "later" java.lang.IllegalStateException: late' in cell.text


def test_a_handler_that_the_user_sets_is_respected(shared):
    shared.ok('Thread.setDefaultUncaughtExceptionHandler((thread, e) -> System.out.println("handled " + e.getMessage()));')
    try:
        cell = shared.ok('var guardMine = new Thread(() -> { throw new RuntimeException("for me"); }); guardMine.start(); guardMine.join();')
        assert cell.text == "handled for me\n"
    finally:
        shared.ok("Thread.setDefaultUncaughtExceptionHandler(null);")


def test_pool_and_virtual_threads_print(shared):
    code = 'ForkJoinPool.commonPool().execute(() -> { throw new RuntimeException("in the pool"); });'
    cell = shared.ok(code + " ForkJoinPool.commonPool().awaitQuiescence(20, TimeUnit.SECONDS);")
    assert "java.lang.RuntimeException: in the pool" in cell.text
    if int(shared.ok("Runtime.version().feature()").result) >= 21:
        cell = shared.ok('Thread.startVirtualThread(() -> { throw new RuntimeException("virtually"); }).join();')
        assert "java.lang.RuntimeException: virtually" in cell.text
    failed = shared.run('IntStream.range(0, 1000).parallel().forEach(i -> { if (i == 700) throw new RuntimeException("streamed"); });')
    assert failed.error == "streamed"


EXITS = {
    "System.exit(3);": "System.exit(3) was refused",
    "Runtime.getRuntime().exit(4);": "Runtime.exit(4) was refused",
    "Runtime.getRuntime().halt(5);": "Runtime.halt(5) was refused",
    "IntConsumer guardExit = System::exit; guardExit.accept(6);": "System.exit(6) was refused",
    "IntConsumer guardHalt = Runtime.getRuntime()::halt; guardHalt.accept(7);": "Runtime.halt(7) was refused",
    "BiConsumer<Runtime, Integer> guardBoth = Runtime::exit; guardBoth.accept(Runtime.getRuntime(), 8);": "Runtime.exit(8) was refused",
    "IntStream.range(0, 100).parallel().forEach(i -> System.exit(9));": "System.exit(9) was refused",
    "CompletableFuture.runAsync(() -> System.exit(10)).join();": "System.exit(10) was refused",
    "class GuardStatic { static { System.exit(11); } }\nnew GuardStatic();": "System.exit(11) was refused",
    "interface GuardDefault { default void end() { System.exit(12); } }\nnew GuardDefault() {}.end();": "System.exit(12) was refused",
}


@pytest.mark.parametrize("code", EXITS)
def test_exit_is_refused(shared, code):
    shared.ok("var guardKept = new ArrayList<>(List.of(1, 2));")
    cell = shared.run(code)
    assert cell.status == "error"
    assert EXITS[code] in cell.error + cell.traceback
    assert "all variables of the notebook" in cell.error + cell.traceback
    assert shared.ok("guardKept.size()").result == "2"
    shared.ok("var guardHook = new Thread(); Runtime.getRuntime().addShutdownHook(guardHook); Runtime.getRuntime().removeShutdownHook(guardHook);")


def test_exit_on_a_thread_is_refused_and_printed(shared):
    cell = shared.ok('var guardEnds = new Thread(() -> System.exit(13), "ends"); guardEnds.start(); guardEnds.join();')
    assert 'Exception in thread "ends" java.lang.SecurityException: System.exit(13) was refused' in cell.text


def test_a_stop_ends_threads_and_pools_of_the_cell_but_not_of_others(shared):
    shared.ok("volatile long guardTicks = 0; volatile boolean guardOver = false;")
    shared.ok("new Thread(() -> { while (!guardOver) guardTicks++; }).start();")
    cell = shared.interrupted("IntStream.range(0, 2).parallel().forEach(i -> { System.out.println(i); while (true) { try { Thread.sleep(10); } catch (Throwable t) { } } });")
    assert "interrupted" in cell.error
    before = int(shared.ok("guardTicks").result)
    shared.ok(f"while (guardTicks <= {before}L) Thread.onSpinWait();")
    shared.ok("guardOver = true;")


def test_output_outlives_who_closes_it(shared):
    assert shared.ok('try (var guardOut = new PrintWriter(System.out)) { guardOut.print("one"); }').text == "one"
    assert shared.ok('System.err.close(); System.err.print("two"); System.out.print("three");').text in ("twothree", "threetwo")


def test_the_kernel_outlives_an_interrupt_of_its_threads(shared):
    shared.ok('Thread.getAllStackTraces().keySet().stream().filter(t -> t.getName().matches("espalier-(iopub|shell|control|stdin|heartbeat|output).*")).forEach(Thread::interrupt);')
    assert shared.ok('System.out.print("here"); 5').text == "here"


def test_nothing_opens_a_window(shared):
    assert shared.ok('System.getProperty("java.awt.headless")').result == "true"
