package org.espalier.kernel;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import org.espalier.EspalierException;
import org.espalier.kernel.dependencies.DepsComment;
import org.espalier.kernel.display.Output;
import org.espalier.kernel.jshell.CodeFailure;
import org.espalier.kernel.jshell.JavaSession;
import org.espalier.kernel.magic.CellPart;
import org.espalier.kernel.magic.Magic;
import org.espalier.kernel.magic.MagicCall;
import org.espalier.kernel.magic.MagicStatement;
import org.espalier.kernel.magic.Magics;
import org.espalier.kernel.magic.MavenMagic;
import org.espalier.kernel.magic.RemedyMagics;
import org.espalier.kernel.magic.ShellCommand;

/** Runs a cell part by part, and whatever code its magics run. */
final class CellExecution {

    private final JavaSession java;
    private final Magics magics;
    private final Output output;
    private String place;
    private final Set<Path> loading = new HashSet<>();
    private Optional<Object> result = Optional.empty();

    /** @param count the number in the cell's prompt */
    CellExecution(JavaSession java, Magics magics, Output output, int count) {
        this.place = "Cell [" + count + "]";
        this.java = java;
        this.magics = magics;
        this.output = output;
        MagicStatement.runWith(
                magics,
                (magic, arguments, variables) -> magic.run(
                        new MagicCall(arguments, Optional.empty(), output, java, variables, MagicCall.Cells.NONE)));
    }

    /** The value of the last part; empty for none, and for null. */
    Optional<Object> run(String cell) throws CodeFailure, InterruptedException {
        run(cell, Optional.empty());
        return result;
    }

    private void run(String code, Optional<Path> file) throws CodeFailure, InterruptedException {
        if (file.isPresent() && !loading.add(file.get().toAbsolutePath().normalize())) {
            throw new EspalierException(file.get() + " loads itself");
        }
        String before = place;
        place = file.map(Path::toString).orElse(place);
        int line = 1;
        try {
            String dependencies = DepsComment.coordinates(code);
            if (!dependencies.isEmpty()) { // before any code is looked at
                magics.named(MavenMagic.NAME).run(new MagicCall(dependencies, Optional.empty(), output, java));
            }
            for (CellPart part : CellPart.of(code, magics)) {
                line = part.line();
                result = Optional.empty();
                if (part instanceof CellPart.Java text) {
                    java(text);
                } else if (part instanceof CellPart.Call call) {
                    Magic magic = magics.named(call.name());
                    magic.run(new MagicCall(call.arguments(), call.body(), output, java, this::variable, this::run));
                } else if (part instanceof CellPart.Shell shell) {
                    shell(shell);
                }
            }
        } catch (EspalierException e) {
            throw file.isEmpty()
                    ? e
                    : new EspalierException(file.get() + ", line " + line + ": " + RemedyMagics.sentence(e), e);
        }
        place = before;
        file.ifPresent(done -> loading.remove(done.toAbsolutePath().normalize()));
    }

    private void java(CellPart.Java part) throws CodeFailure, InterruptedException {
        result = java.run(part.code(), place, part.line());
    }

    private void shell(CellPart.Shell part) throws CodeFailure, InterruptedException {
        if (java.isExpression(part.java().code())) {
            java(part.java());
            return;
        }
        ShellCommand.run(MagicCall.filled(part.command(), this::variable));
        java(part.below());
    }

    private String variable(String name) {
        return MagicCall.text(name, java.variable(name));
    }
}
