package org.espalier.hub;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Optional;

/** GET requests to one server and where it leads: with its token, along redirects, again after failures that pass. */
final class WebConnection {

    private static final int MAX_REDIRECTS = 10;
    private static final Duration HEADERS = Duration.ofSeconds(60);

    private final URI endpoint;
    private final Optional<String> token;
    private final RetryPolicy retries;
    private final Duration stall;
    private final HttpClient client;

    /** What to say of an answer that brings nothing. */
    interface Refusal {
        HubException of(int status, HttpHeaders headers);
    }

    /**
     * @param token shown to {@code endpoint} only
     * @param stall after so long without a byte a connection is given up
     */
    WebConnection(URI endpoint, Optional<String> token, RetryPolicy retries, Duration stall) {
        this.endpoint = endpoint;
        this.token = token;
        this.retries = retries;
        this.stall = stall;
        this.client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER) // the token must not follow to another host
                .connectTimeout(Duration.ofSeconds(30))
                .build();
    }

    URI endpoint() {
        return endpoint;
    }

    /** Waits, unless this failed too often. */
    void again(int attempt, String what, IOException failure) throws InterruptedException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedException();
        }
        if (attempt >= retries.attempts()) {
            throw new HubException(
                    "cannot fetch " + what + " from " + endpoint + ": " + reason(failure)
                            + "; what was fetched is kept, run it again to resume",
                    failure);
        }
        retries.waitFor(attempt, Optional.empty());
    }

    private static String reason(IOException failure) {
        String message = failure.getMessage();
        return message == null ? failure.getClass().getSimpleName() : message;
    }

    /**
     * The answer from byte {@code from} on: 200 with everything, or 206 with the rest. Waits and asks again after 429 and 5xx.
     *
     * @param last empty for the end of the file
     * @throws HubException for any other status
     */
    HttpResponse<HubBody> open(URI uri, Refusal refusal, long from, String last)
            throws IOException, InterruptedException {
        boolean part = from > 0 || !last.isEmpty();
        for (int attempt = 1; ; attempt++) {
            HttpResponse<HubBody> response = follow(uri, part ? "bytes=" + from + "-" + last : "");
            int status = response.statusCode();
            if (status == 200 || status == 206 && part) {
                return response;
            }
            response.body().close();
            boolean passes = status == 429 || status == 408 || status >= 500;
            if (!passes || attempt >= retries.attempts()) {
                throw refusal.of(status, response.headers());
            }
            retries.waitFor(attempt, response.headers().firstValue("Retry-After"));
        }
    }

    /** @param range empty for everything */
    private HttpResponse<HubBody> follow(URI start, String range) throws IOException, InterruptedException {
        URI uri = start;
        for (int hop = 0; hop <= MAX_REDIRECTS; hop++) {
            HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                    .timeout(HEADERS)
                    .header("User-Agent", "espalier")
                    .GET();
            if (isEndpoint(uri)) {
                token.ifPresent(value -> request.header("Authorization", "Bearer " + value));
            }
            if (!range.isEmpty()) {
                request.header("Range", range);
            }
            HttpResponse<HubBody> response = client.send(request.build(), HubBody.handler(stall));
            boolean redirect = response.statusCode() / 100 == 3 && response.statusCode() != 304;
            String location = response.headers().firstValue("Location").orElse("");
            if (!redirect || location.isEmpty()) {
                return response;
            }
            response.body().close();
            uri = target(uri, location);
        }
        throw new HubException(start + " redirects more than " + MAX_REDIRECTS + " times");
    }

    /** Where a server leads: to the web, and from https to https only. */
    static URI target(URI from, String location) {
        try {
            URI uri = from.resolve(location);
            boolean web = "https".equals(uri.getScheme()) || "http".equals(uri.getScheme());
            boolean weaker = "https".equals(from.getScheme()) && !"https".equals(uri.getScheme());
            if (web && !weaker && uri.getHost() != null) {
                return uri;
            }
        } catch (IllegalArgumentException e) {
            throw new HubException(from + " leads to " + location + ", which is not an address", e);
        }
        throw new HubException(from + " leads to " + location + ", where nothing may be fetched from");
    }

    private boolean isEndpoint(URI uri) {
        return endpoint.getScheme().equals(uri.getScheme())
                && endpoint.getHost().equalsIgnoreCase(uri.getHost())
                && endpoint.getPort() == uri.getPort();
    }
}
