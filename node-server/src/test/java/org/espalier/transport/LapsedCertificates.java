package org.espalier.transport;

import java.nio.file.Path;

/** What a node that has served for ten years shows: certificates that were valid when they were read. */
public final class LapsedCertificates {

    private LapsedCertificates() {}

    public static Certificates open(Path folder) {
        return Certificates.open(folder);
    }
}
