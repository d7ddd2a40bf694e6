package org.espalier.hub;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The right to write one file of the cache, among processes and within this one. Its file is never deleted: whoever deletes one that another
 * process holds lets a third lock a new file of that name.
 */
public final class DownloadLock implements AutoCloseable {

    private static final long BETWEEN_TRIES_MILLIS = 100;

    /** Asked before a file is opened: closing any channel of a file gives up this process's lock of it on some systems. */
    private static final Set<Path> HELD_HERE = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private DownloadLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Empty if somebody else has it. */
    static Optional<DownloadLock> of(Path file) throws IOException {
        Path whole = file.toAbsolutePath().normalize();
        if (!HELD_HERE.add(whole)) {
            return Optional.empty();
        }
        FileChannel channel = null;
        FileLock lock = null;
        try {
            Files.createDirectories(whole.getParent());
            channel = FileChannel.open(whole, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
            lock = channel.tryLock();
            return lock == null ? Optional.empty() : Optional.of(new DownloadLock(whole, channel));
        } catch (OverlappingFileLockException e) { // held here under another path
            return Optional.empty();
        } finally {
            if (lock == null) {
                release(whole, channel);
            }
        }
    }

    /**
     * Waits until nobody else has it.
     *
     * @throws HubException when that takes longer than {@code most}
     */
    public static DownloadLock await(Path file, Duration most) throws IOException, InterruptedException {
        long end = System.nanoTime() + most.toNanos();
        for (Optional<DownloadLock> lock; ; Thread.sleep(BETWEEN_TRIES_MILLIS)) {
            lock = of(file);
            if (lock.isPresent()) {
                return lock.get();
            }
            if (System.nanoTime() > end) {
                throw new HubException("another process has held " + file + " for " + most.toMinutes()
                        + " minutes: end it, and run this again");
            }
        }
    }

    private static void release(Path file, FileChannel channel) throws IOException {
        try {
            if (channel != null) {
                channel.close();
            }
        } finally {
            HELD_HERE.remove(file);
        }
    }

    @Override
    public void close() throws IOException {
        release(file, channel);
    }
}
