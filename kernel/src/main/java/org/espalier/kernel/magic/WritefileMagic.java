package org.espalier.kernel.magic;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.espalier.EspalierException;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code %%writefile}: the cell as a file. */
final class WritefileMagic implements Magic {

    @Override
    public String name() {
        return "writefile";
    }

    @Override
    public String summary() {
        return "writes the lines below to a file: %%writefile FILE";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Writefile());
    }

    @Command(
            name = "%%writefile",
            description = "Writes the lines below it to a file, as they are, in UTF-8; one that exists is replaced.")
    private static final class Writefile {
        @Option(
                names = {"-a", "--append"},
                description = "Add to the end of the file instead.")
        private boolean append;

        @Parameters(paramLabel = "FILE", description = "Where to; from the notebook's folder.")
        private String file;
    }

    @Override
    public void run(MagicCall call) {
        Writefile command = Options.parse(new Writefile(), call.words());
        String below = call.body()
                .orElseThrow(
                        () -> new EspalierException(
                                "there is nothing to write: %%writefile FILE takes the lines below it, as first line of its cell"));
        String text = below.isEmpty() || below.endsWith("\n") ? below : below + "\n"; // front ends drop the last one
        Path file = FileName.path(command.file);
        if (Files.exists(file) && !Files.isRegularFile(file) && !Files.isDirectory(file)) {
            throw new EspalierException("cannot write " + file + ": it is a pipe, a device or a socket");
        }
        boolean replaced = Files.exists(file) && !command.append;
        try {
            if (command.append) {
                Files.writeString(file, text, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } else {
                Files.writeString(file, text);
            }
        } catch (IOException e) {
            throw new EspalierException("cannot write " + file + ": " + EspalierException.reason(e, file), e);
        }
        call.output()
                .print((command.append ? "added to " : replaced ? "replaced " : "written to ") + command.file + ": "
                        + text.lines().count() + " lines\n");
    }
}
