package org.espalier.tokenizer;

import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.espalier.EspalierException;

/**
 * The tokenizer of one checkpoint: text to token ids and back. Texts of any length are encoded whole. Safe to use from several threads
 * until it is closed.
 */
public final class Tokenizer implements AutoCloseable {

    private static final int MAX_SPACES = 4_000_000;

    private final HuggingFaceTokenizer library;
    private final Vocabulary vocabulary;
    private final TokenizerConfig config;
    private final String source;
    private final OptionalInt bosId;
    private final OptionalInt eosId;
    private final boolean prependsBos;

    private Tokenizer(byte[] tokenizerJson, TokenizerConfig config, String source) {
        this.config = config;
        this.source = source;
        this.vocabulary = Vocabulary.read(tokenizerJson, source);
        this.bosId = idOf(config.bosToken(), "bos_token", source);
        this.eosId = idOf(config.eosToken(), "eos_token", source);
        if (config.addBos() && bosId.isEmpty()) {
            throw new TokenizerException(source + " asks for add_bos_token but names no bos_token: add one to it");
        }
        this.library = TokenizersLibrary.open(tokenizerJson, source);
        this.prependsBos = config.addBos() && !postProcessorAddsBos();
    }

    /**
     * Reads {@code tokenizer.json}, else SentencePiece's {@code tokenizer.model}, else {@code tiktoken.model}; and what {@link
     * TokenizerConfig} reads.
     *
     * @throws TokenizerException if there is no usable vocabulary in the directory
     */
    public static Tokenizer ofDirectory(Path directory) {
        try {
            TokenizerDirectory files = TokenizerDirectory.open(directory);
            return new Tokenizer(files.tokenizerJson(), files.config(), files.vocabularyFile());
        } catch (IOException e) {
            throw new TokenizerException(
                    "cannot read the tokenizer of " + directory + ": " + EspalierException.reason(e, directory), e);
        }
    }

    /** Whether a directory has a vocabulary that {@link #ofDirectory} reads, or says why it cannot. */
    public static boolean isIn(Path directory) {
        return TokenizerDirectory.exists(directory);
    }

    /**
     * Builds the tokenizer that a GGUF file carries in its metadata.
     *
     * @param metadata the file's keys; strings as {@link String}, numbers as {@link Number}, booleans as {@link Boolean}, arrays as
     *     {@link java.util.List}
     * @param source the file's name, for messages
     * @throws TokenizerException if the vocabulary is of an unknown kind or does not fit together
     */
    public static Tokenizer ofGguf(Map<String, ?> metadata, String source) {
        GgufVocabulary vocabulary = new GgufVocabulary(metadata, source);
        return new Tokenizer(vocabulary.tokenizerJson(), vocabulary.config(), source);
    }

    /** Ids of the text alone; special tokens written out in the text are recognized, none is added. */
    public int[] encode(String text) {
        return ids(text, false);
    }

    /** Ids of a text as a prompt: with whatever the tokenizer puts around one, such as a begin-of-sequence token. */
    public int[] encodeWithBos(String text) {
        int[] ids = ids(text, true);
        if (!prependsBos) {
            return ids;
        }
        int[] withBos = new int[ids.length + 1];
        withBos[0] = bosId.getAsInt();
        System.arraycopy(ids, 0, withBos, 1, ids.length);
        return withBos;
    }

    /** The text of the ids, without special tokens. */
    public String decode(int... ids) {
        return decode(ids, SpecialTokens.SKIP);
    }

    /** The text of the ids, without special tokens. */
    public String decode(List<Integer> ids) {
        return decode(ids.stream().mapToInt(Integer::intValue).toArray());
    }

