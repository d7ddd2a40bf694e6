package org.espalier.hub;

import java.net.ConnectException;
import java.nio.file.Path;
import org.espalier.model.ModelCatalogue;
import org.espalier.model.ModelNotFoundException;

/** The models of this machine, and behind them those of the hub: what is not here is fetched. */
public final class HubCatalogue {

    /** Fetches, and says where it lies. */
    @FunctionalInterface
    interface Pull {
        Path pull(HubReference reference, PullListener listener);
    }

    private final ModelCatalogue here;
    private final Pull hub;

    HubCatalogue(ModelCatalogue here, Pull hub) {
        this.here = here;
        this.hub = hub;
    }

    /** {@link ModelCatalogue#ofThisMachine} and the hub that the environment names. */
    public static HubCatalogue ofThisMachine(HubSettings.Access access) {
        return new HubCatalogue(ModelCatalogue.ofThisMachine(), (reference, listener) -> {
            HubSettings settings = HubSettings.ofEnvironment();
            boolean offline = access == HubSettings.Access.OFFLINE;
            return ModelPull.pull(reference, offline ? settings.withAccess(access) : settings, listener);
        });
    }

    /**
     * The directory or .gguf file of a path or name, as {@link ModelCatalogue#resolve(String)} finds it; what is not found and reads like {@code
     * ORG/NAME}, {@code ORG/NAME@REVISION} or {@code ORG/NAME:QUANTIZATION} is fetched. Blocks so long; an interrupt of the thread ends it.
     *
     * @throws ModelNotFoundException if nothing is found, and the hub is not within reach or not asked
     * @throws HubException if it cannot be fetched or would not be served
     */
    public Path resolve(String pathOrName, PullListener listener) {
        try {
            return here.resolve(pathOrName);
        } catch (ModelNotFoundException notHere) {
            if (!HubReference.looksLikeOne(pathOrName)) {
                throw notHere;
            }
            return pulled(pathOrName, listener, notHere);
        }
    }

    private Path pulled(String name, PullListener listener, ModelNotFoundException notHere) {
        try {
            Path path = hub.pull(HubReference.parse(name), listener);
            listener.onFetched(path);
            return path;
        } catch (HubException e) {
            if (e.getCause() instanceof ConnectException) { // perhaps a path with a slip in it
                throw new ModelNotFoundException(notHere.what() + ", but: " + e.getMessage(), e);
            }
            throw e;
        }
    }
}
