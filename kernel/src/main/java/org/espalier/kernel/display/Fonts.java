package org.espalier.kernel.display;

import java.awt.AWTError;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What needs the machine's fonts, where there are any: a server or container often has no fontconfig, or a JVM without the library, and AWT
 * then fails in as many ways as it has versions.
 */
final class Fonts {

    private static final Logger LOG = LoggerFactory.getLogger(Fonts.class);
    private static final AtomicBoolean SAID = new AtomicBoolean();

    private Fonts() {}

    /** The result; empty where AWT has no font to draw with, which the log says once. */
    static <T> Optional<T> where(Supplier<T> drawing) {
        try {
            return Optional.of(drawing.get());
        } catch (RuntimeException | LinkageError | InternalError | AWTError e) {
            if (!SAID.getAndSet(true)) {
                Throwable cause = e;
                while (cause.getCause() != null) {
                    cause = cause.getCause();
                }
                LOG.warn(
                        "charts have no PNG, as AWT has no font here (install fontconfig and a font): {}",
                        cause.toString());
            }
            return Optional.empty();
        }
    }
}
