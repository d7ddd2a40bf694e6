package org.espalier;

import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Opens the files of models, and only regular ones: to open a named pipe, a device or a socket may wait for ever, or its bytes have no end. */
public final class RegularFile {

    /** The most bytes of a file that is read whole; the largest published tokenizer.json has 33 MB. */
    public static final int MOST_BYTES = 64 << 20;

    private static final ThreadLocal<Consumer<Path>> WATCHED = new ThreadLocal<>();

    private RegularFile() {}

    /** Does work of this thread that opens files, and says before each which it is: one on a share that does not answer is never opened. */
    public static <T> T watched(Consumer<Path> opens, Supplier<T> work) {
        WATCHED.set(opens);
        try {
            return work.get();
        } finally {
            WATCHED.remove();
        }
    }

    /** Whether a folder has an entry of that name, or does not let anybody look: whatever it is, opening it says why it cannot be read. */
    public static boolean isNamed(Path file) {
        return !Files.notExists(file, LinkOption.NOFOLLOW_LINKS);
    }

    /**
     * Opens a file for reading.
     *
     * @throws IOException whose {@link EspalierException#reason} says what else the file is
     */
    public static FileChannel open(Path file) throws IOException {
        Consumer<Path> opens = WATCHED.get();
        if (opens != null) {
            opens.accept(file);
        }
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        if (!attributes.isRegularFile()) {
            String what = attributes.isDirectory() ? "a folder" : "a pipe, a device or a socket";
            throw new FileSystemException(file.toString(), null, "it is " + what + ", expected a regular file");
        }
        return FileChannel.open(file, StandardOpenOption.READ);
    }

    /**
     * The bytes of a whole file.
     *
     * @param most bytes, below 2^31 - 1; more are refused before they are read
     * @throws IOException whose {@link EspalierException#reason} says why
     */
    public static byte[] read(Path file, int most) throws IOException {
        try (FileChannel channel = open(file)) {
            require(file, channel.size(), most);
            byte[] bytes = Channels.newInputStream(channel).readNBytes(most + 1);
            require(file, bytes.length, most); // it may have grown
            return bytes;
        }
    }

    private static void require(Path file, long bytes, long most) throws IOException {
        if (bytes > most) {
            throw new FileSystemException(
                    file.toString(), null, "it has " + bytes + " bytes, expected at most " + most);
        }
    }
}
