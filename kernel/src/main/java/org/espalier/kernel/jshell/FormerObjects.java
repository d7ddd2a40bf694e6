package org.espalier.kernel.jshell;

import java.lang.ref.Reference;
import java.lang.reflect.Field;
import java.lang.reflect.GenericArrayType;
import java.lang.reflect.InaccessibleObjectException;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.Type;
import java.lang.reflect.TypeVariable;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.stream.Stream;

/**
 * Looks for objects of classes that have been replaced, in a value and in all that can be reached from it. Of the JDK's own objects, whose fields are
 * closed to us, the elements of containers are looked at; one that is of a generic class, such as an iterator, and no container may hold anything. One of any
 * other class gives nothing back under a type of the notebook, so it may stay whatever it holds.
 */
final class FormerObjects {

    static final int LIMIT = 10_000_000;
    private static final int LOOKS_BETWEEN_INTERRUPT_CHECKS = 4096;

    enum Problem {
        FORMER_CLASS,
        CLOSED,
        TOO_MANY,
        INTERRUPTED,
        OTHER_TYPE
    }

    /** @param type the class that was replaced, or of the object that cannot be looked into */
    record Found(Class<?> type, Problem problem) {}

    /** What is known of a class: whether it was replaced, the fields to follow, and what it inherits from the JDK. */
    private record Shape(boolean former, List<Field> fields, boolean container, boolean closed) {

        boolean leadsOn() {
            return container || !fields.isEmpty();
        }
    }

    private final Set<Class<?>> former;
    private final Map<Class<?>, Shape> shapes = new HashMap<>();

    /** Objects from which no object of a former class can be reached, of all values so far. */
    private Set<Object> clean = newSet();

    private Set<Object> seen = newSet();
    private final ArrayDeque<Object> waiting = new ArrayDeque<>();
    private int looked;
    private Optional<Found> found = Optional.empty();

    /** @param former classes that JShell wrapped snippets in, and has replaced */
    FormerObjects(Set<Class<?>> former) {
        this.former = former;
    }

    private static Set<Object> newSet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    /** The first object of a former class, or the first that cannot be looked into. */
    Optional<Found> find(Object root) {
        looked = 0;
        found = Optional.empty();
        try {
            look(root);
            while (!waiting.isEmpty()) {
                lookInto(waiting.pop());
            }
            keepClean();
        } catch (CancellationException e) {
            // found
        } catch (OutOfMemoryError e) {
            clean = newSet();
            found = Optional.of(new Found(root.getClass(), Problem.TOO_MANY));
        }
        seen = newSet();
        waiting.clear();
        return found;
    }

    private void keepClean() {
        boolean more = seen.size() > clean.size();
        Set<Object> small = more ? clean : seen;
        Set<Object> large = more ? seen : clean;
        large.addAll(small);
        clean = large;
    }

    private void lookInto(Object object) {
        if (clean.contains(object) || !seen.add(object)) {
            return;
        }
        try {
            lookInto(object, shapes.get(object.getClass()));
        } catch (CancellationException e) {
            throw e;
        } catch (RuntimeException | StackOverflowError e) { // for instance another thread changes the collection
            end(new Found(object.getClass(), Problem.CLOSED));
        }
    }

    private void look(Object object) {
        if (object == null) {
            return;
        }
        Class<?> type = object instanceof Class<?> itself ? itself : object.getClass();
        Shape shape = shapes.computeIfAbsent(type, this::shape);
        if (shape.former()) {
            end(new Found(type, Problem.FORMER_CLASS));
        } else if (++looked > LIMIT) {
            end(new Found(type, Problem.TOO_MANY));
        } else if (looked % LOOKS_BETWEEN_INTERRUPT_CHECKS == 0
                && Thread.currentThread().isInterrupted()) { // stays so: whoever runs the cell ends it
            end(new Found(type, Problem.INTERRUPTED));
        } else if (object instanceof Class<?>) {
            return; // a class holds nothing else
        } else if (shape.closed()) {
            end(new Found(type, Problem.CLOSED));
        } else if (object instanceof Object[] || shape.leadsOn()) {
            waiting.push(object);
        }
    }

