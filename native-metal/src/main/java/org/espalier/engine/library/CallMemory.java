package org.espalier.engine.library;

import com.sun.jna.Memory;
import com.sun.jna.Native;
import com.sun.jna.Pointer;
import java.nio.ByteBuffer;

/** Memory for what a call reads; it grows, and what the next call puts into it takes the place of what was there. */
final class CallMemory implements AutoCloseable {

    private Memory memory = new Memory(1024);

    Pointer put(Words words) {
        int[] all = words.toArray();
        reserve((long) all.length * Integer.BYTES);
        memory.write(0, all, 0, all.length);
        return memory;
    }

    /**
     * The bytes from position to limit: of a direct buffer in place, which the caller keeps reachable, else copied.
     *
     * @param bytes null for none
     */
    Pointer put(ByteBuffer bytes) {
        if (bytes == null) {
            return null;
        }
        if (bytes.isDirect()) {
            return Native.getDirectBufferPointer(bytes).share(bytes.position());
        }
        reserve(bytes.remaining());
        memory.getByteBuffer(0, bytes.remaining()).put(bytes.duplicate());
        return memory;
    }

    private void reserve(long bytes) {
        if (memory.size() < bytes) {
            Memory larger = new Memory(Math.max(bytes, memory.size() * 2)); // if there is none, the old one stays
            memory.close();
            memory = larger;
        }
    }

    @Override
    public void close() {
        memory.close();
    }
}
