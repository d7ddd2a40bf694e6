package org.espalier.tokenizer;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.espalier.fuzz.Fuzzing;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged vocabularies: the native library must not be brought down by one. */
class TokenizerFuzzTest {

    private static final long MAX_BYTES = 64 << 20;

    @TempDir
    private Path directory;

    @Test
    void tokenizerJson() throws IOException {
        byte[] bytes = new GgufVocabulary(ByteTokenizer.gguf(), "bytes").tokenizerJson();
        byte[] template = new ObjectMapper().writeValueAsBytes(ByteTokenizer.withBosTemplate(ByteTokenizer.json()));
        byte[] pieces = small(new GgufVocabulary(SentencePieceTest.metadata(), "pieces").tokenizerJson());
        Fuzzing.run("tokenizer.json", List.of(bytes, template, pieces, UNIGRAM), MAX_BYTES, input -> {
            Files.write(directory.resolve("tokenizer.json"), input);
            use(directory);
        });
    }

    @Test
    void sentencePieceModels() throws IOException {
        byte[] model;
        try (InputStream in = TokenizerFuzzTest.class.getResourceAsStream("tiny.model")) {
            model = in.readAllBytes();
        }
        Fuzzing.run("tokenizer.model", List.of(model), MAX_BYTES, input -> {
            Files.write(directory.resolve("tokenizer.model"), input);
            use(directory);
        });
    }

    @Test
    void tiktokenModels() throws IOException {
        byte[] model;
        try (InputStream in = TokenizerFuzzTest.class.getResourceAsStream("tiny.tiktoken")) {
            model = in.readAllBytes();
        }
        byte[] few = "YQ== 0\nYg== 1\nYWI= 2\nIA== 3\n".getBytes(StandardCharsets.US_ASCII);
        Fuzzing.run("tiktoken.model", List.of(model, few), MAX_BYTES, input -> {
            Files.write(directory.resolve("tiktoken.model"), input);
            use(directory);
        });
    }

    @Test
    void tokenizerConfigs() throws IOException {
        ByteTokenizer.write(directory, ByteTokenizer.json(), "{}");
        byte[] config = ("{\"bos_token\": {\"content\": \"<bos>\"}, \"eos_token\": \"<eos>\", \"add_bos_token\": true, "
                        + "\"chat_template\": [{\"name\": \"default\", \"template\": \"{{ messages }}\"}]}")
                .getBytes(StandardCharsets.UTF_8);
        Fuzzing.run("tokenizer_config.json", List.of(config), MAX_BYTES, input -> {
            Files.write(directory.resolve("tokenizer_config.json"), input);
            use(directory);
        });
    }

    private static final byte[] UNIGRAM =
            ("{\"version\":\"1.0\",\"added_tokens\":[],\"normalizer\":{\"type\":\"NFKC\"},\"pre_tokenizer\":"
                            + "{\"type\":\"Metaspace\",\"replacement\":\"\u2581\",\"prepend_scheme\":\"always\",\"split\":true},"
                            + "\"post_processor\":null,\"decoder\":{\"type\":\"Metaspace\",\"replacement\":\"\u2581\","
                            + "\"prepend_scheme\":\"always\",\"split\":true},\"model\":{\"type\":\"Unigram\",\"unk_id\":0,"
                            + "\"vocab\":[[\"<unk>\",0.0],[\"a\",-1.0],[\"b\",-2.0],[\"\u2581a\",-1.5]],\"byte_fallback\":false}}")
                    .getBytes(StandardCharsets.UTF_8);

    private static void use(Path directory) {
        try (Tokenizer tokenizer = Tokenizer.ofDirectory(directory)) {
            int[] ids = tokenizer.encodeWithBos("ab <end> 12 \u00F1\uD83C\uDF33");
            tokenizer.decode(ids, SpecialTokens.KEEP);
            tokenizer.decode(new int[] {0, 3, 200, 1 << 30}, SpecialTokens.SKIP);
        }
    }

    /** The first 60 tokens, so that damage hits structure more often than the list. */
    private static byte[] small(byte[] json) throws IOException {
        ObjectMapper mapper = new ObjectMapper();
        ObjectNode document = (ObjectNode) mapper.readTree(json);
        ObjectNode model = (ObjectNode) document.path("model");
        ObjectNode vocabulary = model.putObject("vocab");
        new ObjectMapper()
                .readTree(json).path("model").path("vocab").properties().stream()
                        .limit(60)
                        .forEach(e -> vocabulary.set(e.getKey(), e.getValue()));
        model.putArray("merges");
        return mapper.writeValueAsBytes(document);
    }
}
