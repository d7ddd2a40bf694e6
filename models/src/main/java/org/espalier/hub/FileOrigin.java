package org.espalier.hub;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpResponse;

/**
 * Where one file's bytes come from.
 *
 * @param what the file, for messages
 * @param refusal what to say of an answer that brings nothing
 */
record FileOrigin(String what, URI uri, WebConnection connection, WebConnection.Refusal refusal) {

    /** The answer from byte {@code from} on: 200 with everything, or 206 with the rest. */
    HttpResponse<HubBody> open(long from) throws IOException, InterruptedException {
        return connection.open(uri, refusal, from, "");
    }

    /** Waits, unless this failed too often. */
    void again(int attempt, IOException failure) throws InterruptedException {
        connection.again(attempt, what, failure);
    }
}
