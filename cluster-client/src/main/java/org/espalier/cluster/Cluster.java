package org.espalier.cluster;

import java.util.List;
import java.util.Optional;
import org.espalier.placement.Placement;
import org.espalier.routing.RoutingTrace;

/**
 * Nodes that hold a model together: connects to them, loads and splits a model over them, and generates. All calls block and may come
 * from any thread; each throws a {@link ClusterException} whose message says what failed and what to do next.
 */
public final class Cluster implements AutoCloseable {

    private Cluster() {}

    /**
     * Connects to nodes that run already.
     *
     * @param addresses host:port each, the ring's order
     * @throws ClusterException if one does not answer or two have the same name
     */
    public static Cluster connect(List<String> addresses) {
        throw new ClusterException("cannot connect to " + addresses + ": not built yet");
    }

    /** All nodes in the order of {@link #connect}, asked now; those that do not answer are listed as not reachable. */
    public List<NodeInfo> nodes() {
        throw new UnsupportedOperationException();
    }

    /**
     * Loads a model and makes it the one that {@link #generate} uses. A failure on any node leaves nothing loaded on all.
     *
     * @param model a directory, a .gguf file, or a name that the catalogue finds
     */
    public Deployment load(String model, LoadOptions options) {
        throw new UnsupportedOperationException();
    }

    /** What {@link #load} would do, without loading. */
    public Placement plan(String model, LoadOptions options) {
        throw new UnsupportedOperationException();
    }

    /** Places the loaded model anew: only the nodes whose layers change load again. */
    public Deployment split(LoadOptions options) {
        throw new UnsupportedOperationException();
    }

    /** As {@link #split(LoadOptions)} with a placement made by hand; it is checked first. */
    public Deployment split(Placement placement, LoadOptions options) {
        throw new UnsupportedOperationException();
    }

    /** Uses a deployment that another client loaded, as {@link #nodes} lists it. */
    public Deployment use(String deployment) {
        throw new UnsupportedOperationException();
    }

    /** Frees the loaded model on every node; without one nothing happens. */
    public void unload() {
        throw new UnsupportedOperationException();
    }

    /** What is loaded. */
    public Optional<Deployment> deployment() {
        throw new UnsupportedOperationException();
    }

    /**
     * Generates and waits for the end; an interrupt of the calling thread cancels the work on every node.
     *
     * @throws GenerationCancelledException if it was cancelled
     * @throws NodeLostException if a node of the ring was lost
     */
    public Generation generate(Prompt prompt, GenerateOptions options, GenerationListener listener) {
        return start(prompt, options, listener).await();
    }

    /** As {@link #generate(Prompt, GenerateOptions, GenerationListener)}, listening to nothing. */
    public Generation generate(Prompt prompt, GenerateOptions options) {
        return generate(prompt, options, GenerationListener.SILENT);
    }

    /** Starts a generation and returns at once. */
    public RunningGeneration start(Prompt prompt, GenerateOptions options, GenerationListener listener) {
        throw new UnsupportedOperationException();
    }

    /** The generation that finished last. */
    public Optional<Generation> lastGeneration() {
        throw new UnsupportedOperationException();
    }

    /** The routing trace of the last generation that had one. */
    public Optional<RoutingTrace> trace() {
        throw new UnsupportedOperationException();
    }

    /** Cancels what runs and disconnects. The deployment stays on the nodes until it is unloaded or they end. */
    @Override
    public void close() {}
}
