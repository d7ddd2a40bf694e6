package org.espalier.kernel.jshell;

import java.util.List;

/** Code of a cell did not compile, or threw. */
public final class CodeFailure extends Exception {

    private final String name;
    private final List<String> traceback;

    /**
     * @param name class of the exception, or {@code CompilationError}
     * @param message the exception's own
     * @param traceback lines for people, may hold ANSI colours
     */
    public CodeFailure(String name, String message, List<String> traceback) {
        super(message);
        this.name = name;
        this.traceback = List.copyOf(traceback);
    }

    public String name() {
        return name;
    }

    public List<String> traceback() {
        return traceback;
    }
}
