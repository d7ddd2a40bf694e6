package org.espalier.node.cli;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Optional;

/** What a command says that has come to a limit of Java or of the system: which it is, and how it is raised. */
final class ProcessLimits {

    /** The system's words, also within those of libraries. */
    private static final String FILES = "Too many open files";

    private static final String REMEDY = "ulimit -n";

    private static final String THREADS = "native thread";

    /** Causes that are looked at: they may form a ring. */
    private static final int DEPTH = 20;

    private ProcessLimits() {}

    /** Empty where something else failed. */
    static Optional<String> sentence(Throwable error) {
        Throwable cause = error;
        for (int i = 0; i < DEPTH && cause != null; i++, cause = cause.getCause()) {
            String why = String.valueOf(cause.getMessage());
            if (cause instanceof OutOfMemoryError) {
                return Optional.of(outOfMemory(why));
            }
            if (why.contains(FILES)) {
                return Optional.of(tooManyFiles(error));
            }
        }
        return Optional.empty();
    }

    private static String outOfMemory(String why) {
        if (why.contains(THREADS)) {
            return "no more threads can be started (" + why + "): raise the limit (ulimit -u), or close other programs";
        }
        return String.format(
                Locale.ROOT,
                "there is not enough memory (%s): Java may take %,d MB here, give it more, as with JAVA_TOOL_OPTIONS=-Xmx16g",
                why,
                Runtime.getRuntime().maxMemory() >> 20);
    }

    private static String tooManyFiles(Throwable error) {
        String what = error.getMessage() != null && error.getMessage().contains(FILES)
                ? error.getMessage()
                : "a file or a connection cannot be opened: " + FILES; // what it says may be another reason
        if (what.contains(REMEDY)) { // by a node that this process started
            return what;
        }
        return what + "; this process may have " + mostFiles() + " open: raise the limit, as with `" + REMEDY
                + " 4096`";
    }

    /** The bean is part of a library, which takes a file to be loaded. */
    private static String mostFiles() {
        try {
            return ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean system
                    ? String.valueOf(system.getMaxFileDescriptorCount())
                    : "no more";
        } catch (LinkageError e) {
            return "no more";
        }
    }
}
