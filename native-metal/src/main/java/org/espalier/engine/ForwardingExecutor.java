package org.espalier.engine;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/** An executor that does something beside what another one does. */
public interface ForwardingExecutor extends Executor {

    /** The other one. */
    Executor executor();

    @Override
    default boolean loadMore(Loading loading) {
        return executor().loadMore(loading);
    }

    @Override
    default int activationBytes() {
        return executor().activationBytes();
    }

    @Override
    default long residentBytes() {
        return executor().residentBytes();
    }

    @Override
    default long kvBytesPerRow() {
        return executor().kvBytesPerRow();
    }

    @Override
    default long stateBytes() {
        return executor().stateBytes();
    }

    @Override
    default long kvRowsFree() {
        return executor().kvRowsFree();
    }

    @Override
    default void open(long session, int maxLength, RouterEdits edits) {
        executor().open(session, maxLength, edits);
    }

    @Override
    default void copyRows(long from, long to, int length) {
        executor().copyRows(from, to, length);
    }

    @Override
    default void snapshot(long session) {
        executor().snapshot(session);
    }

    @Override
    default void dropSnapshot(long session, int length) {
        executor().dropSnapshot(session, length);
    }

    @Override
    default void dropRows(long session, int length) {
        executor().dropRows(session, length);
    }

    @Override
    default void close(long session) {
        executor().close(session);
    }

    @Override
    default StepResult run(Step step, Exchange exchange, Cancel cancel) {
        return executor().run(step, exchange, cancel);
    }

    @Override
    default OptionalDouble readRate(ReadSource source, long bytes) {
        return executor().readRate(source, bytes);
    }

    @Override
    default Optional<long[]> profile() {
        return executor().profile();
    }

    @Override
    default List<String> choices() {
        return executor().choices();
    }

    @Override
    default void close() {
        executor().close();
    }
}
