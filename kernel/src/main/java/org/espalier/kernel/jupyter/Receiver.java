package org.espalier.kernel.jupyter;

/** Takes what comes in on a channel, on the thread of the client that sent it: nothing more of that client is read before it returns. */
public interface Receiver {

    void accept(Message message);

    /**
     * Takes a signed message whose content cannot be used.
     *
     * @param message without content
     * @param reason one sentence
     */
    void refuse(Message message, String reason);
}
