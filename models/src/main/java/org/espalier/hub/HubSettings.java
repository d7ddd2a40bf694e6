package org.espalier.hub;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.espalier.EspalierException;

/**
 * Where the hub is and where its files go; the same variables as the Python client's.
 *
 * @param endpoint {@code HF_ENDPOINT}
 * @param cache {@code HF_HUB_CACHE}, else {@code HF_HOME/hub}, else {@code ~/.cache/huggingface/hub}
 * @param token {@code HF_TOKEN}, else what the file {@code HF_HOME/token} holds
 * @param access {@code OFFLINE} with {@code HF_HUB_OFFLINE}
 */
public record HubSettings(URI endpoint, Path cache, Optional<String> token, Access access) {

    public enum Access {
        ONLINE,
        OFFLINE
    }

    public static HubSettings ofEnvironment() {
        return of(System.getenv(), Path.of(System.getProperty("user.home")));
    }

    static HubSettings of(Map<String, String> environment, Path home) {
        Path hubHome = Optional.ofNullable(environment.get("HF_HOME"))
                .map(Path::of)
                .orElse(home.resolve(".cache").resolve("huggingface"));
        Path cache = Optional.ofNullable(environment.get("HF_HUB_CACHE"))
                .map(Path::of)
                .orElse(hubHome.resolve("hub"));
        String endpoint = environment.getOrDefault("HF_ENDPOINT", "https://huggingface.co");
        boolean offline = isSet(environment.getOrDefault("HF_HUB_OFFLINE", ""));
        return new HubSettings(
                endpoint(endpoint), cache, token(environment, hubHome), offline ? Access.OFFLINE : Access.ONLINE);
    }

    private static boolean isSet(String value) {
        return !value.isEmpty() && !value.equals("0") && !value.equalsIgnoreCase("false");
    }

    private static URI endpoint(String text) {
        try {
            URI endpoint = URI.create(text.endsWith("/") ? text.substring(0, text.length() - 1) : text);
            if (endpoint.getHost() != null
                    && ("http".equals(endpoint.getScheme()) || "https".equals(endpoint.getScheme()))) {
                return endpoint;
            }
        } catch (IllegalArgumentException e) {
            throw new HubException("HF_ENDPOINT is " + text + ", expected an address like https://huggingface.co", e);
        }
        throw new HubException("HF_ENDPOINT is " + text + ", expected an address like https://huggingface.co");
    }

    private static Optional<String> token(Map<String, String> environment, Path hubHome) {
        String token = environment.getOrDefault("HF_TOKEN", "").strip();
        Path file = hubHome.resolve("token");
        if (token.isEmpty() && Files.isReadable(file)) {
            try {
                token = Files.readString(file).strip();
            } catch (IOException e) {
                throw new HubException(
                        "cannot read the hub's token in " + file + ": " + EspalierException.reason(e, file), e);
            }
        }
        return token.isEmpty() ? Optional.empty() : Optional.of(token);
    }

    public HubSettings withAccess(Access other) {
        return new HubSettings(endpoint, cache, token, other);
    }

    /** Without the token: what a notebook shows may be published. */
    @Override
    public String toString() {
        return "HubSettings[endpoint=" + endpoint + ", cache=" + cache + ", token="
                + token.map(set -> "(set, not shown)").orElse("(none)") + ", access=" + access + "]";
    }
}
