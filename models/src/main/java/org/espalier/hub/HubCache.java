package org.espalier.hub;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** One repository's folder in the cache. */
final class HubCache {

    /** Of a file that is here and was checked when it came. */
    private static final String UNKNOWN = "0".repeat(40);

    private final Path folder;
    private final Path locks;

    HubCache(Path cache, String repository) {
        String name = "models--" + repository.replace("/", "--");
        this.folder = cache.resolve(name);
        this.locks = cache.resolve(".locks").resolve(name);
    }

    Path blob(HubFile file) {
        return folder.resolve("blobs").resolve(file.hash());
    }

    /** The Python client resumes what is incomplete, too, and has locks of its own, which are of another kind. */
    BlobPlace place(HubFile file) {
        return new BlobPlace(
                blob(file),
                folder.resolve("blobs").resolve(file.hash() + ".incomplete"),
                locks.resolve(file.hash() + ".lock"));
    }

    Path snapshot(String commit) {
        return folder.resolve("snapshots").resolve(commit);
    }

    /** What an earlier run fetched of a revision, whole files only; empty where nothing is known of it. */
    Optional<HubListing> listing(String revision) throws IOException {
        Path ref = folder.resolve("refs").resolve(revision);
        String commit = Files.isRegularFile(ref) ? Files.readString(ref).strip() : revision;
        Path snapshot = folder.resolve("snapshots").resolve(commit);
        if (!Files.isDirectory(snapshot)) {
            return Optional.empty();
        }
        List<HubFile> files = new ArrayList<>();
        try (Stream<Path> names = Files.walk(snapshot)) {
            for (Path file : names.filter(Files::isRegularFile).sorted().toList()) {
                String name = snapshot.relativize(file).toString().replace('\\', '/');
                files.add(new HubFile(name, Files.size(file), UNKNOWN));
            }
        }
        return Optional.of(new HubListing(commit, files));
    }

    void prepare() throws IOException {
        Files.createDirectories(folder.resolve("blobs"));
    }

    /** Makes a fetched blob known under its name; a copy where the file system has no links. */
    Path link(String commit, HubFile file) throws IOException {
        Path link = snapshot(commit).resolve(file.name());
        Files.createDirectories(link.getParent());
        Path blob = blob(file);
        if (Files.exists(link) && Files.isSameFile(link, blob)) {
            return link;
        }
        if (Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
            Files.delete(link);
        }
        try {
            Files.createSymbolicLink(link, link.getParent().relativize(blob));
        } catch (UnsupportedOperationException | IOException e) {
            Files.copy(blob, link, StandardCopyOption.REPLACE_EXISTING);
        }
        return link;
    }

    /** Says which commit a branch or tag stands for. */
    void point(String revision, String commit) throws IOException {
        if (revision.equals(commit)) {
            return;
        }
        Path ref = folder.resolve("refs").resolve(revision);
        Files.createDirectories(ref.getParent());
        Path fresh = Files.createTempFile(ref.getParent(), ".ref", "");
        Files.writeString(fresh, commit);
        Files.move(fresh, ref, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }
}
