package org.espalier.kernel.jshell;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.lang.ref.WeakReference;
import java.math.BigInteger;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.espalier.kernel.jshell.FormerObjects.Found;
import org.espalier.kernel.jshell.FormerObjects.Problem;
import org.junit.jupiter.api.Test;

class FormerObjectsTest {

    private static final Object OLD = new FormerWrapper.Old();

    private record Pair(int number, Object held) {}

    private static class Holder {

        private final Object held;

        Holder(Object held) {
            this.held = held;
        }
    }

    private static final class LaterHolder extends Holder {

        LaterHolder(Object held) {
            super(held);
        }
    }

    private static final class Elements extends ArrayList<Object> {}

    private static Optional<Problem> find(Object root) {
        return new FormerObjects(Set.of(FormerWrapper.class)).find(root).map(Found::problem);
    }

    @Test
    void findsObjectsWhereverTheyAre() {
        Elements elements = new Elements();
        elements.add(OLD);
        Object captured = OLD;
        Supplier<Object> capturing = () -> captured;
        for (Object root : List.of(
                OLD,
                new FormerWrapper.Sub(),
                FormerWrapper.lambda(),
                FormerWrapper.anonymous(),
                FormerWrapper.Old.class,
                new FormerWrapper.Old[0],
                new Object[] {1, OLD},
                new Object[][] {{}, {OLD}},
                List.of(OLD),
                new ArrayList<>(List.of("a", List.of(OLD))),
                Arrays.asList(OLD),
                new ArrayDeque<>(List.of(OLD)),
                Collections.unmodifiableSet(Set.of(OLD)),
                Map.of("k", OLD),
                Map.of(OLD, "v"),
                new TreeMap<>(Map.of(1, new HashMap<>(Map.of(2, OLD)))),
                new ConcurrentHashMap<>(Map.of(1, OLD)),
                Map.entry(1, OLD),
                Optional.of(OLD),
                new AtomicReference<>(OLD),
                new WeakReference<>(OLD),
                new Pair(1, OLD),
                new LaterHolder(new Holder(OLD)),
                elements,
                capturing)) {
            assertThat(find(root)).as(root.getClass().toString()).contains(Problem.FORMER_CLASS);
        }
    }

    @Test
    void passesWhatHoldsNone() {
        List<Object> itself = new ArrayList<>();
        itself.add(itself);
        Holder[] circle = new Holder[1];
        circle[0] = new Holder(circle);
        for (Object root : List.of(
                1,
                "text",
                BigInteger.TEN,
                LocalDate.EPOCH,
                LocalDate.EPOCH.atStartOfDay(),
                'a',
                String.CASE_INSENSITIVE_ORDER,
                UUID.randomUUID(),
                new File("a"),
                Path.of("a"),
                new Random(1),
                TimeUnit.DAYS,
                new int[] {1},
                new Object[] {"a", null},
                List.of(),
                itself,
                circle,
                Map.of("k", List.of(1)),
                Optional.empty(),
                new Pair(1, null),
                new LaterHolder(new Pair(2, "a")),
                new IllegalStateException("a"),
                (Supplier<String>) () -> "a")) {
            assertThat(find(root)).as(root.getClass().toString()).isEmpty();
        }
    }

    @Test
    void whatTheJdkHidesCountsAsHoldingSome() {
        for (Object root : List.of(
                Stream.of(OLD),
                List.of(OLD).iterator(),
                new ArrayList<>(List.of(OLD)).iterator(),
                new HashMap<>(Map.of(1, OLD)).entrySet().iterator(),
                Collections.enumeration(List.of(OLD)),
                ThreadLocal.withInitial(() -> OLD),
                Comparator.comparing(Object::toString))) {
            assertThat(find(List.of(root))).as(root.getClass().toString()).contains(Problem.CLOSED);
        }
    }

    private static class Counted extends ArrayList<Object> {

        private int walks;

        @Override
        public void forEach(Consumer<? super Object> action) {
            walks++;
            super.forEach(action);
        }
    }

    @Test
    void whatWasFoundCleanIsNotLookedAtAgain() {
        Counted counted = new Counted();
        FormerObjects objects = new FormerObjects(Set.of(FormerWrapper.class));
        assertThat(objects.find(new Holder(counted))).isEmpty();
        assertThat(objects.find(List.of(counted, OLD))).isPresent();
        assertThat(objects.find(new Object[] {counted})).isEmpty();
        assertThat(counted.walks).isEqualTo(1);
        Counted dirty = new Counted();
        dirty.add(OLD);
        assertThat(objects.find(dirty)).isPresent();
        assertThat(objects.find(dirty)).isPresent();
    }

    @Test
    void anInterruptEndsTheLook() {
        Thread.currentThread().interrupt();
        try {
            assertThat(find(Collections.nCopies(10_000, "a"))).contains(Problem.INTERRUPTED);
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void tooLittleMemoryCountsAsTooMany() {
        assertThat(find(new Counted() {
                    @Override
                    public void forEach(Consumer<? super Object> action) {
                        throw new OutOfMemoryError("as if");
                    }
                }))
                .contains(Problem.TOO_MANY);
    }

    @Test
    void looksAtSoManyAndNoMore() {
        assertThat(find(Collections.nCopies(FormerObjects.LIMIT - 1, "a"))).isEmpty();
        assertThat(find(Collections.nCopies(FormerObjects.LIMIT, "a"))).contains(Problem.TOO_MANY);
    }
}

/** Stands for the class that JShell wraps a declaration in which has been replaced. */
final class FormerWrapper {

    private FormerWrapper() {}

    static class Old {}

    static class Sub extends Old {}

    static Supplier<String> lambda() {
        return () -> "";
    }

    static Object anonymous() {
        return new Object() {};
    }
}
