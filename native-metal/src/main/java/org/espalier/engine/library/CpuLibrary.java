package org.espalier.engine.library;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/** The library of the cpu engine, by JNA's direct mapping, which is the fastest and needs a class for each library. */
final class CpuLibrary implements EspalierLibrary {

    CpuLibrary(NativeLibrary library) {
        Native.register(CpuLibrary.class, library);
    }

    @Override
    public native int es_version();

    @Override
    public native int es_describe(Pointer text, int capacity);

    @Override
    public native int es_load(Pointer words, long count, Pointer program, Pointer error);

    @Override
    public native int es_load_more(long program, Pointer done, Pointer error);

    @Override
    public native void es_unload(long program);

    @Override
    public native long es_activation_bytes(long program);

    @Override
    public native long es_resident_bytes(long program);

    @Override
    public native long es_kv_bytes_per_row(long program);

    @Override
    public native long es_state_bytes(long program);

    @Override
    public native long es_kv_rows_free(long program);

    @Override
    public native int es_open(long program, long session, int maxLength, Pointer edits, long count, Pointer error);

    @Override
    public native int es_copy_rows(long program, long from, long to, int length, Pointer error);

    @Override
    public native int es_snapshot(long program, long session, Pointer error);

    @Override
    public native void es_drop_snapshot(long program, long session, int length);

    @Override
    public native void es_drop_rows(long program, long session, int length);

    @Override
    public native void es_close_session(long program, long session);

    @Override
    public native int es_run(
            long program, Pointer step, long count, Pointer activations, Pointer cancel, Pointer result, Pointer error);

    @Override
    public native int es_resume(long program, int outcome, Pointer result, Pointer error);

    @Override
    public native int es_profile(long program, Pointer nanos, int capacity);

    @Override
    public native void es_report(long program, Pointer text, int capacity);

    @Override
    public native int es_read_rate(long program, int kind, long bytes, Pointer rate, Pointer error);
}
