package org.espalier.hub;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;

/** Requests to the hub, and what its refusals mean. */
final class HubConnection {

    private static final int MAX_ANSWER = 64 << 20;

    private final HubSettings settings;
    private final RetryPolicy retries;
    private final WebConnection web;

    /** @param stall after so long without a byte a connection is given up */
    HubConnection(HubSettings settings, RetryPolicy retries, Duration stall) {
        this.settings = settings;
        this.retries = retries;
        this.web = new WebConnection(settings.endpoint(), settings.token(), retries, stall);
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

    /** Where a file's bytes come from. */
    FileOrigin origin(HubReference reference, String commit, HubFile file) {
        return new FileOrigin(file.name() + " of " + reference, uri(reference, commit, file), web, refusal(reference));
    }

    /** Waits, unless this failed too often. */
    void again(int attempt, String what, IOException failure) throws InterruptedException {
        web.again(attempt, what, failure);
    }

    private HttpResponse<HubBody> open(URI uri, HubReference reference, long from)
            throws IOException, InterruptedException {
        return web.open(uri, refusal(reference), from, "");
    }

    private WebConnection.Refusal refusal(HubReference reference) {
        return (status, headers) -> refused(status, headers, reference);
    }

    /** The answer from byte {@code from} to byte {@code last}; 206, since everything is never asked for. */
    HttpResponse<HubBody> openPart(URI uri, HubReference reference, long from, long last)
            throws IOException, InterruptedException {
        HttpResponse<HubBody> response = web.open(uri, refusal(reference), from, Long.toString(last));
        String range = response.headers().firstValue("Content-Range").orElse("");
        if (response.statusCode() != 206 || !range.startsWith("bytes " + from + "-")) {
            response.body().close();
            throw new HubException(settings.endpoint() + " does not give parts of files: pull " + reference + " whole");
        }
        return response;
    }

    private HubException refused(int status, HttpHeaders headers, HubReference reference) {
        String code = headers.firstValue("X-Error-Code").orElse("");
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
