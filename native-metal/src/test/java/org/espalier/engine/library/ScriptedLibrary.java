package org.espalier.engine.library;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Answers as a test says, in Java: a step returns the statuses that were scripted, one a call. */
final class ScriptedLibrary implements EspalierLibrary {

    /** What was called: functions that change something, and outcomes. */
    final List<String> calls = new ArrayList<>();

    final Deque<Status> steps = new ArrayDeque<>();
    String sentence = "";
    /** What is exchanged, and what every result holds. */
    final Memory values = new Memory(64);

    private int loadsLeft = 3;

    private int answer(Status status, Pointer error) {
        error.setString(0, sentence, "UTF-8");
        return status.ordinal();
    }

    @Override
    public int es_version() {
        return VERSION;
    }

    @Override
    public int es_describe(Pointer text, int capacity) {
        text.setString(0, "a script", "UTF-8");
        return 0;
    }

    @Override
    public int es_load(Pointer words, long count, Pointer program, Pointer error) {
        calls.add("load");
        program.setLong(0, sentence.isEmpty() ? 77 : 0);
        return answer(sentence.isEmpty() ? Status.OK : Status.NO_MEMORY, error);
    }

    @Override
    public int es_load_more(long program, Pointer done, Pointer error) {
        done.setLong(0, 100 - 30L * --loadsLeft);
        return answer(sentence.isEmpty() ? Status.OK : Status.FAILED, error);
    }

    @Override
    public void es_unload(long program) {
        calls.add("unload " + program);
    }

    @Override
    public long es_activation_bytes(long program) {
        return 4;
    }

    @Override
    public long es_resident_bytes(long program) {
        return 100;
    }

    @Override
    public long es_kv_bytes_per_row(long program) {
        return 3L << 32;
    }

    @Override
    public long es_state_bytes(long program) {
        return 0;
    }

    @Override
    public long es_kv_rows_free(long program) {
        return 9;
    }

    @Override
    public int es_open(long program, long session, int maxLength, Pointer edits, long count, Pointer error) {
        calls.add("open " + session + " for " + maxLength + ", " + count + " words");
        return answer(Status.OK, error);
    }

    @Override
    public int es_copy_rows(long program, long from, long to, int length, Pointer error) {
        return answer(Status.NO_MEMORY, error);
    }

    @Override
    public int es_snapshot(long program, long session, Pointer error) {
        return answer(Status.NO_MEMORY, error);
    }

    @Override
    public void es_drop_snapshot(long program, long session, int length) {}

    @Override
    public void es_drop_rows(long program, long session, int length) {
        calls.add("drop rows of " + session + " from " + length);
    }

    @Override
    public void es_close_session(long program, long session) {
        calls.add("close " + session);
    }

    @Override
    public int es_run(
            long program,
            Pointer step,
            long count,
            Pointer activations,
            Pointer cancel,
            Pointer result,
            Pointer error) {
        calls.add("run" + (activations == null ? "" : " " + activations.getInt(0))
                + (cancel.getInt(0) == 0 ? "" : " cancelled"));
        return next(result, error);
    }

    @Override
    public int es_resume(long program, int outcome, Pointer result, Pointer error) {
        calls.add("resume " + outcome);
        return outcome == 0 ? next(result, error) : answer(outcome == 1 ? Status.CANCELLED : Status.FAILED, error);
    }

    private int next(Pointer result, Pointer error) {
        result.clear(ResultField.BYTES);
        result.setLong(ResultField.EXCHANGE_VALUES.offset(), Pointer.nativeValue(values));
        result.setLong(ResultField.EXCHANGE_BYTES.offset(), 8);
        result.setLong(ResultField.ACTIVATIONS.offset(), Pointer.nativeValue(values));
        result.setLong(ResultField.ACTIVATION_BYTES.offset(), 8);
        Status status = steps.remove();
        return answer(status, error);
    }

    @Override
    public int es_profile(long program, Pointer nanos, int capacity) {
        return 0;
    }

    @Override
    public void es_report(long program, Pointer text, int capacity) {
        text.setString(0, "3 of 8 experts: one way taken\nall experts: another\n", "UTF-8");
    }

    @Override
    public int es_read_rate(long program, int kind, long bytes, Pointer rate, Pointer error) {
        return answer(Status.FAILED, error);
    }
}
