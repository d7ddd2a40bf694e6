package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.ObjectNode;

/** What a kernel does with requests; contents are those of the protocol, {@code status} included. */
public interface Requests {

    ObjectNode kernelInfo();

    /** Runs a cell and returns the execute_reply's content without its count; called from one thread. */
    ObjectNode execute(Cell cell);

    ObjectNode complete(String code, int cursor);

    ObjectNode inspect(String code, int cursor, int detail);

    ObjectNode isComplete(String code);

    ObjectNode history(ObjectNode request);

    /** Stops the running cell; harmless if none runs. */
    void interrupt();

    /** The kernel is about to end. */
    void shutdown();
}