    /** Also out of the middle of a collection. */
    private void end(Found what) {
        found = Optional.of(what);
        throw new CancellationException();
    }

    private void lookInto(Object object, Shape shape) {
        if (object instanceof Object[] array) {
            for (Object element : array) {
                look(element);
            }
        }
        for (Field field : shape.fields()) {
            try {
                look(field.get(object));
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
        if (!shape.container()) {
            return;
        }
        if (object instanceof Map<?, ?> map) {
            map.forEach((key, value) -> {
                look(key);
                look(value);
            });
        } else if (object instanceof Collection<?> collection) {
            collection.forEach(this::look);
        } else if (object instanceof Optional<?> optional) {
            optional.ifPresent(this::look);
        } else if (object instanceof Map.Entry<?, ?> entry) {
            look(entry.getKey());
            look(entry.getValue());
        } else if (object instanceof AtomicReference<?> reference) {
            look(reference.get());
        } else if (object instanceof AtomicReferenceArray<?> array) {
            for (int i = 0; i < array.length(); i++) {
                look(array.get(i));
            }
        } else if (object instanceof Reference<?> reference) {
            look(reference.get());
        }
    }

    private Shape shape(Class<?> type) {
        if (type.isArray()) {
            return new Shape(isFormer(type.getComponentType()), List.of(), false, false);
        }
        List<Field> fields = new ArrayList<>();
        Class<?> part = type;
        try {
            for (; part != null && !part.getModule().isNamed(); part = part.getSuperclass()) {
                for (Field field : part.getDeclaredFields()) {
                    if (!Modifier.isStatic(field.getModifiers()) && canHoldObjects(field.getType())) {
                        field.setAccessible(true);
                        fields.add(field);
                    }
                }
            }
        } catch (InaccessibleObjectException e) {
            return new Shape(isFormer(type), List.of(), false, true);
        }
        boolean container = part != null && isContainer(part);
        boolean closed = part != null && !container && !type.isEnum() && (part.isHidden() || isGeneric(part));
        return new Shape(isFormer(type), fields, container, closed);
    }

    /**
     * Whether a class, or one around it, has type parameters, or it gives back what it holds as one of them: {@code ArrayList}'s iterator is an
     * {@code Iterator<E>}. A {@code String} is a {@code Comparable<String>} and no such class.
     */
    private static boolean isGeneric(Class<?> type) {
        for (Class<?> around = type; around != null; around = around.getEnclosingClass()) {
            if (around.getTypeParameters().length > 0) {
                return true;
            }
        }
        return Stream.concat(Stream.ofNullable(type.getGenericSuperclass()), Stream.of(type.getGenericInterfaces()))
                .anyMatch(parent -> parent instanceof Class<?> plain ? isGeneric(plain) : hasVariable(parent));
    }

    private static boolean hasVariable(Type type) {
        if (type instanceof ParameterizedType generic) {
            return Stream.of(generic.getActualTypeArguments()).anyMatch(FormerObjects::hasVariable);
        }
        return type instanceof TypeVariable || type instanceof GenericArrayType;
    }

    private static boolean canHoldObjects(Class<?> type) {
        return !type.isPrimitive() && type != String.class && !Number.class.isAssignableFrom(type);
    }

    private static boolean isContainer(Class<?> type) {
        return Map.class.isAssignableFrom(type)
                || Collection.class.isAssignableFrom(type)
                || type == Optional.class
                || Map.Entry.class.isAssignableFrom(type)
                || AtomicReference.class.isAssignableFrom(type)
                || AtomicReferenceArray.class.isAssignableFrom(type)
                || Reference.class.isAssignableFrom(type);
    }

    /** Inner classes, lambdas and subclasses go with what they are part of. */
    private boolean isFormer(Class<?> type) {
        if (type == null) {
            return false;
        }
        if (type.isArray()) {
            return isFormer(type.getComponentType());
        }
        if (former.contains(type.getNestHost()) || isFormer(type.getSuperclass())) {
            return true;
        }
        for (Class<?> parent : type.getInterfaces()) {
            if (isFormer(parent)) {
                return true;
            }
        }
        return false;
    }
}
