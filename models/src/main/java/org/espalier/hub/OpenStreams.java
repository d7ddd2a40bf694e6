package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The answers that are being read, so that they can be ended: a stream of the JDK's client does not notice that its thread is interrupted. */
final class OpenStreams {

    private final Set<InputStream> open = ConcurrentHashMap.newKeySet();
    private volatile boolean stopped;

    void add(InputStream stream) {
        open.add(stream);
    }

    void remove(InputStream stream) {
        open.remove(stream);
    }

    boolean stopped() {
        return stopped;
    }

    void stop() throws IOException {
        stopped = true;
        for (InputStream stream : open) {
            stream.close();
        }
    }
}
