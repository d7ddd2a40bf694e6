package org.espalier.kernel.jshell;

/** What {@link GuardedClass} has code call in place of {@link System#exit}, {@link Runtime#exit} and {@link Runtime#halt}. */
public final class RefusedExit {

    private RefusedExit() {}

    public static void exit(int status) {
        throw refusal("System.exit(" + status + ")");
    }

    public static void exit(Runtime runtime, int status) {
        throw refusal("Runtime.exit(" + status + ")");
    }

    public static void halt(Runtime runtime, int status) {
        throw refusal("Runtime.halt(" + status + ")");
    }

    /** A SecurityException is what Java code that calls exit has always had to expect. */
    private static SecurityException refusal(String call) {
        return new SecurityException(
                call + " was refused: it would end the kernel, and with it all variables of the notebook. "
                        + "Throw an exception to end a cell; shut the kernel down from Jupyter's menu.");
    }
}
