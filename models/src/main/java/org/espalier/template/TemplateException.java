package org.espalier.template;

import org.espalier.EspalierException;

/** A template is malformed, refuses its input, or asks for what is not there or not allowed. */
public final class TemplateException extends EspalierException {

    private final String problem;
    private final int line;

    TemplateException(String problem) {
        this(problem, 0);
    }

    TemplateException(String problem, int line) {
        super(line > 0 ? "line " + line + " of the template: " + problem : problem);
        this.problem = problem;
        this.line = line;
    }

    /** The template's line, from 1; 0 if the problem has none. */
    public int line() {
        return line;
    }

    /** This problem with a line, if it has none yet: values know nothing of lines, statements do. */
    TemplateException at(int statementLine) {
        return line > 0 ? this : new TemplateException(problem, statementLine);
    }
}
