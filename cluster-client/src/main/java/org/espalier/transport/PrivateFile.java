package org.espalier.transport;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import org.espalier.EspalierException;
import org.espalier.RegularFile;

/** Files that nobody but their user may read: keys, passwords, secrets. */
final class PrivateFile {

    /** A key store with two certificates has 2 KB. */
    private static final int MOST_BYTES = 1 << 20;

    private static final Set<PosixFilePermission> FILE = PosixFilePermissions.fromString("rw-------");
    private static final Set<PosixFilePermission> FOLDER = PosixFilePermissions.fromString("rwx------");

    private PrivateFile() {}

    /**
     * The bytes of a file.
     *
     * @param what it is, for messages
     * @throws EspalierException if it cannot be read, or others may read it too
     */
    static byte[] read(Path file, String what) {
        try {
            if (isPosix(file)) {
                Set<PosixFilePermission> allowed = Files.getPosixFilePermissions(file);
                if (!FILE.containsAll(allowed)) {
                    throw new EspalierException("other users of this machine may read " + what + " " + file + " ("
                            + PosixFilePermissions.toString(allowed) + "): run `chmod 600 " + file + "`");
                }
            }
            return RegularFile.read(file, MOST_BYTES);
        } catch (NoSuchFileException e) {
            throw new EspalierException("there is no " + file + ", which has " + what, e);
        } catch (IOException e) {
            throw new EspalierException(
                    "cannot read " + what + " " + file + ": " + EspalierException.reason(e, file), e);
        }
    }

    /**
     * A folder in which nobody but its user, and root, may put one file in place of another.
     *
     * @param what it is, for messages
     * @throws EspalierException if others may
     */
    static void requireOwnFolder(Path folder, String what) {
        try {
            if (isPosix(folder)) {
                Set<PosixFilePermission> allowed = Files.getPosixFilePermissions(folder);
                if (allowed.contains(PosixFilePermission.GROUP_WRITE)
                        || allowed.contains(PosixFilePermission.OTHERS_WRITE)) {
                    throw new EspalierException("other users of this machine may change " + what + " in " + folder
                            + " (" + PosixFilePermissions.toString(allowed) + "): run `chmod 700 " + folder + "`");
                }
            }
        } catch (IOException e) {
            throw new EspalierException("cannot read " + folder + ": " + EspalierException.reason(e, folder), e);
        }
    }

    /** The first line, without the blanks around it. */
    static String firstLine(Path file, String what) {
        return new String(read(file, what), StandardCharsets.UTF_8)
                .lines()
                .findFirst()
                .orElse("")
                .strip();
    }

    /** @throws FileAlreadyExistsException if the file is there */
    static void write(Path file, String text) throws IOException {
        if (isPosix(file.getParent())) {
            Files.createFile(file, PosixFilePermissions.asFileAttribute(FILE));
        } else {
            Files.createFile(file);
        }
        Files.writeString(file, text);
    }

    /** A folder that only its user may enter, unless it is there already. */
    static void folder(Path folder) throws IOException {
        if (Files.isDirectory(folder)) {
            return;
        }
        Files.createDirectories(folder.toAbsolutePath().getParent());
        if (isPosix(folder.toAbsolutePath().getParent())) {
            Files.createDirectory(folder, PosixFilePermissions.asFileAttribute(FOLDER));
        } else {
            Files.createDirectory(folder);
        }
    }

    /** A new folder that only its user may enter, beside where it will be moved to. */
    static Path temporaryFolder(Path parent, String name) throws IOException {
        return isPosix(parent)
                ? Files.createTempDirectory(parent, "." + name + "-", PosixFilePermissions.asFileAttribute(FOLDER))
                : Files.createTempDirectory(parent, "." + name + "-");
    }

    /** For a file that another program made. */
    static void protect(Path file) throws IOException {
        if (isPosix(file)) {
            Files.setPosixFilePermissions(file, FILE);
        }
    }

    private static boolean isPosix(Path file) throws IOException {
        return Files.getFileStore(file).supportsFileAttributeView("posix");
    }
}
