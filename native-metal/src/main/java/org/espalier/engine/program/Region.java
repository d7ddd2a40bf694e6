package org.espalier.engine.program;

import java.nio.file.Path;

/**
 * Rows in a file. Tensors may start at odd addresses: no aligned loads.
 *
 * @param offset of the first row, from the start of the file
 * @param rowBytes from the start of one row to the start of the next
 */
public record Region(Path file, long offset, long rowBytes) {}
