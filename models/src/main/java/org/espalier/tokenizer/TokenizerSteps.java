package org.espalier.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.Map;
import java.util.Set;

/**
 * Checks the steps of a {@code tokenizer.json} before the native library sees them. The library does not return an error for what it
 * did not expect but ends the process, and the file comes from the network; so only steps that are known are let through, and those
 * of which it is known what brings the library down are looked into.
 */
final class TokenizerSteps {

    /** What may stand under each of the document's fields. */
    private static final Map<String, Set<String>> KNOWN = Map.of(
            "normalizer",
            Set.of(
                    "NFC",
                    "NFD",
                    "NFKC",
                    "NFKD",
                    "Lowercase",
                    "StripAccents",
                    "BertNormalizer",
                    "Sequence",
                    "Replace",
                    "Prepend",
                    "Strip",
                    "ByteLevel"),
            "pre_tokenizer",
            Set.of(
                    "ByteLevel",
                    "Split",
                    "Digits",
                    "Metaspace",
                    "Whitespace",
                    "WhitespaceSplit",
                    "Punctuation",
                    "BertPreTokenizer",
                    "Sequence"),
            "post_processor",
            Set.of("ByteLevel", "TemplateProcessing", "BertProcessing", "RobertaProcessing", "Sequence"),
            "decoder",
            Set.of(
                    "ByteLevel",
                    "Replace",
                    "ByteFallback",
                    "Fuse",
                    "Strip",
                    "Metaspace",
                    "WordPiece",
                    "BPEDecoder",
                    "Sequence"));

    private final String source;

    TokenizerSteps(String source) {
        this.source = source;
    }

    static boolean isSteps(String field) {
        return KNOWN.containsKey(field);
    }

    /** @throws TokenizerException naming the step that is unknown or that the library cannot take */
    void check(String field, JsonNode step) {
        if (step.isNull()) {
            return;
        }
        String type = step.path("type").asText();
        if (!KNOWN.get(field).contains(type)) {
            throw refused(
                    field,
                    type,
                    "known are "
                            + String.join(
                                    ", ", KNOWN.get(field).stream().sorted().toList()));
        }
        for (JsonNode children : step) {
            if (type.equals("Sequence") && children.isArray()) {
                children.forEach(child -> check(field, child));
            }
        }
        JsonNode regex = step.path("pattern").path("Regex");
        if (regex.isTextual() && !RegexCost.isBounded(regex.textValue())) {
            throw refused(
                    field,
                    type,
                    "its regular expression \"" + start(regex.textValue()) + "\" may take forever on some texts");
        }
        if (field.equals("decoder") && type.equals("Strip") && step.path("stop").asInt(-1) != 0) {
            throw refused(field, type, "only its start can be stripped, its stop must be 0");
        }
        if (type.equals("TemplateProcessing")) {
            checkTemplate(step, "single");
            checkTemplate(step, "pair");
        }
    }

    /** Every special token of a template must be one that it defines; a text alone has no second sequence. */
    private void checkTemplate(JsonNode step, String name) {
        JsonNode pieces = step.path(name);
        boolean fits = pieces.isArray();
        for (JsonNode piece : pieces) {
            JsonNode special = piece.path("SpecialToken").path("id");
            JsonNode sequence = piece.path("Sequence").path("id");
            fits &= special.isTextual()
                    ? step.path("special_tokens")
                            .path(special.textValue())
                            .path("ids")
                            .isArray()
                    : sequence.asText().equals("A")
                            || name.equals("pair") && sequence.asText().equals("B");
        }
        if (!fits) {
            throw refused(
                    "post_processor",
                    "TemplateProcessing",
                    "its template \"" + name + "\" names a sequence or a token that is not in special_tokens");
        }
    }

    /** A prefix that tokens do not have makes the library cut them at places that they do not have. */
    void checkPrefix(String modelType, String prefix) {
        if (!modelType.equals("WordPiece") && prefix != null && !prefix.isEmpty()) {
            throw refused("model", modelType, "a continuing_subword_prefix is not supported");
        }
    }

    private TokenizerException refused(String field, String type, String why) {
        return new TokenizerException(source + " has the " + field + " \"" + start(type) + "\": " + why
                + "; fetch it again from the published checkpoint, or open an issue if it is like that there");
    }

    private static String start(String text) {
        return text.length() > 80 ? text.substring(0, 80) + "..." : text;
    }
}
