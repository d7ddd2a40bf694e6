package org.espalier.tokenizer;

import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.espalier.RegularFile;
import org.espalier.tokenizer.SentencePieceBpe.SpacePrefix;

/**
 * The tokenizer files of a published checkpoint.
 *
 * @param tokenizerJson as published, or made from the vocabulary's own format
 * @param vocabularyFile for messages
 */
record TokenizerDirectory(byte[] tokenizerJson, TokenizerConfig config, String vocabularyFile) {

    static TokenizerDirectory open(Path directory) throws IOException {
        Path json = directory.resolve("tokenizer.json");
        if (RegularFile.isNamed(json)) {
            return new TokenizerDirectory(
                    RegularFile.read(json, RegularFile.MOST_BYTES),
                    TokenizerConfig.ofDirectory(directory, false),
                    json.toString());
        }
        Path sentencePiece = directory.resolve("tokenizer.model");
        if (RegularFile.isNamed(sentencePiece)) {
            return ofSentencePiece(directory, sentencePiece);
        }
        Path tiktoken = directory.resolve("tiktoken.model");
        if (RegularFile.isNamed(tiktoken)) {
            ByteLevelBpe vocabulary = TiktokenRanks.read(
                    RegularFile.read(tiktoken, RegularFile.MOST_BYTES),
                    TokenizerConfig.json(directory, "tokenizer_config.json"),
                    tiktoken.toString());
            return new TokenizerDirectory(
                    vocabulary.tokenizerJson(), TokenizerConfig.ofDirectory(directory, false), tiktoken.toString());
        }
        throw new TokenizerException("there is no tokenizer.json in " + directory
                + " (nor a tokenizer.model or tiktoken.model): copy it from the published checkpoint");
    }

    /** Whether a directory has one of the files that {@link #open} reads, or would read if it could. */
    static boolean exists(Path directory) {
        return Stream.of("tokenizer.json", "tokenizer.model", "tiktoken.model")
                .anyMatch(name -> RegularFile.isNamed(directory.resolve(name)));
    }

    /** Files without {@code "legacy": false} come from a time when transformers put a space after each special token too. */
    private static TokenizerDirectory ofSentencePiece(Path directory, Path model) throws IOException {
        boolean legacy = TokenizerConfig.json(directory, "tokenizer_config.json")
                .path("legacy")
                .asBoolean(true);
        SpacePrefix prefix = legacy ? SpacePrefix.EVERY_SEGMENT : SpacePrefix.FIRST;
        SentencePieceBpe vocabulary =
                SentencePieceModel.read(RegularFile.read(model, RegularFile.MOST_BYTES), model.toString(), prefix);
        return new TokenizerDirectory(
                vocabulary.tokenizerJson(), TokenizerConfig.ofDirectory(directory, true), model.toString());
    }
}
