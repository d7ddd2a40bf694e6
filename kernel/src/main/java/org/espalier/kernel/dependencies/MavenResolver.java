package org.espalier.kernel.dependencies;

import eu.maveniverse.maven.mima.context.Context;
import eu.maveniverse.maven.mima.context.ContextOverrides;
import eu.maveniverse.maven.mima.context.ContextOverrides.ChecksumPolicy;
import eu.maveniverse.maven.mima.runtime.standalonestatic.StandaloneStaticRuntime;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Consumer;
import org.apache.maven.settings.io.DefaultSettingsReader;
import org.apache.maven.settings.io.SettingsReader;
import org.eclipse.aether.DefaultRepositorySystemSession;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.collection.CollectRequest;
import org.eclipse.aether.collection.DependencyCollectionException;
import org.eclipse.aether.graph.Dependency;
import org.eclipse.aether.graph.DependencyNode;
import org.eclipse.aether.resolution.ArtifactResult;
import org.eclipse.aether.resolution.DependencyRequest;
import org.eclipse.aether.resolution.DependencyResolutionException;
import org.eclipse.aether.util.artifact.JavaScopes;
import org.eclipse.aether.util.filter.DependencyFilterUtils;
import org.eclipse.aether.util.graph.selector.AndDependencySelector;
import org.eclipse.aether.util.repository.SimpleArtifactDescriptorPolicy;
import org.eclipse.aether.util.repository.SimpleResolutionErrorPolicy;
import org.espalier.DaemonThreads;
import org.espalier.EspalierException;

/**
 * Finds artifacts and what they need at run time as Maven does: in {@code ~/.m2}, then in the repositories, mirrors and with the credentials of
 * {@code settings.xml}. A file whose checksum is missing or wrong is refused.
 */
public final class MavenResolver {

    private final CarriedArtifacts carried = new CarriedArtifacts();

    /** Whether remote repositories may be asked. */
    public enum Network {
        ONLINE,
        OFFLINE
    }

    /**
     * Waits for the downloads; an interrupt ends them at the next bytes that arrive.
     *
     * @param network {@code OFFLINE} where only what lies in the local repository may be used; {@code <offline>} of settings.xml says so too
     * @param progress told what is being downloaded
     * @throws EspalierException that says what is missing and what to do
     */
    public Resolution resolve(List<Coordinates> wanted, Network network, Consumer<String> progress)
            throws InterruptedException {
        Downloads downloads = new Downloads(progress);
        FutureTask<Resolution> task = new FutureTask<>(() -> resolve(wanted, network, downloads));
        new DaemonThreads("espalier-maven").newThread(task).start();
        try {
            return task.get();
        } catch (InterruptedException e) {
            downloads.cancel();
            throw e;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof EspalierException sentence) {
                throw sentence;
            }
            Throwable cause = UserInfo.strip(e.getCause());
            throw new EspalierException("Maven's resolver failed: " + cause.getMessage(), cause);
        }
    }

    private Resolution resolve(List<Coordinates> wanted, Network network, Downloads downloads) {
        Path home = Path.of(System.getProperty("user.home"), ".m2");
        ContextOverrides.Builder overrides = ContextOverrides.create()
                .withUserSettings(true)
                .withMavenUserHomeOverride(home)
                .checksumPolicy(ChecksumPolicy.FAIL)
                .transferListener(downloads);
        if (network == Network.OFFLINE || isOffline(home.resolve("settings.xml"))) {
            overrides.offline(true);
        }
        try (Context maven = new StandaloneStaticRuntime().create(overrides.build())) {
            DefaultRepositorySystemSession session =
                    new DefaultRepositorySystemSession(maven.repositorySystemSession());
            session.setResolutionErrorPolicy(
                    new SimpleResolutionErrorPolicy(false, false)); // what failed may be there now
            session.setArtifactDescriptorPolicy(
                    new SimpleArtifactDescriptorPolicy(true, false)); // the jar says what is missing
            session.setDependencySelector(
                    new AndDependencySelector(session.getDependencySelector(), new NothingBelowCarried(carried)));
            CollectRequest request = new CollectRequest();
            request.setRepositories(maven.remoteRepositories());
            for (Coordinates each : wanted) {
                request.addDependency(new Dependency(each.artifactOfMaven(), JavaScopes.RUNTIME));
            }
            try {
                DependencyNode root = maven.repositorySystem()
                        .collectDependencies(session, request)
                        .getRoot();
                DependencyRequest needed = new DependencyRequest(
                        root,
                        DependencyFilterUtils.andFilter(
                                DependencyFilterUtils.classpathFilter(JavaScopes.RUNTIME),
                                (node, parents) -> !isCarried(node)));
                Map<String, Resolution.Found> found = new LinkedHashMap<>();
                for (ArtifactResult result : maven.repositorySystem()
                        .resolveDependencies(session, needed)
                        .getArtifactResults()) {
                    Artifact artifact = result.getArtifact();
                    String name = name(artifact);
                    found.putIfAbsent(
                            name,
                            new Resolution.Found(
                                    name,
                                    artifact.getVersion(),
                                    artifact.getFile().toPath()));
                }
                Set<String> notes = new LinkedHashSet<>();
                root.getChildren().forEach(node -> {
                    if (isCarried(node, node.getArtifact().getVersion())) {
                        notes.add(name(node.getArtifact()) + " "
                                + node.getArtifact().getVersion() + " is in the kernel already");
                    } else {
                        note(node, notes);
                    }
                });
                return new Resolution(List.copyOf(found.values()), List.copyOf(notes));
            } catch (DependencyCollectionException | DependencyResolutionException e) {
                throw ResolutionFailure.of(e, session.isOffline(), maven.remoteRepositories());
            }
        }
    }

    /** What MIMA does not look at. A file that cannot be read it tells of itself. */
    private static boolean isOffline(Path settings) {
        try {
            return Files.exists(settings)
                    && new DefaultSettingsReader()
                            .read(settings.toFile(), Map.of(SettingsReader.IS_STRICT, false))
                            .isOffline();
        } catch (IOException e) {
            return false;
        }
    }

    private Optional<String> carriedVersion(DependencyNode node) {
        Artifact artifact = node.getArtifact();
        return artifact == null ? Optional.empty() : carried.version(artifact);
    }

    private boolean isCarried(DependencyNode node) {
        return carriedVersion(node).isPresent();
    }

    private boolean isCarried(DependencyNode node, String version) {
        return carriedVersion(node).filter(version::equals).isPresent();
    }

    private void note(DependencyNode node, Set<String> notes) {
        Optional<String> mine = carriedVersion(node);
        if (mine.isEmpty()) {
            node.getChildren().forEach(child -> note(child, notes));
        } else if (!mine.get().equals(node.getArtifact().getVersion())) {
            notes.add(name(node.getArtifact()) + " stays at the kernel's own version " + mine.get() + "; "
                    + node.getArtifact().getVersion() + " was asked for");
        }
    }

    private static String name(Artifact artifact) {
        List<String> parts = new ArrayList<>(List.of(artifact.getGroupId(), artifact.getArtifactId()));
        if (!artifact.getExtension().equals("jar")) {
            parts.add(artifact.getExtension());
        }
        if (!artifact.getClassifier().isEmpty()) {
            parts.add(artifact.getClassifier());
        }
        return String.join(":", parts);
    }
}
