package org.espalier.cluster;

/** A client's model with all who use it: what serves, and each generation that is not over. The last one that lets go closes it. */
final class SharedModel {
    private final ClientModel model;
    private int users = 1;

    /** @param model used by one: whoever calls */
    SharedModel(ClientModel model) {
        this.model = model;
    }

    ClientModel model() {
        return model;
    }

    /**
     * One user more.
     *
     * @throws ClusterException if it is closed already
     */
    synchronized ClientModel use() {
        if (users == 0) {
            throw new ClusterException("model " + model.name() + " was unloaded meanwhile: load it again");
        }
        users++;
        return model;
    }

    /** One user less. */
    synchronized void release() {
        if (--users == 0) {
            model.close();
        }
    }
}
