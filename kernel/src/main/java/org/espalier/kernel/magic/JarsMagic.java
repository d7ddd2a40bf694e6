package org.espalier.kernel.magic;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.espalier.kernel.dependencies.JarFiles;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code %jars PATH}: adds jars of this machine to the class path. */
final class JarsMagic implements Magic {

    private final Set<Path> added = new LinkedHashSet<>();

    @Command(
            name = "%jars",
            description = "Adds jars and folders of classes of this machine to the class path of Java.")
    private static final class Line {
        @Parameters(
                paramLabel = "PATH",
                arity = "1..*",
                description = "A jar, a folder of classes, a folder of jars, or lib/*.jar.")
        private List<String> paths;
    }

    @Override
    public String name() {
        return "jars";
    }

    @Override
    public String summary() {
        return "adds jars of this machine to the class path: %jars lib/*.jar";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Line());
    }

    @Override
    public void run(MagicCall call) {
        Line line = Options.parse(new Line(), call.words());
        List<Path> found = new ArrayList<>();
        for (String path : line.paths) {
            found.addAll(JarFiles.of(path));
        }
        for (Path file : found) {
            boolean isNew = added.add(file);
            call.output().print((isNew ? "added " : "was added before: ") + file + "\n");
        }
        call.java().addToClassPath(found);
    }
}
