package org.espalier.node.delivery;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.espalier.EspalierException;
import org.espalier.engine.EngineException;
import org.espalier.hub.Sha256;

/**
 * The library as this machine's C++ compiler makes it of the source that comes with this program, by {@code cpp/compile.sh}.
 *
 * @param root of the source among the class path's resources, with a slash at its end; its file {@code files.txt} lists the others
 * @param environment may name the compilers, {@code CC} and {@code CXX}
 * @param deadline of compiling
 */
record BuiltShim(String root, Map<String, String> environment, Duration deadline) implements ShimMaker {

    static BuiltShim ofThisBuild() {
        return new BuiltShim("/mlx-source/", Map.of(), Duration.ofMinutes(10));
    }

    @Override
    public String what() {
        return "the library that this machine's C++ compiler makes";
    }

    @Override
    public String version() {
        try (InputStream list = BuiltShim.class.getResourceAsStream(root + "files.txt")) {
            return list == null ? "" : Sha256.of(new ByteArrayInputStream(list.readAllBytes()));
        } catch (IOException e) {
            throw new EngineException("cannot read " + root + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void make(MlxHome home, Path file) throws InterruptedException {
        try {
            Path source = Files.createTempDirectory("espalier-mlx-source");
            try {
                copySource(source);
                compile(source, home, file);
            } finally {
                WheelUnpacking.delete(source);
            }
        } catch (IOException e) {
            throw new EngineException("its source cannot be written: " + EspalierException.reason(e, file), e);
        }
    }

    private void copySource(Path to) throws IOException {
        for (String name : files()) {
            try (InputStream in = BuiltShim.class.getResourceAsStream(root + name)) {
                if (in == null) {
                    throw new EngineException("this build lacks " + name + " of its source");
                }
                Path target = to.resolve(name);
                Files.createDirectories(target.getParent());
                Files.copy(in, target);
            }
        }
    }

    private List<String> files() throws IOException {
        try (InputStream list = BuiltShim.class.getResourceAsStream(root + "files.txt")) {
            if (list == null) {
                throw new EngineException("this build has no source of it");
            }
            return new String(list.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .map(line -> line.split(" +")[1]) // after its hash
                    .toList();
        }
    }

    private void compile(Path source, MlxHome home, Path file) throws IOException, InterruptedException {
        List<String> command = List.of(
                "sh",
                source.resolve("cpp").resolve("compile.sh").toString(),
                home.folder().toString(),
                file.toString());
        ChildProcess.Ended ended = new ChildProcess(command, environment, deadline).run();
        if (ended.code().isEmpty()) {
            throw new EngineException("the compiler did not end within " + deadline.toSeconds() + " s");
        }
        if (!ended.isFine()) {
            throw new EngineException(firstError(ended));
        }
    }

    /** A compiler says what is wrong first. */
    private static String firstError(ChildProcess.Ended ended) {
        String errors = ended.output()
                .lines()
                .filter(line -> line.contains("error") || line.startsWith("compile.sh:"))
                .limit(2)
                .collect(Collectors.joining("; "));
        return ChildText.printable(errors.isEmpty() ? ended.lastLine() : errors);
    }
}
