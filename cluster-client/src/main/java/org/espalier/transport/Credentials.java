package org.espalier.transport;

import java.util.Optional;

/**
 * What a process shows of itself to others and asks of them.
 *
 * @param certificates over TLS
 * @param secret in plain text, on loopback
 */
public record Credentials(Optional<Certificates> certificates, Optional<Secret> secret) {

    /** Neither: any user of this machine is as good. */
    public static final Credentials NONE = new Credentials(Optional.empty(), Optional.empty());

    public static Credentials of(Certificates certificates) {
        return NONE.with(certificates);
    }

    public static Credentials of(Secret secret) {
        return NONE.with(secret);
    }

    public Credentials with(Certificates own) {
        return new Credentials(Optional.of(own), secret);
    }

    public Credentials with(Secret known) {
        return new Credentials(certificates, Optional.of(known));
    }
}
