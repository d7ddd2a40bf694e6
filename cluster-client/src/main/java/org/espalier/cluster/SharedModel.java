package org.espalier.cluster;

/** A client's model, counting its users: the deployment, and each generation that is not over. The last user to release it closes it. */
final class SharedModel {
    private final ClientModel model;
    private int users = 1;

    /** @param model starts with one user, the caller */
    SharedModel(ClientModel model) {
        this.model = model;
    }

    ClientModel model() {
        return model;
    }

    /**
     * Adds a user.
     *
     * @throws ClusterException if it is already closed
     */
    synchronized ClientModel use() {
        if (users == 0) {
            throw new ClusterException("model " + model.name() + " has been unloaded in the meantime: load it again");
        }
        users++;
        return model;
    }

    /** Adds a user unless it is already closed. */
    synchronized boolean useIfOpen() {
        users += users == 0 ? 0 : 1;
        return users > 0;
    }

    /** Removes a user; the last one closes the model. */
    synchronized void release() {
        if (--users == 0) {
            model.close();
        }
    }
}
