package org.espalier.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.espalier.EspalierException;
import org.espalier.architecture.Architectures;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.checkpoint.GgufStart;
import org.espalier.checkpoint.JsonFile;
import org.espalier.config.ConfigException;

/**
 * Fetches a model: its config first, so that one which is not supported is refused before its weights are on the way, then whether the disk
 * has room, then everything, a few files at once.
 */
public final class ModelPull {

    private final HubReference reference;
    private final HubSettings settings;
    private final HubConnection connection;
    private final HubCache cache;

    ModelPull(HubReference reference, HubSettings settings, RetryPolicy retries, Duration stall) {
        this.reference = reference;
        this.settings = settings;
        this.connection = new HubConnection(settings, retries, stall);
        this.cache = new HubCache(settings.cache(), reference.repository());
    }

    /**
     * Blocks until the model is in the cache. A thread that is interrupted stops it; what came is kept, and the next time resumes from there.
     *
     * @return the folder, or the (first part of the) GGUF file
     * @throws HubException if it cannot be fetched or would not be served
     */
    public static Path pull(HubReference reference, HubSettings settings, PullListener listener) {
        return new ModelPull(reference, settings, RetryPolicy.PATIENT, Duration.ofSeconds(60)).pull(listener);
    }

    Path pull(PullListener listener) {
        try {
            if (settings.access() == HubSettings.Access.OFFLINE) {
                return fetchedBefore()
                        .orElseThrow(
                                () -> new HubException(reference + " is not on this machine, and fetching is switched"
                                        + " off (HF_HUB_OFFLINE or --offline)"));
            }
            return fetch(listener);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HubException("fetching " + reference + " was interrupted: run it again to resume", e);
        } catch (IOException e) {
            throw new HubException(
                    "cannot write " + reference + " into " + settings.cache() + ": "
                            + EspalierException.reason(e, settings.cache()),
                    e);
        }
    }

    private Optional<Path> fetchedBefore() throws IOException {
        Optional<HubListing> listing = cache.listing(reference.revision());
        if (listing.isEmpty()) {
            return Optional.empty();
        }
        FileChoice choice = new FileChoice(reference, listing.get());
        Path snapshot = cache.snapshot(listing.get().commit());
        return Optional.of(
                choice.isGguf() ? snapshot.resolve(choice.gguf().get(0).name()) : snapshot);
    }

    private Path fetch(PullListener listener) throws IOException, InterruptedException {
        cache.prepare();
        HubListing listing;
        try {
            listing = connection.list(reference);
        } catch (HubException e) {
            Optional<Path> here = e.getCause() instanceof ConnectException ? fetchedBefore() : Optional.empty();
            return here.orElseThrow(() -> e);
        }
        FileChoice choice = new FileChoice(reference, listing);
        List<HubFile> files = choice.isGguf() ? gguf(choice, listing) : folder(choice, listing);
        room(files).require("set HF_HUB_CACHE to a folder on another disk");
        try {
            fetch(files, listing.commit(), progress(files, listener));
        } catch (UnwritableException e) {
            throw room(files).unwritable(e);
        }
        Path first = null;
        for (HubFile file : files) {
            Path link = cache.link(listing.commit(), file);
            first = first == null ? link : first;
        }
        cache.point(reference.revision(), listing.commit());
        return choice.isGguf() ? first : cache.snapshot(listing.commit());
    }

    private List<HubFile> gguf(FileChoice choice, HubListing listing) throws IOException, InterruptedException {
        List<HubFile> files = choice.gguf();
        if (cache.place(files.get(0)).has(files.get(0))) {
            return files;
        }
        URI uri = connection.uri(reference, listing.commit(), files.get(0));
        try {
            byte[] start = connection.start(uri, reference, GgufStart.BYTES);
            GgufStart.require(start, files.get(0).name(), Architectures.gguf());
        } catch (CheckpointException e) {
            throw notServed(e);
        }
        return files;
    }

    private HubException notServed(Exception why) {
        return new HubException(
                reference + " is not supported, so its weights were not fetched: " + why.getMessage(), why);
    }

    private List<HubFile> folder(FileChoice choice, HubListing listing) throws IOException, InterruptedException {
        HubFile config = choice.file(FileChoice.CONFIG).orElseThrow();
        try {
            Architectures.read(JsonFile.read(small(config, listing)));
        } catch (ConfigException e) {
            throw notServed(e);
        }
        Set<String> shards = new TreeSet<>();
        HubFile index = choice.file(FileChoice.INDEX).orElse(null);
        if (index != null) {
            for (JsonNode shard : JsonFile.read(small(index, listing)).path("weight_map")) {
                shards.add(shard.asText());
            }
        }
        return choice.folder(shards);
    }

    /** A file that is needed before anything else. It gets its name with the others: half a snapshot must not look like a model. */
    private Path small(HubFile file, HubListing listing) throws IOException, InterruptedException {
        new BlobDownload(connection.origin(reference, listing.commit(), file), bytes -> {})
                .fetch(file, cache.place(file));
        return cache.blob(file);
    }

    private DiskRoom room(List<HubFile> files) throws IOException {
        long missing = 0;
        for (HubFile file : distinctBlobs(files)) {
            missing += cache.place(file).missing(file);
        }
        return new DiskRoom(reference.toString(), missing, settings.cache());
    }

    private void fetch(List<HubFile> files, String commit, PullMeter progress)
            throws IOException, InterruptedException {
        List<Callable<Void>> downloads = new ArrayList<>();
        for (HubFile file : distinctBlobs(files)) {
            downloads.add(() -> {
                new BlobDownload(connection.origin(reference, commit, file), progress).fetch(file, cache.place(file));
                return null;
            });
        }
        AtOnce.run(downloads, reference);
    }

    private PullMeter progress(List<HubFile> files, PullListener listener) throws IOException {
        long total = 0;
        long missing = 0;
        for (HubFile file : distinctBlobs(files)) {
            total += file.size();
            missing += cache.place(file).missing(file);
        }
        return new PullMeter(total, total - missing, listener);
    }

    /** Two names may stand for one content. */
    private static List<HubFile> distinctBlobs(List<HubFile> files) {
        List<HubFile> distinct = new ArrayList<>();
        Set<String> hashes = new TreeSet<>();
        files.forEach(file -> {
            if (hashes.add(file.hash())) {
                distinct.add(file);
            }
        });
        return distinct;
    }
}
