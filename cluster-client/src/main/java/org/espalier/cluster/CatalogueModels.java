package org.espalier.cluster;

import java.nio.file.Path;
import org.espalier.hub.HubCatalogue;
import org.espalier.hub.PullListener;
import org.espalier.hub.PullProgress;
import org.espalier.model.Model;
import org.espalier.model.ModelCatalogue;
import org.espalier.model.ModelIdentity;

/** Models on this machine, or fetched from the hub. */
final class CatalogueModels implements ClientModels {

    @Override
    public ClientModel open(String pathOrName, LoadOptions options) {
        LoadListener listener = options.listener();
        Path path = HubCatalogue.ofThisMachine(options.hub()).resolve(pathOrName, new PullListener() {
            @Override
            public void onProgress(PullProgress progress) {
                listener.onFetch(progress);
            }

            @Override
            public void onFetched(Path where) {
                listener.onFetched(where);
            }
        });
        return CatalogueModel.of(Model.open(path));
    }

    @Override
    public ClientModel open(ModelIdentity served) {
        return CatalogueModel.of(ModelCatalogue.ofThisMachine().open(served));
    }
}
