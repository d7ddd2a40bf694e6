package org.espalier.program;

import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import java.nio.file.Path;
import java.util.function.Consumer;
import org.espalier.EspalierException;
import org.junit.jupiter.params.provider.Arguments;

/** A draft of which one thing is spoiled, and the sentence that refuses it. */
final class Spoiled {

    private Spoiled() {}

    static Arguments spoiled(String what, Consumer<Draft> change, String sentence) {
        return Arguments.of(what, change, sentence);
    }

    /** @param sentence with FILE for the weights' file */
    static void assertRefused(Path directory, Consumer<Draft> change, String sentence) {
        Draft draft = new Draft(directory);
        change.accept(draft);
        assertThatExceptionOfType(EspalierException.class)
                .isThrownBy(() -> draft.program().check())
                .withMessage(sentence.replace("FILE", draft.file().toString()));
    }
}
