package org.espalier.routing;

import tech.tablesaw.api.DoubleColumn;
import tech.tablesaw.api.IntColumn;
import tech.tablesaw.api.StringColumn;
import tech.tablesaw.api.Table;

/** Routing as tablesaw tables, to filter and join in a notebook. Ids are {@link IntColumn}s, and layers the checkpoint's. */
public final class RoutingTables {

    private RoutingTables() {}

    /** One row a decision: position, token (its text), layer, place, expert, weight. */
    public static Table decisions(RoutingTrace trace) {
        IntColumn position = IntColumn.create("position");
        StringColumn token = StringColumn.create("token");
        IntColumn layer = IntColumn.create("layer");
        IntColumn place = IntColumn.create("place");
        IntColumn expert = IntColumn.create("expert");
        DoubleColumn weight = DoubleColumn.create("weight");
        for (int t = 0; t < trace.positions(); t++) {
            for (int l : trace.layers()) {
                for (int k = 0; k < trace.width(); k++) {
                    if (trace.expert(t, l, k) >= 0) {
                        position.append(t);
                        token.append(trace.token(t));
                        layer.append(l);
                        place.append(k);
                        expert.append(trace.expert(t, l, k));
                        weight.append(trace.weight(t, l, k));
                    }
                }
            }
        }
        return Table.create("routing", position, token, layer, place, expert, weight);
    }

    /** One row an expert of a layer: layer, expert, count, share, weight (mean gate weight where chosen). */
    public static Table load(ExpertLoad load) {
        IntColumn layer = IntColumn.create("layer");
        IntColumn expert = IntColumn.create("expert");
        IntColumn count = IntColumn.create("count");
        DoubleColumn share = DoubleColumn.create("share");
        DoubleColumn weight = DoubleColumn.create("weight");
        for (int l : load.layers()) {
            for (int e = 0; e < load.experts(); e++) {
                layer.append(l);
                expert.append(e);
                count.append(load.count(l, e));
                share.append(load.share(l, e));
                weight.append(load.weight(l, e));
            }
        }
        return Table.create("expert load", layer, expert, count, share, weight);
    }

    /** One row a layer: experts used and idle, imbalance, entropy in bits. */
    public static Table balance(ExpertLoad load) {
        IntColumn layer = IntColumn.create("layer");
        IntColumn used = IntColumn.create("used");
        IntColumn idle = IntColumn.create("idle");
        DoubleColumn imbalance = DoubleColumn.create("imbalance");
        DoubleColumn entropy = DoubleColumn.create("entropy bits");
        for (int l : load.layers()) {
            layer.append(l);
            used.append(load.experts() - load.idle(l));
            idle.append(load.idle(l));
            imbalance.append(load.imbalance(l));
            entropy.append(load.entropy(l));
        }
        return Table.create("balance", layer, used, idle, imbalance, entropy);
    }
}
