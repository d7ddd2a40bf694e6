package org.espalier.placement;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.cfg.MutableCoercionConfig;
import com.fasterxml.jackson.databind.exc.MismatchedInputException;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.EspalierException;
import org.espalier.RegularFile;
import org.espalier.Remedy;
import org.espalier.slice.Shares;

/** A placement as JSON, to keep, edit and give back with {@code --placement FILE.json}. */
public final class PlacementFile {

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
            .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
            .withCoercionConfig(LogicalType.Textual, PlacementFile::refuseNumbers)
            .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
            .build();

    private PlacementFile() {}

    private static void refuseNumbers(MutableCoercionConfig texts) {
        texts.setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
                .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
                .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
    }

    /** @throws PlacementException if the file cannot be written */
    public static void write(Placement placement, Path file) {
        try {
            Files.writeString(file, JSON.writeValueAsString(json(placement)) + "\n");
        } catch (IOException e) {
            throw new PlacementException(
                    "cannot write the placement to " + file + ": " + EspalierException.reason(e, file), e);
        }
    }

    /** A placement of whole layers; shares are beside it, where a shard has any. */
    private record Layers(String strategy, int layers, List<Range> shards) {}

    private record Range(String node, int firstLayer, int endLayer) {}

    private static JsonNode json(Placement placement) {
        Layers layers = new Layers(
                placement.strategy(),
                placement.layers(),
                placement.shards().stream()
                        .map(shard -> new Range(shard.node(), shard.firstLayer(), shard.endLayer()))
                        .toList());
        ObjectNode json = JSON.valueToTree(layers);
        for (int i = 0; i < placement.shards().size(); i++) {
            Shares shares = placement.shards().get(i).shares();
            if (!shares.isAll()) {
                ((ObjectNode) json.get("shards").get(i)).set("shares", SharesJson.write(shares));
            }
        }
        return json;
    }

    private static Shares shares(JsonNode json, int shard) {
        try {
            return SharesJson.read(json);
        } catch (EspalierException e) {
            throw new EspalierException("shards[" + shard + "].shares: " + e.getMessage(), e);
        }
    }

    /** @throws EspalierException if shares do not exist */
    private static Placement placement(JsonNode json) throws JsonProcessingException {
        List<Shares> shares = new ArrayList<>();
        for (JsonNode shard : json.path("shards")) {
            JsonNode own = shard instanceof ObjectNode object ? object.remove("shares") : null;
            shares.add(own == null ? Shares.ALL : shares(own, shares.size()));
        }
        Layers layers = JSON.treeToValue(json, Layers.class);
        if (layers == null) {
            return null;
        }
        List<Placement.Shard> shards = new ArrayList<>();
        for (Range range : layers.shards()) {
            shards.add(
                    new Placement.Shard(range.node(), range.firstLayer(), range.endLayer(), shares.get(shards.size())));
        }
        return new Placement(layers.strategy(), layers.layers(), shards);
    }

    /** @throws PlacementException if the file is missing or not a placement; whether it fits the model is checked by {@link Placement#check} */
    public static Placement read(Path file) {
        Placement placement = parse(file);
        if (placement == null) {
            throw new PlacementException(
                    file + " is not a placement: expected an object with strategy, layers and shards, found null");
        }
        return placement;
    }

    private static Placement parse(Path file) {
        if (!Files.isRegularFile(file)) {
            throw new PlacementException("there is no placement file " + file, Remedy.PLAN_PLACEMENT);
        }
        try {
            return placement(JSON.readTree(RegularFile.read(file, RegularFile.MOST_BYTES)));
        } catch (JsonProcessingException e) {
            throw new PlacementException(file + " is not a placement: " + wrong(e), e);
        } catch (EspalierException e) {
            throw new PlacementException(file + " is not a placement: " + e.getMessage(), e);
        } catch (IOException e) {
            throw new PlacementException(
                    "cannot read the placement file " + file + ": " + EspalierException.reason(e, file), e);
        }
    }

    private static String wrong(JsonProcessingException e) {
        if (e instanceof UnrecognizedPropertyException unknown) {
            return "there is no key '" + unknown.getPropertyName() + "' in one";
        }
        if (!(e instanceof MismatchedInputException mismatch)) {
            return e.getOriginalMessage();
        }
        StringBuilder key = new StringBuilder();
        for (JsonMappingException.Reference step : mismatch.getPath()) {
            key.append(step.getFieldName() == null ? "[" + step.getIndex() + "]" : "." + step.getFieldName());
        }
        return key.isEmpty()
                ? "expected an object with strategy, layers and shards"
                : key.substring(1) + " is missing or not of the right type (strings for names, integers for layers)";
    }
}
