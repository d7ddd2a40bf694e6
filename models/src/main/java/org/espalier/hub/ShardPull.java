package org.espalier.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.espalier.EspalierException;
import org.espalier.architecture.Architecture;
import org.espalier.architecture.Architectures;
import org.espalier.checkpoint.CheckpointException;
import org.espalier.checkpoint.JsonFile;
import org.espalier.checkpoint.PresentRanges;
import org.espalier.config.ConfigException;
import org.espalier.model.Model;
import org.espalier.plan.ShardPlans;
import org.espalier.program.Plan;
import org.espalier.weights.FileRanges;

/**
 * Fetches some layers of a model and no others: the small files, the headers of the weights, and of their data what those layers need, to its
 * own place in files of the full length (whose other parts take no room on the disk). {@link PresentRanges} beside each file says what is
 * there. Parts have no hash to be checked by; their lengths are.
 */
public final class ShardPull {

    private static final int MAX_HEADER = 100_000_000; // the format's own limit

    private final HubReference reference;
    private final Layers layers;
    private final HubConnection connection;
    private final HubCache cache;
    private final Path folder;
    private final long gap;

    /**
     * @param first layer, from 0
     * @param end the layer after the last; {@code first} for none, as a client needs it which only plans
     */
    public record Layers(int first, int end) {}

    /**
     * @param stall after so long without a byte a connection is given up
     * @param gap ranges less than so many bytes apart are fetched as one
     */
    record Limits(RetryPolicy retries, Duration stall, long gap) {}

    ShardPull(HubReference reference, Layers layers, HubSettings settings, Path models, Limits limits) {
        this.reference = reference;
        this.layers = layers;
        this.connection = new HubConnection(settings, limits.retries, limits.stall);
        this.cache = new HubCache(settings.cache(), reference.repository());
        this.folder = models.resolve(reference.repository());
        this.gap = limits.gap;
    }

    /**
     * @param models a folder of models; the model's own becomes {@code ORG/NAME} in it
     * @return the model's folder
     * @throws HubException if it cannot be fetched or would not be served
     */
    public static Path pull(
            HubReference reference, Layers layers, HubSettings settings, Path models, PullListener listener) {
        Limits limits = new Limits(RetryPolicy.PATIENT, Duration.ofSeconds(60), Plan.FETCH_GAP);
        return new ShardPull(reference, layers, settings, models, limits).pull(listener);
    }

    Path pull(PullListener listener) {
        try {
            cache.prepare();
            HubListing listing = connection.list(reference);
            FileChoice choice = new FileChoice(reference, listing);
            if (choice.isGguf()) {
                throw new HubException(
                        reference + " is a GGUF file: its layers are not fetched by themselves, pull it whole");
            }
            requireLayers(choice, listing);
            Files.createDirectories(folder);
            List<HubFile> weights = new ArrayList<>();
            for (HubFile file : choice.folder(shards(choice, listing))) {
                if (file.endsWith(".safetensors")) {
                    begin(file, listing);
                    weights.add(file);
                } else if (!file.name().equals(FileChoice.CONFIG)) {
                    copy(file, listing);
                }
            }
            copy(
                    choice.file(FileChoice.CONFIG).orElseThrow(),
                    listing); // last: now it is a model, whose weights are missing
            FileRanges read = read();
            Map<HubFile, List<long[]>> wanted = missing(weights, read);
            room(wanted).require("choose another folder");
            try {
                fetch(wanted, listing, listener);
            } catch (UnwritableException e) {
                throw room(missing(weights, read)).unwritable(e);
            }
            return folder;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HubException("fetching " + reference + " was interrupted: run it again to resume", e);
        } catch (IOException e) {
            throw new HubException(
                    "cannot write " + reference + " into " + folder + ": " + EspalierException.reason(e, folder), e);
        }
    }

    private void requireLayers(FileChoice choice, HubListing listing) throws IOException, InterruptedException {
        HubFile file = choice.file(FileChoice.CONFIG).orElseThrow();
        try {
            Architecture architecture = Architectures.read(JsonFile.read(small(file, listing)));
            if (layers.first < 0 || layers.end < layers.first || layers.end > architecture.layers()) {
                throw new HubException(reference + " has layers 0 to " + (architecture.layers() - 1) + ", not "
                        + layers.first + " to " + (layers.end - 1));
            }
            if (layers.end > layers.first) {
                architecture.joinedLayers().refusal(layers.first).ifPresent(reason -> {
                    throw new HubException("of " + reference + ", " + reason);
                });
            }
        } catch (ConfigException e) {
            throw new HubException(
                    reference + " is not supported, so its weights were not fetched: " + e.getMessage(), e);
        }
    }

    private Set<String> shards(FileChoice choice, HubListing listing) throws IOException, InterruptedException {
        Set<String> shards = new TreeSet<>();
        Optional<HubFile> index = choice.file(FileChoice.INDEX);
        if (index.isPresent()) {
            for (JsonNode shard : JsonFile.read(small(index.get(), listing)).path("weight_map")) {
                shards.add(shard.asText());
            }
        }
        return shards;
    }

