package org.espalier.transport;

import io.grpc.Context;
import java.util.Optional;

/**
 * Whom a certificate names.
 *
 * @param name the node's; {@code client} for a client
 */
public record Peer(Role role, String name) {

    /** What a certificate is for. */
    public enum Role {
        NODE,
        CLIENT
    }

    static final Context.Key<Peer> CALLER = Context.key("espalier-caller");

    /** Who makes the call that is being begun on this thread; empty where callers show no certificate. */
    public static Optional<Peer> caller() {
        return Optional.ofNullable(CALLER.get());
    }

    @Override
    public String toString() {
        return role == Role.NODE ? "node " + name : "a client";
    }
}
