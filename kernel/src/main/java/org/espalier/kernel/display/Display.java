package org.espalier.kernel.display;

/** What cells call without naming a class: these methods are imported into every notebook. */
public final class Display {

    private Display() {}

    /**
     * Shows a value at this place of the running cell, in the richest form that there is: a table, a chart, an image, {@link Html}, or text.
     * It may be called from loops, methods and threads; what a thread shows after its cell ended goes to the cell that ran last.
     *
     * @param value null too
     * @return replaces what is shown, from any later cell
     */
    public static DisplayHandle display(Object value) {
        DisplayHandle handle = new DisplayHandle();
        handle.show(value);
        return handle;
    }

    /** Shows several values, one below the other. */
    public static void display(Object first, Object second, Object... more) {
        display(first);
        display(second);
        for (Object value : more) {
            display(value);
        }
    }

    /** Takes away all that the running cell has shown until now. */
    public static void clearOutput() {
        CurrentCell.output().clear();
    }
}
