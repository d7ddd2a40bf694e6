package org.espalier.kernel.dependencies;

import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.util.List;
import java.util.stream.Collectors;
import org.eclipse.aether.RepositoryException;
import org.eclipse.aether.collection.UnsolvableVersionConflictException;
import org.eclipse.aether.repository.RemoteRepository;
import org.eclipse.aether.resolution.ArtifactResolutionException;
import org.eclipse.aether.resolution.ArtifactResult;
import org.eclipse.aether.resolution.DependencyResolutionException;
import org.eclipse.aether.resolution.VersionRangeResolutionException;
import org.eclipse.aether.transfer.ArtifactNotFoundException;
import org.eclipse.aether.transfer.ChecksumFailureException;
import org.espalier.EspalierException;

/** Maven's failures, each in one sentence with what to do, and without the credentials that a URL may hold. */
final class ResolutionFailure {

    private ResolutionFailure() {}

    static EspalierException of(RepositoryException failure, boolean offline, List<RemoteRepository> repositories) {
        return new EspalierException(UserInfo.strip(sentence(failure, offline, repositories)), UserInfo.strip(failure));
    }

    private static String sentence(RepositoryException failure, boolean offline, List<RemoteRepository> repositories) {
        String what = artifact(failure);
        String where = repositories.stream()
                .map(repository -> repository.getId() + " (" + repository.getUrl() + ")")
                .collect(Collectors.joining(", "));
        ChecksumFailureException checksum = cause(failure, ChecksumFailureException.class);
        if (checksum != null) {
            return what + " was refused, its checksum is not right: " + checksum.getMessage()
                    + ". Try again; if it stays, the repository or a proxy on the way is broken";
        }
        if (offline) {
            return what
                    + " is not in the local repository, and Maven is offline: go online, or without --offline and <offline> in settings.xml";
        }
        if (isUnreachable(failure)) {
            return what + " cannot be downloaded, " + where + " cannot be reached (" + root(failure)
                    + "): check the network, and mirrors and proxies in ~/.m2/settings.xml";
        }
        if (cause(failure, ArtifactNotFoundException.class) != null) {
            return "there is no " + what + " in " + where + ": check group, artifact and version";
        }
        VersionRangeResolutionException range = cause(failure, VersionRangeResolutionException.class);
        if (range != null) {
            return "no version fits " + range.getResult().getRequest().getArtifact() + ": " + where + " has "
                    + (range.getResult().getVersions().isEmpty()
                            ? "none in that range"
                            : range.getResult().getVersions());
        }
        UnsolvableVersionConflictException conflict = cause(failure, UnsolvableVersionConflictException.class);
        if (conflict != null) {
            return "no version fits all: " + conflict.getMessage();
        }
        return what + " cannot be resolved: " + root(failure);
    }

    private static String artifact(RepositoryException failure) {
        ArtifactNotFoundException missing = cause(failure, ArtifactNotFoundException.class);
        if (missing != null && missing.getArtifact() != null) {
            return missing.getArtifact().toString();
        }
        ArtifactResolutionException resolution = cause(failure, ArtifactResolutionException.class);
        if (resolution != null) {
            return resolution.getResults().stream()
                    .filter(result -> !result.isResolved())
                    .map(ArtifactResult::getRequest)
                    .map(request -> request.getArtifact().toString())
                    .collect(Collectors.joining(", "));
        }
        return failure instanceof DependencyResolutionException ? "an artifact" : failure.getMessage();
    }

    private static boolean isUnreachable(Throwable failure) {
        return cause(failure, UnknownHostException.class) != null
                || cause(failure, ConnectException.class) != null
                || cause(failure, NoRouteToHostException.class) != null
                || cause(failure, SocketTimeoutException.class) != null;
    }

    private static <T extends Throwable> T cause(Throwable failure, Class<T> type) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            if (type.isInstance(cause)) {
                return type.cast(cause);
            }
        }
        return null;
    }

    private static String root(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause.getMessage() == null ? cause.toString() : cause.getMessage();
    }
}