    /** The text of the ids; bytes that are not UTF-8 become U+FFFD, ids outside the vocabulary become nothing. */
    public String decode(int[] ids, SpecialTokens specialTokens) {
        long[] wide = new long[ids.length];
        for (int i = 0; i < ids.length; i++) {
            wide[i] = ids[i];
        }
        try {
            return library.decode(wide, specialTokens == SpecialTokens.SKIP);
        } catch (RuntimeException e) {
            throw failed("decode", e);
        }
    }

    /** The begin-of-sequence token, whether or not {@link #encodeWithBos} adds it. */
    public OptionalInt bosId() {
        return bosId;
    }

    /** The end-of-sequence token; a model may name more of them in its own configuration. */
    public OptionalInt eosId() {
        return eosId;
    }

    /** The text of {@link #bosId}, as chat templates want it. */
    public Optional<String> bosToken() {
        return config.bosToken();
    }

    /** The text of {@link #eosId}. */
    public Optional<String> eosToken() {
        return config.eosToken();
    }

    /** The source of the checkpoint's chat template, in Jinja. */
    public Optional<String> chatTemplate() {
        return config.chatTemplate();
    }

    /** V, the number of tokens, special ones included; a model's embedding may have more rows. */
    public int vocabularySize() {
        return vocabulary.size();
    }

    /** The id of a token as the vocabulary spells it (byte-level vocabularies write a space as U+0120). */
    public OptionalInt idOf(String token) {
        return vocabulary.idOf(token);
    }

    @Override
    public void close() {
        library.close();
    }

    @Override
    public String toString() {
        return "tokenizer of " + source + ", " + vocabularySize() + " tokens";
    }

    private int[] ids(String text, boolean addSpecialTokens) {
        refuseEndlessSpace(text);
        long[] wide;
        try {
            wide = library.encode(wellFormed(text), addSpecialTokens, false).getIds();
        } catch (RuntimeException e) {
            throw failed("encode", e);
        }
        int[] ids = new int[wide.length];
        for (int i = 0; i < ids.length; i++) {
            ids[i] = Math.toIntExact(wide[i]);
        }
        return ids;
    }

    /** What loads may still not fit together, such as a text with characters for which there is no token and no unknown token. */
    private TokenizerException failed(String what, RuntimeException e) {
        return new TokenizerException(
                "the tokenizer of " + source + " cannot " + what + " this (" + e.getMessage()
                        + "): fetch it again from the published checkpoint",
                e);
    }

    /** The library's matcher ends the process where white space in a row makes it try more than ten million ways. */
    private static void refuseEndlessSpace(String text) {
        if (text.length() <= MAX_SPACES) {
            return;
        }
        int run = 0;
        for (int i = 0; i < text.length(); i++) {
            run = Character.isWhitespace(text.charAt(i)) || Character.isSpaceChar(text.charAt(i)) ? run + 1 : 0;
            if (run > MAX_SPACES) {
                throw new TokenizerException("the text has more than " + MAX_SPACES
                        + " spaces or newlines in a row, which cannot be split into tokens: shorten them");
            }
        }
    }

    private boolean postProcessorAddsBos() {
        int[] ids = ids("", true);
        return ids.length > 0 && ids[0] == bosId.getAsInt();
    }

    private OptionalInt idOf(Optional<String> token, String key, String source) {
        if (token.isEmpty()) {
            return OptionalInt.empty();
        }
        OptionalInt id = vocabulary.idOf(token.get());
        if (id.isEmpty()) {
            throw new TokenizerException(key + " is \"" + token.get() + "\", which is not in the vocabulary of "
                    + source + ": correct one of them");
        }
        return id;
    }

    /** UTF-8 has no unpaired surrogates: each becomes U+FFFD before the text crosses into native code. */
    private static String wellFormed(String text) {
        StringBuilder repaired = null;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
                i++;
            } else if (Character.isSurrogate(c)) {
                repaired = repaired == null ? new StringBuilder(text) : repaired;
                repaired.setCharAt(i, '\uFFFD');
            }
        }
        return repaired == null ? text : repaired.toString();
    }
}
