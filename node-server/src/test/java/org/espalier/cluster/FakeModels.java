package org.espalier.cluster;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import org.espalier.model.ModelIdentity;

/**
 * Fake models of any name.
 *
 * @param opened all of them, in order
 */
record FakeModels(Function<String, FakeModel> make, List<FakeModel> opened) implements ClientModels {

    FakeModels(Function<String, FakeModel> make) {
        this(make, new CopyOnWriteArrayList<>());
    }

    FakeModels() {
        this(FakeModel::new);
    }

    @Override
    public ClientModel open(String name, LoadOptions options) {
        opened.add(make.apply(name));
        return opened.get(opened.size() - 1);
    }

    @Override
    public ClientModel open(ModelIdentity served) {
        return open(served.name(), LoadOptions.defaults());
    }
}
