package org.espalier.placement;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.espalier.EspalierException;
import org.espalier.program.Experts;
import org.espalier.slice.Share;
import org.espalier.slice.Shares;

/** The shares of a shard in a placement file: what is whole is left out. */
final class SharesJson {

    private static final Set<String> KEYS = Set.of("heads", "width", "vocabulary", "experts");

    private SharesJson() {}

    static ObjectNode write(Shares shares) {
        ObjectNode json = JsonNodeFactory.instance.objectNode();
        write(json, "heads", shares.heads());
        write(json, "width", shares.width());
        write(json, "vocabulary", shares.vocabulary());
        shares.experts().ifPresent(held -> {
            var list = json.putArray("experts");
            held.forEach(one -> list.addObject()
                    .put("expert", one.expert())
                    .put("replica", one.replica())
                    .put("replicas", one.replicas()));
        });
        return json;
    }

    private static void write(ObjectNode json, String key, Share share) {
        if (!share.isWhole()) {
            json.putObject(key).put("from", share.from()).put("to", share.to()).put("of", share.of());
        }
    }

    /** @throws EspalierException naming the key */
    static Shares read(JsonNode json) {
        keys(json, "shares", KEYS);
        return new Shares(
                share(json, "heads"), share(json, "width"), share(json, "vocabulary"), experts(json.get("experts")));
    }

    private static Share share(JsonNode json, String key) {
        JsonNode share = json.get(key);
        if (share == null) {
            return Share.WHOLE;
        }
        keys(share, key, Set.of("from", "to", "of"));
        int from = number(share, key, "from");
        int to = number(share, key, "to");
        int of = number(share, key, "of");
        try {
            return new Share(from, to, of);
        } catch (EspalierException e) {
            throw new EspalierException(key + ": " + e.getMessage(), e);
        }
    }

    private static Optional<List<Experts.Held>> experts(JsonNode list) {
        if (list == null) {
            return Optional.empty();
        }
        if (!list.isArray()) {
            throw new EspalierException("experts is not a list");
        }
        List<Experts.Held> held = new ArrayList<>();
        for (JsonNode one : list) {
            keys(one, "experts", Set.of("expert", "replica", "replicas"));
            held.add(held(
                    number(one, "experts", "expert"),
                    one.has("replica") ? number(one, "experts", "replica") : 0,
                    one.has("replicas") ? number(one, "experts", "replicas") : 1));
        }
        return Optional.of(held);
    }

    /** @throws EspalierException if there is no such replica */
    static Experts.Held held(int expert, int replica, int replicas) {
        try {
            return new Experts.Held(expert, replica, replicas);
        } catch (IllegalArgumentException e) {
            throw new EspalierException(e.getMessage(), e);
        }
    }

    private static int number(JsonNode json, String place, String key) {
        JsonNode value = json.get(key);
        if (value == null || !value.isIntegralNumber() || !value.canConvertToInt()) {
            throw new EspalierException(place + "." + key + " is missing or not an integer");
        }
        return value.intValue();
    }

    private static void keys(JsonNode json, String place, Set<String> known) {
        if (!json.isObject()) {
            throw new EspalierException(place + " is not an object");
        }
        for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
            String name = names.next();
            if (!known.contains(name)) {
                throw new EspalierException("there is no key '" + name + "' in " + place);
            }
        }
    }
}
