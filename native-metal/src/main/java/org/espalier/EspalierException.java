package org.espalier;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Something a user can act on failed: the message is one clear sentence that says what, where, what was expected and found, and
 * what to do next. Shown without a stack trace.
 */
public class EspalierException extends RuntimeException {

    private final Remedy remedy;

    public EspalierException(String message) {
        this(message, Optional.empty(), null);
    }

    public EspalierException(String message, Throwable cause) {
        this(message, Optional.empty(), cause);
    }

    /** @param what failed: the message without advice */
    public EspalierException(String what, Remedy remedy) {
        this(what, Optional.of(remedy), null);
    }

    /**
     * @param what failed: the message without advice
     * @param cause may be null
     */
    public EspalierException(String what, Optional<Remedy> remedy, Throwable cause) {
        super(what, cause);
        this.remedy = remedy.orElse(null);
    }

    /**
     * Why a file could not be read or written, for the end of a sentence: the messages of many of these exceptions are only a path.
     *
     * @param named what the sentence names already; another file that failed is added
     */
    public static String reason(IOException e, Path named) {
        if (!(e instanceof FileSystemException known)) {
            return e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
        }
        boolean isNamed = known.getFile() == null || Path.of(known.getFile()).equals(named);
        return words(known) + (isNamed ? "" : " (" + known.getFile() + ")");
    }

    private static String words(FileSystemException e) {
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        } else if (e instanceof NoSuchFileException) {
            return "no such file or folder";
        } else if (e instanceof FileAlreadyExistsException) {
            return "it already exists";
        } else if (e instanceof NotDirectoryException) {
            return "not a folder";
        }
        return e.getReason() == null ? e.getClass().getSimpleName() : e.getReason();
    }

    /** The message without the remedy, for front ends that word it themselves. */
    public String what() {
        return super.getMessage();
    }

    /** What helps. */
    public Optional<Remedy> remedy() {
        return Optional.ofNullable(remedy);
    }

    /** What failed, and the remedy in plain words. */
    @Override
    public String getMessage() {
        return remedy == null ? what() : what() + "; " + remedy.words();
    }
}
