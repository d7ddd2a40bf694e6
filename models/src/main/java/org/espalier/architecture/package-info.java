/**
 * From a config to a {@link org.espalier.program.Program}: one file for each architecture, named after Hugging Face's {@code model_type}
 * and read top-down like the paper: what config.json says, what is computed, what GGUF calls both. A new one is a file here and a line in
 * {@link org.espalier.architecture.Architectures}.
 *
 * <p>Legend of the shapes: T rows of the step, D hidden width, H heads, E experts, K experts a token, L layers, V vocabulary.
 */
package org.espalier.architecture;
