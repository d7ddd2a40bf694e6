package org.espalier.kernel.magic;

import java.util.Optional;
import org.espalier.kernel.display.Output;
import org.espalier.kernel.jshell.JavaSession;

/**
 * One use of a magic.
 *
 * @param arguments the rest of its line
 * @param body the lines below it, for a cell magic
 * @param output of the cell
 * @param java the notebook's Java, to define variables in
 */
public record MagicCall(String arguments, Optional<String> body, Output output, JavaSession java) {}
