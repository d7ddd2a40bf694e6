package org.espalier.checkpoint;

import java.util.List;
import java.util.stream.Collectors;

/** The kinds of GGUF files that can be read. */
public record GgufDialects(List<GgufDialect> all) {

    private static final String KEY = "general.architecture";

    public GgufDialects {
        all = List.copyOf(all);
    }

    /** @throws CheckpointException naming the architecture if it is not supported */
    GgufDialect of(GgufFile file) {
        return all.stream()
                .filter(dialect ->
                        dialect.name().equals(file.text(KEY)) && dialect.reads().test(file))
                .findFirst()
                .orElseThrow(() -> notServed(file.text(KEY), file.path().toString()));
    }

    /**
     * @param file for the error
     * @throws CheckpointException if no file of this architecture is served
     */
    void require(String architecture, String file) {
        if (all.stream().noneMatch(dialect -> dialect.name().equals(architecture))) {
            throw notServed(architecture, file);
        }
    }

    private CheckpointException notServed(String architecture, String file) {
        String served = all.stream().map(GgufDialect::name).distinct().collect(Collectors.joining(", "));
        return new CheckpointException(file + " is of the GGUF architecture " + architecture
                + ", which is not supported; supported are: " + served);
    }
}
