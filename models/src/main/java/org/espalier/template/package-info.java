/**
 * A small Jinja: what chat templates of published checkpoints need, with the results of Python's jinja2 under the settings of Hugging
 * Face transformers ({@code trim_blocks}, {@code lstrip_blocks}, no escaping).
 *
 * <p>A {@link org.espalier.template.Template} is parsed once ({@code Lexer}, {@code Parser}, {@code ExpressionParser}) into records
 * ({@code Statement}, {@code Expression}) which an {@code Interpreter} walks. {@link org.espalier.template.ChatTemplate} is the way in
 * for conversations.
 *
 * <p>Covered: output, {@code if for set macro call filter with do break continue raw generation}, comments and white space control;
 * all operators, slices and inline {@code if}; Jinja's common filters and tests; the methods of Python's strings and dictionaries that
 * only read; {@code range}, {@code namespace}, {@code dict}, {@code raise_exception}, {@code strftime_now}, {@code loop}.
 * Not covered, and refused by name: template inheritance and includes, recursive loops, {@code *} arguments, integers beyond 64 bits.
 *
 * <p>Templates come with downloaded models and are not trusted: they see no Java object, cannot change what they are given, and what
 * they may compute is bounded ({@code Budget}). Whatever goes wrong is a {@link org.espalier.template.TemplateException} that names
 * the line.
 */
package org.espalier.template;
