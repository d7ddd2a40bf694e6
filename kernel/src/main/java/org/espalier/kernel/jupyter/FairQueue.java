package org.espalier.kernel.jupyter;

import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;

/**
 * Requests that wait for the one thread that answers them. Clients take turns, each in its own order. Who has much waiting already is held
 * up when it sends more, so that nothing of it has to be refused and others do not notice.
 */
final class FairQueue {

    /** Of all requests that wait, where a client has more than one. */
    static final long CHARACTERS = 64L << 20;

    private record Waiting(Message request, int characters) {}

    private final int most;
    /** By the client's identity; who comes next is first. */
    private final Map<ByteBuffer, Queue<Waiting>> clients = new LinkedHashMap<>();

    private long characters;

    /** @param most requests of one client that may wait */
    FairQueue(int most) {
        this.most = most;
    }

    /** Adds a request; waits while its client has too much waiting. */
    void put(Message request) {
        Waiting added = new Waiting(request, request.content().toString().length());
        ByteBuffer client = client(request);
        synchronized (this) {
            while (isFull(client, added.characters)) {
                try {
                    wait();
                } catch (InterruptedException e) {
                    // by code that interrupts every thread it finds: the request still has to be answered
                }
            }
            clients.computeIfAbsent(client, c -> new ArrayDeque<>()).add(added);
            characters += added.characters;
            notifyAll();
        }
    }

    private boolean isFull(ByteBuffer client, int more) {
        Queue<Waiting> own = clients.get(client);
        return own != null && (own.size() >= most || characters + more > CHARACTERS);
    }

    /** The next request of the client whose turn it is; waits for one. */
    synchronized Message take() throws InterruptedException {
        while (clients.isEmpty()) {
            wait();
        }
        ByteBuffer client = clients.keySet().iterator().next();
        Queue<Waiting> own = clients.remove(client);
        Waiting next = own.remove();
        if (!own.isEmpty()) {
            clients.put(client, own); // behind all others
        }
        characters -= next.characters;
        notifyAll();
        return next.request;
    }

    /** Takes all that the client of {@code request} has waiting. */
    synchronized List<Message> takeAll(Message request) {
        Queue<Waiting> own = clients.remove(client(request));
        if (own == null) {
            return List.of();
        }
        own.forEach(taken -> characters -= taken.characters);
        notifyAll();
        return own.stream().map(Waiting::request).toList();
    }

    /** The first routing id is what the socket calls the client; those after it are the client's own. */
    private static ByteBuffer client(Message request) {
        List<byte[]> identities = request.identities();
        return ByteBuffer.wrap(identities.isEmpty() ? new byte[0] : identities.get(0));
    }
}
