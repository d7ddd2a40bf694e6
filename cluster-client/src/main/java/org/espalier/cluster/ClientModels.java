package org.espalier.cluster;

import org.espalier.model.ModelIdentity;

/** Where a client gets its models from. Whoever opens one closes it. */
interface ClientModels {

    /**
     * Opens a model by path or name. One that is not on this machine is fetched from the hub, which blocks and can be interrupted.
     *
     * @param options its listener is told of the progress
     * @throws org.espalier.EspalierException if there is no such model, or it cannot be fetched or opened
     */
    ClientModel open(String pathOrName, LoadOptions options);

    /**
     * Opens the model that nodes serve, from this machine's files.
     *
     * @throws org.espalier.EspalierException if it is not on this machine, or only under the same name with other files
     */
    ClientModel open(ModelIdentity served);
}
