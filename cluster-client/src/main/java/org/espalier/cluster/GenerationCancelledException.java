package org.espalier.cluster;

/** A generation was cancelled, by its handle or by an interrupt of the waiting thread; its work has ended on every node. */
public final class GenerationCancelledException extends ClusterException {

    private final String text;

    /** @param text what was generated until then */
    public GenerationCancelledException(String text) {
        super("the generation was cancelled");
        this.text = text;
    }

    /** What was generated until then. */
    public String text() {
        return text;
    }
}
