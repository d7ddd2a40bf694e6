package org.espalier.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** Requests to the hub: with the token, along redirects, again after failures that pass. */
final class HubConnection {

    private static final int MAX_REDIRECTS = 10;
    private static final int MAX_ANSWER = 64 << 20;
    private static final Duration HEADERS = Duration.ofSeconds(60);

    private final HubSettings settings;
    private final RetryPolicy retries;
    private final Duration stall;
    private final HttpClient client;

    /** @param stall after so long without a byte a connection is given up */
    HubConnection(HubSettings settings, RetryPolicy retries, Duration stall) {
        this.settings = settings;
        this.retries = retries;
        this.stall = stall;
        this.client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NEVER) // the token must not follow to another host
                .connectTimeout(Duration.ofSeconds(30))
                .build();
    }

    RetryPolicy retries() {
        return retries;
    }

    HubListing list(HubReference reference) throws InterruptedException {
        String path =
                "/api/models/" + reference.repository() + "/revision/" + encode(reference.revision()) + "?blobs=true";
        URI uri = URI.create(settings.endpoint() + path);
        for (int attempt = 1; ; attempt++) {
            try (InputStream body = open(uri, reference, 0).body()) {
                byte[] answer = body.readNBytes(MAX_ANSWER + 1);
                if (answer.length > MAX_ANSWER) {
                    throw new HubException("the hub's list of files of " + reference + " has more than " + MAX_ANSWER
                            + " bytes: it is not fetched");
                }
                JsonNode json = new ObjectMapper().readTree(answer);
                return HubListing.of(json);
            } catch (ConnectException e) { // nothing has begun: who has no network must not wait for it
                throw new HubException(
                        "cannot reach " + settings.endpoint()
                                + ": check the network, or HF_ENDPOINT; a model that is here already needs no hub",
                        e);
            } catch (IOException e) {
                again(attempt, "the list of files of " + reference, e);
            }
        }
    }

    /** The first bytes of a file, fewer where it is shorter. */
    byte[] start(URI uri, HubReference reference, int length) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try (InputStream body = open(uri, reference, 0).body()) {
                return body.readNBytes(length);
            } catch (IOException e) {
                again(attempt, "the header of a file of " + reference, e);
            }
        }
    }

    URI uri(HubReference reference, String commit, HubFile file) {
        String name =
                Arrays.stream(file.name().split("/")).map(HubConnection::encode).collect(Collectors.joining("/"));
        return URI.create(settings.endpoint() + "/" + reference.repository() + "/resolve/" + commit + "/" + name);
    }

    private static String encode(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    /** Waits, unless this failed too often. */
    void again(int attempt, String what, IOException failure) throws InterruptedException {
        if (Thread.currentThread().isInterrupted()) {
            throw new InterruptedException();
        }
        if (attempt >= retries.attempts()) {
            throw new HubException(
                    "cannot fetch " + what + " from " + settings.endpoint() + ": " + reason(failure)
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
     * The answer to a GET from byte {@code from} on: 200 with everything, or 206 with the rest. Waits and asks again after 429 and 5xx.
     *
     * @throws HubException for any other status
     */
    HttpResponse<HubBody> open(URI uri, HubReference reference, long from) throws IOException, InterruptedException {
        return open(uri, reference, from, "");
    }

    /** The same up to byte {@code last}; 206, since everything is never asked for. */
    HttpResponse<HubBody> openPart(URI uri, HubReference reference, long from, long last)
            throws IOException, InterruptedException {
        HttpResponse<HubBody> response = open(uri, reference, from, Long.toString(last));
        String range = response.headers().firstValue("Content-Range").orElse("");
        if (response.statusCode() != 206 || !range.startsWith("bytes " + from + "-")) {
            response.body().close();
            throw new HubException(settings.endpoint() + " does not give parts of files: pull " + reference + " whole");
        }
        return response;
    }

    /** @param last empty for the end of the file */
    private HttpResponse<HubBody> open(URI uri, HubReference reference, long from, String last)
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
                throw refused(status, response, reference);
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
            if (isHub(uri)) {
                settings.token().ifPresent(token -> request.header("Authorization", "Bearer " + token));
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

    private URI target(URI from, String location) {
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

    private boolean isHub(URI uri) {
        URI hub = settings.endpoint();
        return hub.getScheme().equals(uri.getScheme())
                && hub.getHost().equalsIgnoreCase(uri.getHost())
                && hub.getPort() == uri.getPort();
    }

    private HubException refused(int status, HttpResponse<?> response, HubReference reference) {
        String code = response.headers().firstValue("X-Error-Code").orElse("");
        String page = settings.endpoint() + "/" + reference.repository();
        String token = settings.token().isPresent() ? "the token in use does not open it" : "no token is set";
        if (code.equals("RevisionNotFound")) {
            return new HubException(reference.repository() + " has no revision " + reference.revision()
                    + ": see its branches and tags at " + page);
        }
        if (status == 403 || code.equals("GatedRepo")) {
            return new HubException(reference.repository() + " is given only to those who accepted its terms, and "
                    + token + ": accept them at " + page + " and set HF_TOKEN to a token of the same account");
        }
        return switch (status) {
            case 401 ->
                new HubException("there is no public model " + reference.repository() + " at " + settings.endpoint()
                        + ", and " + token + ": check the spelling, or set HF_TOKEN if the model is private");
            case 404 ->
                new HubException("there is no " + reference + " at " + settings.endpoint()
                        + ": check the spelling of name and revision");
            case 416 ->
                new HubException("the hub has no such part of a file of " + reference + ": run it again to start over");
            case 429 ->
                new HubException("the hub refuses more requests for now (429), even after " + retries.attempts()
                        + " tries: wait some minutes, or set HF_TOKEN for a higher limit; what was fetched is kept");
            default ->
                new HubException("the hub answers " + status + " for " + reference + " at " + settings.endpoint()
                        + (status >= 500 ? ": it is in trouble, try again later; what was fetched is kept" : ""));
        };
    }
}
