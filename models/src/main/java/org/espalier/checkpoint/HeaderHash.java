package org.espalier.checkpoint;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * A fingerprint of a checkpoint that costs as little for 400 GB as for one: the SHA-256 of what says which tensors there are and how to compute with
 * them, never of weights. That is {@code model.safetensors.index.json}, or the header of the one safetensors file, and then {@code config.json}
 * with sorted keys and without white space; of a GGUF file everything before the tensors' data (metadata, tokenizer and tensor table), one part
 * after the other. It distinguishes layouts, quantizations, configs and truncated files, but not two trainings of one model with the same headers.
 */
public final class HeaderHash {
    private static final int BUFFER = 64 * 1024;

    private HeaderHash() {}

    /**
     * 64 lowercase hexadecimal digits.
     *
     * @param path what {@link Checkpoint#open} takes
     * @throws CheckpointException if there is no checkpoint, or what is hashed is cut off or malformed
     */
    public static String of(Path path) {
        MessageDigest digest = sha256();
        if (!Files.isDirectory(path)) {
            addGguf(path, digest);
        } else if (Files.exists(path.resolve(Layouts.CONFIG))) {
            addWeights(path, digest);
            digest.update(JsonFile.canonical(path.resolve(Layouts.CONFIG)));
        } else {
            addGguf(Layouts.onlyGguf(path), digest);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void addWeights(Path directory, MessageDigest digest) {
        Path single = directory.resolve(SafetensorsDirectory.SINGLE);
        if (Files.exists(single)) {
            addSafetensors(single, digest);
        } else {
            addIndex(SafetensorsDirectory.index(directory), digest);
        }
    }

    private static void addIndex(Path index, MessageDigest digest) {
        JsonFile.read(index); // as far as it is believed: an object of limited size
        try (LittleEndianFile file = LittleEndianFile.open(index)) {
            add(index, file.length(), digest);
        }
    }

    private static void addSafetensors(Path path, MessageDigest digest) {
        SafetensorsFile.read(path);
        try (LittleEndianFile file = LittleEndianFile.open(path)) {
            long header = file.int64("the length of the safetensors header");
            add(path, Long.BYTES + header, digest);
        }
    }

    private static void addGguf(Path path, MessageDigest digest) {
        for (GgufFile part : GgufParts.open(path)) {
            try (LittleEndianFile file = LittleEndianFile.open(part.path())) {
                new GgufHeader(file).read();
                add(part.path(), file.position(), digest);
            }
        }
    }

    /** The first bytes of a file. */
    private static void add(Path path, long count, MessageDigest digest) {
        try (LittleEndianFile file = LittleEndianFile.open(path)) {
            for (long left = count; left > 0; left -= BUFFER) {
                digest.update(file.bytes(Math.min(BUFFER, left), "what is hashed"));
            }
        }
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java has SHA-256", e);
        }
    }
}
