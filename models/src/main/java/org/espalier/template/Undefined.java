package org.espalier.template;

/**
 * What a name or attribute that does not exist yields, as in Jinja: it prints as nothing, is false and empty, and is an error for
 * everything else.
 *
 * @param problem says what does not exist
 */
record Undefined(String problem) {
    TemplateException error() {
        return new TemplateException(problem);
    }
}
