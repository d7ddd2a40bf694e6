package org.espalier.node.delivery;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.espalier.engine.EngineException;
import org.espalier.engine.library.SelfTest;
import org.espalier.engine.library.SelfTestOutcome;

/**
 * Runs {@link SelfTest} in a process of its own, so that a library that aborts or hangs takes nothing else with it.
 *
 * @param command to which the library's file is added
 * @param deadline the first use of a GPU compiles kernels, which may take long
 */
record SelfTestProcess(List<String> command, Duration deadline) {

    static SelfTestProcess usual() {
        return new SelfTestProcess(java(), Duration.ofSeconds(120));
    }

    /** This process's virtual machine and class path. */
    static List<String> java() {
        return List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                SelfTest.class.getName());
    }

    /**
     * What the library runs on, and how it computes experts there.
     *
     * @throws EngineException saying why it did not pass
     */
    SelfTestOutcome outcome(Path library) throws InterruptedException {
        List<String> whole = new ArrayList<>(command);
        whole.add(library.toString());
        ChildProcess.Ended ended;
        try {
            ended = new ChildProcess(whole, Map.of(), deadline).run();
        } catch (IOException e) {
            throw new EngineException("its self-test cannot be started: " + e.getMessage(), e);
        }
        return Optional.of(ended)
                .filter(ChildProcess.Ended::isFine)
                .flatMap(fine -> SelfTestOutcome.in(fine.output()))
                .orElseThrow(() -> new EngineException(why(ended, ended.lastLine())));
    }

    private String why(ChildProcess.Ended ended, String last) {
        if (ended.code().isEmpty()) {
            return "its self-test did not end within " + deadline.toMillis() / 1000.0 + " s and was killed";
        }
        int code = ended.code().get();
        if (code == 1 && last.startsWith(SelfTest.FAILED)) {
            return last.substring(SelfTest.FAILED.length());
        }
        String said = Optional.of(last)
                .filter(line -> !line.isEmpty())
                .map(ChildText::printable)
                .orElse("nothing");
        return (code > 128 ? "its self-test was ended by signal " + (code - 128) : "its self-test ended with " + code)
                + "; its last words: " + said;
    }
}
