package org.espalier.kernel.dependencies;

import java.util.function.Consumer;
import org.eclipse.aether.transfer.AbstractTransferListener;
import org.eclipse.aether.transfer.TransferCancelledException;
import org.eclipse.aether.transfer.TransferEvent;

/** Watches Maven's downloads, says what takes long, and ends them when asked. */
final class Downloads extends AbstractTransferListener {

    private static final long LONG_BYTES = 1 << 20;

    private final Consumer<String> progress;
    private volatile boolean cancelled;

    Downloads(Consumer<String> progress) {
        this.progress = progress;
    }

    void cancel() {
        cancelled = true;
    }

    @Override
    public void transferInitiated(TransferEvent event) throws TransferCancelledException {
        endIfCancelled();
    }

    @Override
    public void transferStarted(TransferEvent event) throws TransferCancelledException {
        endIfCancelled();
        long bytes = event.getResource().getContentLength();
        if (bytes >= LONG_BYTES) {
            String name = event.getResource().getResourceName();
            progress.accept("downloading " + name.substring(name.lastIndexOf('/') + 1) + ", " + (bytes >> 20) + " MB");
        }
    }

    @Override
    public void transferProgressed(TransferEvent event) throws TransferCancelledException {
        endIfCancelled();
    }

    private void endIfCancelled() throws TransferCancelledException {
        if (cancelled) {
            throw new TransferCancelledException("the cell was interrupted");
        }
    }
}
