package org.espalier.kernel.magic;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.espalier.kernel.dependencies.Coordinates;
import org.espalier.kernel.dependencies.MavenResolver;
import org.espalier.kernel.dependencies.Resolution;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code %maven GROUP:ARTIFACT:VERSION}: adds an artifact and what it needs to the class path. {@code //DEPS} comments run it too. */
public final class MavenMagic implements Magic {

    public static final String NAME = "maven";

    /** What this notebook added, version by name: a class path only grows. */
    private final Map<String, String> added = new ConcurrentHashMap<>();

    @Command(
            name = "%maven",
            description =
                    "Adds artifacts from Maven's repositories, and what they need, to the class path of Java. ~/.m2 and its"
                            + " settings.xml count, and checksums have to be right. A comment //DEPS GROUP:ARTIFACT:VERSION at the top of a cell does the same.")
    private static final class Line {
        @Parameters(
                paramLabel = "GROUP:ARTIFACT:VERSION[:CLASSIFIER]",
                arity = "1..*",
                description =
                        "For instance org.apache.commons:commons-lang3:3.17.0. The version may be a range, [3.0,4.0).")
        private List<String> coordinates;

        @Option(
                names = {"-o", "--offline"},
                description = "Use only what lies in ~/.m2 already.")
        private boolean offline;
    }

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public String summary() {
        return "adds an artifact of Maven to the class path: %maven org.apache.commons:commons-lang3:3.17.0";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Line());
    }

    @Override
    public void run(MagicCall call) throws InterruptedException {
        Line line = Options.parse(new Line(), call.words());
        List<Coordinates> wanted =
                line.coordinates.stream().map(Coordinates::parse).toList();
        Resolution resolution = new MavenResolver()
                .resolve(
                        wanted,
                        line.offline ? MavenResolver.Network.OFFLINE : MavenResolver.Network.ONLINE,
                        sentence -> call.output().print(sentence + "\n"));
        List<Path> files = new ArrayList<>();
        for (Resolution.Found found : resolution.added()) {
            String before = added.putIfAbsent(found.name(), found.version());
            if (before == null) {
                files.add(found.file());
                call.output().print("added " + found.name() + " " + found.version() + "\n");
            } else if (!before.equals(found.version())) {
                call.output()
                        .print(found.name() + " stays at " + before + ", which this notebook added before; "
                                + found.version() + " needs a restart of the kernel\n");
            }
        }
        call.java().addToClassPath(files);
        resolution.notes().forEach(note -> call.output().print(note + "\n"));
    }
}
