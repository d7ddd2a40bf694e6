package org.espalier.kernel.magic;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.Locale;
import java.util.Optional;
import org.espalier.EspalierException;
import org.espalier.kernel.display.Bundles;
import org.espalier.kernel.jshell.CodeFailure;

/** {@code %time CODE} and {@code %%time}: how long code takes. */
final class TimeMagic implements Magic {

    private final Magics magics;

    TimeMagic(Magics magics) {
        this.magics = magics;
    }

    @Override
    public String name() {
        return "time";
    }

    @Override
    public String summary() {
        return "runs code and says how long it took: %time CODE, or %%time with the code below";
    }

    @Override
    public String usage() {
        return "%time CODE\n%%time, with the code below\n\nThe code is Java or magics. What compiling it took is said apart;"
                + " CPU is the time of all threads of the kernel.";
    }

    @Override
    public Rest rest() {
        return Rest.JAVA;
    }

    @Override
    public void run(MagicCall call) throws CodeFailure, InterruptedException {
        String code = call.arguments() + call.body().map(body -> "\n" + body).orElse(""); // lines keep their numbers
        if (code.isBlank()) {
            throw new EspalierException("there is no code to time: write it on the line of %time, or below %%time");
        }
        boolean onlyJava = MagicLine.all(code, magics::isKnown).isEmpty();
        long cpu = cpuNanos();
        long ran = call.java().ranNanos();
        long start = System.nanoTime();
        try {
            call.cells().run(code, Optional.empty());
        } finally {
            long took = System.nanoTime() - start;
            long run = onlyJava ? call.java().ranNanos() - ran : took;
            call.output()
                    .display(Bundles.note("took " + text(run) + ", CPU " + text(cpuNanos() - cpu)
                            + (onlyJava ? "; compiling took " + text(took - run) : "")));
        }
    }

    private static long cpuNanos() {
        return ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class).getProcessCpuTime();
    }

    /** Three figures. */
    static String text(long nanos) {
        String[] units = {"ns", "µs", "ms", "s"};
        double value = nanos;
        int unit = 0;
        while (value >= 1000 && unit < units.length - 1) {
            value /= 1000;
            unit++;
        }
        int digits = unit == 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
        return String.format(Locale.ROOT, "%." + digits + "f %s", value, units[unit]);
    }
}
