package org.espalier.kernel.jshell;

/** Thrown in a cell's code to end it; an Error, since code that catches every Exception has to end too. */
final class CellStopped extends Error {

    private static final long serialVersionUID = 1;

    CellStopped() {
        super("the cell was interrupted");
    }
}
