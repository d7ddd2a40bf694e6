package org.espalier.cluster;

import org.espalier.model.ModelIdentity;

/** Where a client has its models from. Whoever opens one closes it. */
interface ClientModels {

    /**
     * By a path or a name; what is not on this machine is fetched from the hub, which blocks and hears interrupts.
     *
     * @param options whose listener hears of it
     * @throws org.espalier.EspalierException if there is none, or it cannot be fetched or opened
     */
    ClientModel open(String pathOrName, LoadOptions options);

    /**
     * The one that nodes serve, of this machine's files.
     *
     * @throws org.espalier.EspalierException if it is not here, or others of its name only
     */
    ClientModel open(ModelIdentity served);
}
