package org.espalier.node.service;

import java.util.concurrent.atomic.AtomicReference;
import org.espalier.engine.Cancel;
import org.espalier.failure.Failure;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.Shard;

/** A load under way. Others may end it: the client by going away, an unload, the node by closing. The first reason counts. */
final class RunningLoad {

    private final LoadRequest request;
    private final Cancel cancel = new Cancel();
    private final AtomicReference<Failure> reason = new AtomicReference<>();

    RunningLoad(LoadRequest request) {
        this.request = request;
    }

    LoadRequest request() {
        return request;
    }

    /** The shard that is loaded. */
    Shard self() {
        return request.getPlacement().getShards(request.getShard());
    }

    /** For the loader, which looks at it between its phases. */
    Cancel cancel() {
        return cancel;
    }

    void end(Failure why) {
        reason.compareAndSet(null, why);
        cancel.set();
    }

    boolean ended() {
        return reason.get() != null;
    }

    /** @throws org.espalier.failure.FailureException with the reason if it was ended */
    void check() {
        Failure why = reason.get();
        if (why != null) {
            throw why.exception();
        }
    }
}
