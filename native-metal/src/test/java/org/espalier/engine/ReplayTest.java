package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.espalier.engine.reference.ReferenceProvider;
import org.junit.jupiter.api.AfterAll;

/**
 * All that the suites ask of the reference engine, recorded and then replayed by espalier-check: the cpu engine without Java, also in builds for
 * sanitizers and for other processors. The property {@code espalier.check} has their commands, separated by semicolons, or a file of them.
 */
final class ReplayTest extends EngineSuite {

    private static final String COMMANDS = System.getProperty("espalier.check", "target/c/espalier-check");
    private static final Pattern BITS = Pattern.compile("bits of all answers +([0-9a-f]{16})");

    private static final Path RECORDINGS = temporary();

    ReplayTest() {
        super(new RecordingProvider(new ReferenceProvider(), RECORDINGS), Precision.FLOAT32);
    }

    private static Path temporary() {
        try {
            return Files.createTempDirectory("espalier-recordings");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> commands() throws IOException {
        String all = COMMANDS.startsWith("@") ? Files.readString(Path.of(COMMANDS.substring(1))) : COMMANDS;
        return Stream.of(all.split(";"))
                .map(String::trim)
                .filter(command -> !command.isEmpty())
                .toList();
    }

    @AfterAll
    void replay() throws IOException, InterruptedException {
        try {
            for (String command : commands()) {
                List<String> words = List.of(command.split(" +"));
                assumeTrue(Files.exists(Path.of(words.get(words.size() - 1))), "there is no " + command + " here");
                replay(words);
            }
        } finally {
            delete();
        }
    }

    /** Differences are shares of the greatest number of a row: sums in another order, and 8 bits of operands in {@code fast}. */
    private void replay(List<String> command) throws IOException, InterruptedException {
        bitsOfAnyThreads(command, "--precision", "float32", "--tolerance", "1e-5");
        bitsOfAnyThreads(command, "--precision", "fast", "--tolerance", "0.05", "--choices", "0.02");
    }

    private void bitsOfAnyThreads(List<String> command, String... options) throws IOException, InterruptedException {
        String alone = check(command, Stream.concat(Stream.of("--threads", "1"), Stream.of(options)));
        String together = check(command, Stream.concat(Stream.of("--threads", "3", "--cancel"), Stream.of(options)));
        System.out.print(together);
        assertThat(bits(together))
                .as("of three threads whose steps are also cancelled, and of one")
                .isEqualTo(bits(alone));
    }

    private static String bits(String report) {
        Matcher line = BITS.matcher(report);
        assertThat(line.find()).as(report).isTrue();
        return line.group(1);
    }

    private String check(List<String> command, Stream<String> options) throws IOException, InterruptedException {
        List<String> words = new ArrayList<>(command);
        options.forEach(words::add);
        int named = words.size();
        try (Stream<Path> recordings = Files.list(RECORDINGS)) {
            recordings.map(Path::toString).sorted().forEach(words::add);
        }
        Process process = new ProcessBuilder(words).redirectErrorStream(true).start();
        String report = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor())
                .as("%s: %s", words.subList(0, named), report)
                .isZero();
        return report;
    }

    private void delete() throws IOException {
        try (Stream<Path> files = Files.walk(RECORDINGS)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
