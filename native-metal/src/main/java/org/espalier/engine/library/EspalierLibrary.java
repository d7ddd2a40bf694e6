package org.espalier.engine.library;

import com.sun.jna.Library;
import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;

/**
 * The functions of {@code espalier.h}, under their names. Addresses that C keeps are longs, those that it reads or writes during a call are pointers; null
 * is none.
 */
interface EspalierLibrary extends Library {

    /** ES_VERSION that this binding speaks. */
    int VERSION = 1;

    /** ES_ERROR_BYTES. */
    int ERROR_BYTES = 1024;

    /**
     * Any library's functions, by JNA's proxies: some microseconds a call, where {@link CpuLibrary} takes part of one.
     *
     * @throws UnsatisfiedLinkError naming a function that it has not
     */
    static EspalierLibrary of(NativeLibrary library) {
        for (Method function : EspalierLibrary.class.getDeclaredMethods()) {
            if (Modifier.isAbstract(function.getModifiers())) {
                library.getFunction(function.getName()); // else it would be missed at its first call
            }
        }
        return Native.load(library.getFile().getPath(), EspalierLibrary.class);
    }

    int es_version();

    int es_describe(Pointer text, int capacity);

    int es_load(Pointer words, long count, Pointer program, Pointer error);

    int es_load_more(long program, Pointer done, Pointer error);

    void es_unload(long program);

    long es_activation_bytes(long program);

    long es_resident_bytes(long program);

    long es_kv_bytes_per_row(long program);

    long es_state_bytes(long program);

    long es_kv_rows_free(long program);

    int es_open(long program, long session, int maxLength, Pointer edits, long count, Pointer error);

    int es_copy_rows(long program, long from, long to, int length, Pointer error);

    int es_snapshot(long program, long session, Pointer error);

    void es_drop_snapshot(long program, long session, int length);

    void es_drop_rows(long program, long session, int length);

    void es_close_session(long program, long session);

    int es_run(
            long program, Pointer step, long count, Pointer activations, Pointer cancel, Pointer result, Pointer error);

    int es_resume(long program, int outcome, Pointer result, Pointer error);

    int es_profile(long program, Pointer nanos, int capacity);

    void es_report(long program, Pointer text, int capacity);

    int es_read_rate(long program, int kind, long bytes, Pointer rate, Pointer error);
}
