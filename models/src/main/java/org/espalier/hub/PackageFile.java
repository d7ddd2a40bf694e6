package org.espalier.hub;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.EspalierException;

/**
 * One file of a Python package index (PEP 503), whose size and hash are known beforehand: what an index or a mirror says besides where it lies is not
 * trusted.
 *
 * @param name such as {@code mlx_metal-0.32.4-py3-none-macosx_14_0_arm64.whl}
 * @param size in bytes
 * @param sha256 hexadecimal
 */
public record PackageFile(String name, long size, String sha256) {

    private static final int MAX_INDEX = 16 << 20;

    /** @param index such as {@code https://pypi.org/simple} */
    public Path fetch(URI index, Path folder, PullListener listener) {
        return fetch(index, folder, listener, RetryPolicy.PATIENT, Duration.ofSeconds(60));
    }

    /**
     * Blocks until the file is in the folder. A thread that is interrupted stops it; what came is kept, and the next time resumes from there.
     *
     * @throws HubException if it cannot be fetched
     */
    Path fetch(URI index, Path folder, PullListener listener, RetryPolicy retries, Duration stall) {
        WebConnection web = new WebConnection(index, Optional.empty(), retries, stall);
        BlobPlace place = new BlobPlace(
                folder.resolve(name), folder.resolve(name + ".incomplete"), folder.resolve(name + ".lock"));
        HubFile file = new HubFile(name, size, sha256);
        try {
            Files.createDirectories(folder);
            deleteDamaged(file, place);
            if (!place.has(file)) {
                DiskRoom room = new DiskRoom(name, place.missing(file), folder);
                room.require("move your .espalier folder to another disk and leave a link to it");
                download(file, place, web, listener);
            }
            return place.blob();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HubException("fetching " + name + " was interrupted: run it again to resume", e);
        } catch (IOException e) {
            throw new HubException(
                    "cannot write " + name + " into " + folder + ": " + EspalierException.reason(e, folder), e);
        }
    }

    /** What an earlier run left may have changed since its hash was looked at. */
    private void deleteDamaged(HubFile file, BlobPlace place) throws IOException {
        if (!place.has(file)) {
            return;
        }
        boolean whole;
        try (InputStream content = Files.newInputStream(place.blob())) {
            whole = Sha256.of(content).equals(sha256);
        }
        if (!whole) {
            Files.delete(place.blob());
        }
    }

    private void download(HubFile file, BlobPlace place, WebConnection web, PullListener listener)
            throws IOException, InterruptedException {
        WebConnection.Refusal refusal = (status, headers) -> new HubException(
                web.endpoint() + " answers " + status + " for " + name + ": try again later, or use another index");
        FileOrigin origin = new FileOrigin(name, address(web, refusal), web, refusal);
        PullMeter meter = new PullMeter(size, size - place.missing(file), listener);
        try {
            new BlobDownload(origin, meter).fetch(file, place);
        } catch (UnwritableException e) {
            throw new DiskRoom(name, place.missing(file), place.blob().getParent()).unwritable(e);
        }
    }

    /** Where the index says that the file lies. */
    private URI address(WebConnection web, WebConnection.Refusal refusal) throws InterruptedException {
        URI page = URI.create(web.endpoint() + "/" + project() + "/");
        Pattern link = Pattern.compile("href\\s*=\\s*[\"']([^\"'#]*\\b" + Pattern.quote(name) + ")[\"'#]");
        for (int attempt = 1; ; attempt++) {
            try (InputStream body = web.open(page, refusal, 0, "").body()) {
                Matcher found = link.matcher(new String(body.readNBytes(MAX_INDEX), StandardCharsets.UTF_8));
                if (!found.find()) {
                    throw new HubException(page + " lists no " + name + ": use an index that has it");
                }
                return WebConnection.target(page, found.group(1));
            } catch (ConnectException e) { // nothing has begun: who has no network must not wait for it
                throw new HubException("cannot reach " + web.endpoint() + " for " + name + ": check the network", e);
            } catch (IOException e) {
                web.again(attempt, "the list of files of " + project(), e);
            }
        }
    }

    /** As an index spells it: PEP 503. */
    private String project() {
        return name.substring(0, name.indexOf('-')).replaceAll("[-_.]+", "-").toLowerCase(Locale.ROOT);
    }
}
