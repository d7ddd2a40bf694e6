package org.espalier.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.espalier.EspalierException;

/** The JDK's keytool, which makes keys and certificates; the JDK has no public API that does. */
final class Keytool {

    private static final int SECONDS = 60;

    /** It lives for a second: what a JVM does to be fast later only delays it. */
    private static final List<String> QUICK_START = List.of("-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC");

    private Keytool() {}

    /**
     * Runs it once.
     *
     * @throws EspalierException with what it printed if it fails
     */
    static void run(List<String> arguments) {
        Path tool = Path.of(System.getProperty("java.home"), "bin", "keytool");
        List<String> command = new ArrayList<>(List.of(tool.toString()));
        command.addAll(QUICK_START);
        command.addAll(arguments);
        Path output = null;
        try {
            output = Files.createTempFile("espalier-keytool-", ".log");
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .start();
            process.getOutputStream().close(); // it asks nothing
            if (!process.waitFor(SECONDS, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new EspalierException(tool + " did not end within " + SECONDS + " s: try again");
            }
            if (process.exitValue() != 0) {
                String said = Files.readString(output, StandardCharsets.UTF_8).strip();
                throw new EspalierException(
                        tool + " failed: " + (said.isEmpty() ? "exit status " + process.exitValue() : said));
            }
        } catch (IOException e) {
            throw new EspalierException("cannot run " + tool + ": " + EspalierException.reason(e, tool), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EspalierException("making certificates was interrupted", e);
        } finally {
            delete(output);
        }
    }

    private static void delete(Path output) {
        try {
            if (output != null) {
                Files.deleteIfExists(output);
            }
        } catch (IOException e) {
            // a few words in the system's temporary folder
        }
    }
}
