package org.espalier.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A vocabulary of 256 byte symbols and three special tokens, as both layouts carry it: byte b has id b, {@code <bos>} is 256,
 * {@code <eos>} 257 and {@code <end>} 258.
 */
final class ByteTokenizer {

    static final int BOS = 256;
    static final int EOS = 257;

    private static final ObjectMapper JSON = new ObjectMapper();

    private ByteTokenizer() {}

    /** Printable bytes spell themselves; the others are spelled from U+0100 on, in order. */
    static List<String> tokens() {
        List<String> tokens = new ArrayList<>();
        int next = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b > ' ' && b <= '~' || b >= 0xA1 && b != 0xAD;
            tokens.add(Character.toString(printable ? b : next++));
        }
        tokens.addAll(List.of("<bos>", "<eos>", "<end>"));
        return tokens;
    }

    static Map<String, Object> gguf() {
        List<Integer> types = new ArrayList<>();
        tokens().forEach(token -> types.add(types.size() < 256 ? 1 : 3));
        Map<String, Object> metadata = new LinkedHashMap<>();
        metadata.put("tokenizer.ggml.model", "gpt2");
        metadata.put("tokenizer.ggml.pre", "gpt-2");
        metadata.put("tokenizer.ggml.tokens", tokens());
        metadata.put("tokenizer.ggml.token_type", types);
        metadata.put("tokenizer.ggml.merges", List.of());
        metadata.put("tokenizer.ggml.bos_token_id", BOS);
        metadata.put("tokenizer.ggml.eos_token_id", EOS);
        return metadata;
    }

    /** A document that asks for cutting and padding, as some published ones do; both must be ignored. */
    static ObjectNode json() throws IOException {
        ObjectNode json = (ObjectNode) JSON.readTree(new GgufVocabulary(gguf(), "test").tokenizerJson());
        json.putObject("truncation")
                .put("direction", "Right")
                .put("max_length", 8)
                .put("strategy", "LongestFirst")
                .put("stride", 0);
        ObjectNode padding = json.putObject("padding");
        padding.putObject("strategy").put("Fixed", 16);
        padding.put("direction", "Right").putNull("pad_to_multiple_of");
        padding.put("pad_id", 0).put("pad_type_id", 0).put("pad_token", "!");
        return json;
    }

    /** Makes the post-processor put BOS before a text. */
    static ObjectNode withBosTemplate(ObjectNode json) {
        ObjectNode processor = json.putObject("post_processor").put("type", "TemplateProcessing");
        ArrayNode single = processor.putArray("single");
        single.addObject().putObject("SpecialToken").put("id", "<bos>").put("type_id", 0);
        single.addObject().putObject("Sequence").put("id", "A").put("type_id", 0);
        processor.putArray("pair");
        ObjectNode bos = processor.putObject("special_tokens").putObject("<bos>");
        bos.put("id", "<bos>").putArray("ids").add(BOS);
        bos.putArray("tokens").add("<bos>");
        return json;
    }

    static void write(Path directory, ObjectNode tokenizer, String config) throws IOException {
        Files.write(directory.resolve("tokenizer.json"), JSON.writeValueAsBytes(tokenizer));
        Files.writeString(directory.resolve("tokenizer_config.json"), config);
    }
}
