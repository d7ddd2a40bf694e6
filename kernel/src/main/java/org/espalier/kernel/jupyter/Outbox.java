package org.espalier.kernel.jupyter;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * What one subscriber has yet to get, bounded in bytes. Output that finds it full waits; a subscriber that takes nothing for a while is
 * waited for no longer: output is then left out, and counted. Messages of the protocol (status, errors) have room of their own, are never
 * left out, and keep their place among the output. Guarded by the publisher's monitor.
 */
final class Outbox {

    /** Whether a message may wait and be left out. */
    enum Kind {
        OUTPUT,
        PROTOCOL
    }

    /** Output that waits at most, where it is more than one message. */
    static final int OUTPUT_BYTES = 4 << 20;

    /** The same where the writer did not wait, since it was interrupted. */
    static final int HURRIED_BYTES = 8 << 20;

    static final int PROTOCOL_BYTES = 32 << 20;

    private static final int BEHIND_BYTES = 64 << 10;

    private sealed interface Item permits Wire, Gap {}

    private record Wire(byte[] bytes, Kind kind) implements Item {}

    /** Where output was left out. */
    private static final class Gap implements Item {
        private final Message first;
        private long bytes;

        Gap(Message first) {
            this.first = first;
        }
    }

    /** Words a message that tells what was left out. */
    interface Notice {
        byte[] wire(Message firstMissed, long missedBytes);
    }

    private final Notice notice;
    private final Deque<Item> items = new ArrayDeque<>();
    private Gap gap;
    private long output;
    private long protocol;

    Outbox(Notice notice) {
        this.notice = notice;
    }

    boolean isEmpty() {
        return items.isEmpty();
    }

    /** Whether output of so many bytes has to wait for the subscriber. */
    boolean isFull(int bytes) {
        return gap == null && output > 0 && output + bytes > OUTPUT_BYTES;
    }

    /** Whether so much of the protocol waits that whoever causes more of it should wait. */
    boolean isBehind() {
        return protocol > BEHIND_BYTES;
    }

    /** Whether even the protocol's messages are more than can be kept. */
    boolean isOverflown() {
        return protocol > PROTOCOL_BYTES;
    }

    /** Waits for the subscriber no longer: from here on output is left out, until it takes what lies before this place. */
    void giveUp(Message message) {
        if (gap == null) {
            gap = new Gap(message);
            items.add(gap);
        }
    }

    void add(Message message, byte[] wire, Kind kind) {
        if (kind == Kind.PROTOCOL) {
            protocol += wire.length;
        } else {
            if (output > 0 && output + wire.length > HURRIED_BYTES) {
                giveUp(message);
            }
            if (gap != null) {
                gap.bytes += wire.length;
                return;
            }
            output += wire.length;
        }
        items.add(new Wire(wire, kind));
    }

    /** The bytes to send next, which no longer count; only if it is not empty. */
    byte[] take() {
        Item next = items.remove();
        if (next instanceof Gap passed) {
            gap = null;
            return notice.wire(passed.first, passed.bytes);
        }
        Wire wire = (Wire) next;
        if (wire.kind == Kind.OUTPUT) {
            output -= wire.bytes.length;
        } else {
            protocol -= wire.bytes.length;
        }
        return wire.bytes;
    }
}