    private Path small(HubFile file, HubListing listing) throws IOException, InterruptedException {
        new BlobDownload(connection.origin(reference, listing.commit(), file), bytes -> {})
                .fetch(file, cache.place(file));
        return cache.blob(file);
    }

    private void copy(HubFile file, HubListing listing) throws IOException, InterruptedException {
        Files.copy(small(file, listing), folder.resolve(file.name()), StandardCopyOption.REPLACE_EXISTING);
    }

    /** A file of the full length with nothing but its header, unless an earlier run made it. */
    private void begin(HubFile file, HubListing listing) throws IOException, InterruptedException {
        Path target = folder.resolve(file.name());
        Optional<PresentRanges> before = PresentRanges.of(target);
        if (before.isPresent() && Files.exists(target)) {
            if (!before.get().commit().equals(listing.commit())) {
                throw new HubException(folder + " holds parts of another commit of " + reference.repository() + ", "
                        + before.get().commit() + ": delete it, or name that commit");
            }
            return;
        }
        if (Files.exists(target)) {
            throw new HubException(folder + " holds " + file.name() + " whole: there is nothing to fetch");
        }
        byte[] header = header(connection.uri(reference, listing.commit(), file), file);
        PresentRanges ranges = new PresentRanges(listing.commit());
        ranges.add(0, header.length);
        ranges.write(target); // before the file: one without a record would count as whole
        try (RandomAccessFile sparse = new RandomAccessFile(target.toFile(), "rw")) {
            sparse.write(header);
            sparse.setLength(file.size());
        }
    }

    private byte[] header(URI uri, HubFile file) throws IOException, InterruptedException {
        long length = ByteBuffer.wrap(part(uri, Long.BYTES))
                .order(ByteOrder.LITTLE_ENDIAN)
                .getLong();
        if (length < 2 || length > Math.min(MAX_HEADER, file.size() - Long.BYTES)) {
            throw new HubException(file.name() + " of " + reference
                    + " is not a safetensors file: its header would have " + Long.toUnsignedString(length) + " bytes");
        }
        return part(uri, Long.BYTES + (int) length);
    }

    /** The first bytes of a file. */
    private byte[] part(URI uri, int length) throws IOException, InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try (InputStream body =
                    connection.openPart(uri, reference, 0, length - 1).body()) {
                byte[] bytes = body.readNBytes(length);
                if (bytes.length == length) {
                    return bytes;
                }
                throw new IOException("the connection ended after " + bytes.length + " of " + length + " bytes");
            } catch (IOException e) {
                connection.again(attempt, "the header of a file of " + reference, e);
            }
        }
    }

    /** What these layers read, by the headers. */
    private FileRanges read() {
        if (layers.end == layers.first) {
            return new FileRanges(Map.of());
        }
        try (Model model = Model.open(folder)) {
            return new ShardPlans(model).toFetch(layers.first, layers.end, gap);
        } catch (CheckpointException e) {
            throw new HubException(
                    reference + " is not supported, so its weights were not fetched: " + e.getMessage(), e);
        }
    }

    private Map<HubFile, List<long[]>> missing(List<HubFile> weights, FileRanges read) {
        Map<HubFile, List<long[]>> missing = new LinkedHashMap<>();
        weights.forEach(file -> missing.put(file, missing(file, read)));
        return missing;
    }

    /** What is not there of a file: pairs of begin and end. */
    private List<long[]> missing(HubFile file, FileRanges read) {
        Path target = folder.resolve(file.name());
        PresentRanges present = PresentRanges.of(target).orElseThrow();
        return read.byFile().getOrDefault(target, List.of()).stream()
                .flatMap(range -> present.missing(range.begin(), range.end()).stream())
                .toList();
    }

    private DiskRoom room(Map<HubFile, List<long[]>> wanted) {
        return new DiskRoom("this part of " + reference, bytes(wanted), folder);
    }

    private static long bytes(Map<HubFile, List<long[]>> wanted) {
        return wanted.values().stream()
                .flatMap(List::stream)
                .mapToLong(range -> range[1] - range[0])
                .sum();
    }

    private void fetch(Map<HubFile, List<long[]>> wanted, HubListing listing, PullListener listener)
            throws IOException, InterruptedException {
        PartDownload download = new PartDownload(connection, reference, new PullMeter(bytes(wanted), 0, listener));
        List<Callable<Void>> downloads = new ArrayList<>();
        wanted.forEach((file, ranges) -> downloads.add(() -> {
            Path target = folder.resolve(file.name());
            PresentRanges present = PresentRanges.of(target).orElseThrow();
            for (long[] range : ranges) {
                download.fetch(connection.uri(reference, listing.commit(), file), range, target);
                present.add(range[0], range[1]);
                present.write(target);
            }
            return null;
        }));
        AtOnce.run(downloads, reference);
    }
}
