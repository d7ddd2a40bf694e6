package org.espalier;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class DaemonThreadsTest {

    @Test
    void whatNobodyCatchesIsSaidWithTheThreadsName() throws InterruptedException {
        PrintStream before = System.err;
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        System.setErr(new PrintStream(said, true, StandardCharsets.UTF_8));
        try {
            Thread thread = new DaemonThreads("espalier-test").newThread(() -> {
                throw new AssertionError("nobody expects this");
            });
            thread.start();
            thread.join();
        } finally {
            System.setErr(before);
        }
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains(
                        "The thread espalier-test of Espalier ended with java.lang.AssertionError: nobody expects this");
    }

    @Test
    void aThreadBelongsToNoGroupThatCanBeStopped() throws InterruptedException {
        ThreadGroup[] group = new ThreadGroup[1];
        Thread inGroup = new Thread(
                new ThreadGroup("cell"),
                () -> group[0] =
                        new DaemonThreads("espalier-test").newThread(() -> {}).getThreadGroup());
        inGroup.start();
        inGroup.join();
        assertThat(group[0].getParent()).isNull();
    }
}
