package org.espalier.kernel.magic;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.RegularFile;
import org.espalier.kernel.jshell.CodeFailure;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code %load}: a file as if it were the cell. */
final class LoadMagic implements Magic {

    @Override
    public String name() {
        return "load";
    }

    @Override
    public String summary() {
        return "runs a file of Java and magics as a cell: %load FILE";
    }

    @Override
    public List<Object> commands() {
        return List.of(new Load());
    }

    @Command(name = "%load", description = "Runs a file as a cell: its Java and its magics.")
    private static final class Load {
        @Parameters(paramLabel = "FILE", description = "In UTF-8; from the notebook's folder.")
        private String file;
    }

    @Override
    public void run(MagicCall call) throws CodeFailure, InterruptedException {
        Path file = FileName.path(Options.parse(new Load(), call.words()).file);
        if (file.toString().endsWith(".ipynb")) {
            throw new EspalierException(file + " is a notebook: %load runs a file of Java and magics");
        }
        String code;
        try {
            byte[] bytes = RegularFile.read(file, RegularFile.MOST_BYTES);
            code = StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes))
                    .toString();
        } catch (IOException e) {
            throw new EspalierException("cannot read " + file + ": " + EspalierException.reason(e, file), e);
        }
        call.cells().run(code, Optional.of(file));
    }
}
