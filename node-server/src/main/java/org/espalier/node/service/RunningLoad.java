package org.espalier.node.service;

import java.util.concurrent.atomic.AtomicReference;
import org.espalier.engine.Cancel;
import org.espalier.failure.Failure;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.Shard;

/** A load in progress. It may be ended from outside: by its client going away, by an unload, by the node closing. The first reason counts. */
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

    /** The shard that is being loaded. */
    Shard self() {
        return request.getPlacement().getShards(request.getShard());
    }

    /** The flag that the loader checks between its phases. */
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
