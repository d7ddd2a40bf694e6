package org.espalier.transport;

import io.grpc.Metadata;

/** The version of the wire that this build speaks; raised with every change that an older peer would misread; a test notices the change. */
final class Protocol {

    static final int VERSION = 2;

    /** On every call. Without it a caller is none of ours, such as a health check, and says what it says. */
    static final Metadata.Key<String> HEADER = Metadata.Key.of("espalier-protocol", Metadata.ASCII_STRING_MARSHALLER);

    private Protocol() {}
}
