package org.espalier.kernel.magic;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;

@Timeout(60)
@DisabledOnOs(OS.WINDOWS)
class ShellCommandTest {

    private final PrintStream before = System.out;

    @AfterEach
    void restore() {
        System.setOut(before);
    }

    /** What is shown; each write takes as long as {@code wait}. */
    private static ByteArrayOutputStream shown(long wait) {
        ByteArrayOutputStream shown = new ByteArrayOutputStream() {
            @Override
            public void write(byte[] from, int offset, int length) {
                try {
                    Thread.sleep(wait);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                super.write(from, offset, length);
            }
        };
        System.setOut(new PrintStream(shown));
        return shown;
    }

    @Test
    void aClientThatReadsSlowlyGetsAllBeforeTheCommandIsOver() throws Exception {
        ByteArrayOutputStream shown = shown(500);
        ShellCommand.run("head -c 20000 /dev/zero");
        assertThat(shown.size()).isEqualTo(20_000);
    }

    @Test
    void aSecondInterruptKillsWhatDoesNotEnd() throws Exception {
        ByteArrayOutputStream shown = shown(0);
        CountDownLatch interrupted = new CountDownLatch(1);
        Thread cell = new Thread(() -> {
            try {
                ShellCommand.run("trap 'echo asked' TERM; echo $$; while :; do sleep 0.1; done");
            } catch (InterruptedException e) {
                interrupted.countDown();
            }
        });
        cell.start();
        await(shown, "\n");
        ProcessHandle process =
                ProcessHandle.of(Long.parseLong(shown.toString().strip())).orElseThrow();
        cell.interrupt();
        await(shown, "asked");
        cell.interrupt();
        process.onExit().get(20, TimeUnit.SECONDS);
        assertThat(interrupted.await(20, TimeUnit.SECONDS)).isTrue();
    }

    private static void await(ByteArrayOutputStream shown, String text) throws InterruptedException {
        while (!shown.toString().contains(text)) {
            Thread.sleep(5); // until the test's time is over
        }
    }
}
