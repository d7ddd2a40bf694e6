package org.espalier.engine;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** A flag in native memory that engines check between ops. Once set it stays set. */
public final class Cancel {

    private static final VarHandle FLAG = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private final ByteBuffer memory = ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());

    public void set() {
        FLAG.setVolatile(memory, 0, 1);
    }

    public boolean isSet() {
        return (int) FLAG.getVolatile(memory, 0) != 0;
    }

    /** @throws CancelledException if the flag is set */
    public void check() {
        if (isSet()) {
            throw new CancelledException();
        }
    }

    /** The int32 that native engines read; non-zero means cancelled. Valid as long as this object lives. */
    public ByteBuffer memory() {
        return memory;
    }
}
