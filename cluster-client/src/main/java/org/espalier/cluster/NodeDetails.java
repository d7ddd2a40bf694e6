package org.espalier.cluster;

import java.util.List;

/**
 * What a node tells of its machine, all but the memory only when it is asked in full, which may take it a second.
 *
 * @param modelMemoryBytes of the machine's memory, what models may have at most: on a Mac, the GPU's working set; 0 if it does not say
 * @param modelMemorySource what says so; empty where it is all of it
 * @param readBytesPerSecond of memory, by all processors; 0 if it was not measured
 * @param models that loads may name, some of them where there are many
 * @param furtherModels that are not among them
 */
public record NodeDetails(
        long modelMemoryBytes,
        String modelMemorySource,
        long readBytesPerSecond,
        List<DiskModel> models,
        int furtherModels) {

    static final NodeDetails UNKNOWN = new NodeDetails(0, "", 0, List.of(), 0);

    /** A model's name and the bytes of its files. */
    public record DiskModel(String name, long bytes) {}

    public NodeDetails {
        models = List.copyOf(models);
    }

    /** The same, where another node of its machine has measured. */
    NodeDetails withReadBytesPerSecond(long measured) {
        return new NodeDetails(modelMemoryBytes, modelMemorySource, measured, models, furtherModels);
    }
}
