package org.espalier.cluster;

import org.espalier.hub.HubSettings;

/**
 * How a model is loaded.
 *
 * @param placement a strategy's name ({@code pipeline}) or a file with a placement in JSON
 * @param engine its name; empty for each node's best
 * @param precision {@code float32} or {@code fast}
 * @param deployment its id; empty for the model's name
 * @param nodes how many of the cluster's nodes take part; 0 for all
 * @param hub whether a model that is not on this machine is fetched
 * @param force whether a deployment that another client uses is replaced, or freed for this one
 */
public record LoadOptions(
        String placement,
        String engine,
        String precision,
        String deployment,
        int nodes,
        HubSettings.Access hub,
        boolean force,
        LoadListener listener) {

    private static final LoadOptions DEFAULTS =
            new LoadOptions("pipeline", "", "fast", "", 0, HubSettings.Access.ONLINE, false, LoadListener.SILENT);

    public static LoadOptions defaults() {
        return DEFAULTS;
    }

    public LoadOptions withPlacement(String nameOrFile) {
        return new LoadOptions(nameOrFile, engine, precision, deployment, nodes, hub, force, listener);
    }

    public LoadOptions withEngine(String name) {
        return new LoadOptions(placement, name, precision, deployment, nodes, hub, force, listener);
    }

    public LoadOptions withPrecision(String name) {
        return new LoadOptions(placement, engine, name, deployment, nodes, hub, force, listener);
    }

    public LoadOptions withDeployment(String id) {
        return new LoadOptions(placement, engine, precision, id, nodes, hub, force, listener);
    }

    public LoadOptions withNodes(int count) {
        return new LoadOptions(placement, engine, precision, deployment, count, hub, force, listener);
    }

    public LoadOptions withHub(HubSettings.Access access) {
        return new LoadOptions(placement, engine, precision, deployment, nodes, access, force, listener);
    }

    /** Replaces the deployment even if another client uses it. */
    public LoadOptions forced() {
        return new LoadOptions(placement, engine, precision, deployment, nodes, hub, true, listener);
    }

    public LoadOptions withListener(LoadListener progress) {
        return new LoadOptions(placement, engine, precision, deployment, nodes, hub, force, progress);
    }
}
