package org.espalier.kernel.jshell;

import java.lang.ref.WeakReference;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.espalier.kernel.jshell.FormerObjects.Problem;

/**
 * The variables of the notebook's code. Each is a static field of a class that JShell makes around its declaration. When something that
 * the declaration names has changed, JShell makes a new class, whose field is empty: then {@link #restore} moves the value over.
 */
final class Variables {

    private static final Pattern WRAPPER = Pattern.compile("REPL\\.\\$JShell\\$(\\d+[A-Z]*(?:_\\d+[A-Z]*)*)");

    /**
     * A value that could not be moved.
     *
     * @param type the class in the way, of the value or of an object that it holds
     */
    record Lost(String name, Class<?> type, Problem problem) {}

    private final Map<String, Field> fields = new ConcurrentHashMap<>();

    /** All classes that there were for a snippet, the newest last. */
    private final Map<String, List<Class<?>>> generations = new LinkedHashMap<>();

    /** What variables had before the code that runs now was compiled. */
    private final Map<String, Field> emptied = new LinkedHashMap<>();

    /** A field that a variable had before, and what it was left with. */
    private record Left(String name, Field field, WeakReference<Object> value) {}

    private List<Left> left = new ArrayList<>();

    private final Set<String> replaced = new HashSet<>();

    /** Classes that were compiled against a type which was declared anew since. */
    private final Set<Class<?>> former = new HashSet<>();

    private boolean typeChanged;

    /** The change that was restored after is over, with all that it brought about. */
    void settled() {
        typeChanged = false;
        List<Left> former = left;
        left = new ArrayList<>();
        former.forEach(this::follow);
    }

    /**
     * Code from before, a lambda for instance, uses the field from before: when the variable gets another value, so does that field, which would
     * also keep a value in memory that nobody else has any more.
     */
    private void follow(Left former) {
        Object value = former.value().get();
        if (value == null || get(former.field()) != value) {
            return; // nobody has the value any more, or code from before changed the field itself
        }
        Object now = get(fields.get(former.name()));
        if (now == null || former.field().getType().isInstance(now)) {
            set(former.field(), now);
            leave(former.name(), former.field());
        }
    }

    private void leave(String name, Field before) {
        Object value = before.getType().isPrimitive() ? null : get(before);
        if (value != null) {
            left.add(new Left(name, before, new WeakReference<>(value)));
        }
    }

    /** The snippet of this class is about to run: the variable that it declares begins empty. */
    void declaredAnew(Class<?> type) {
        for (Field field : type.getDeclaredFields()) {
            Field before = emptied.remove(field.getName());
            if (before != null) {
                leave(field.getName(), before);
            }
        }
    }

    /** Takes note of a class that JShell has loaded. */
    void loaded(Class<?> type) {
        Matcher wrapper = WRAPPER.matcher(type.getName());
        if (!wrapper.matches()) {
            return;
        }
        String snippet = wrapper.group(1).replaceAll("[A-Z]", "");
        List<Class<?>> all = generations.computeIfAbsent(snippet, none -> new ArrayList<>());
        if (!all.isEmpty()) {
            replaced.add(snippet);
        }
        all.add(type);
        for (Field field : type.getDeclaredFields()) {
            if (Modifier.isStatic(field.getModifiers()) && Modifier.isPublic(field.getModifiers())) {
                field.setAccessible(true); // the class itself is not public
                Field before = fields.put(field.getName(), field);
                if (before != null) {
                    emptied.putIfAbsent(field.getName(), before);
                }
            }
        }
    }

    /** The value of a variable; empty if there is none of that name, or it is null. */
    Optional<Object> value(String name) {
        return Optional.ofNullable(fields.get(name)).map(Variables::get);
    }

    /** The same of a variable that is about to be dropped, and keeps it no longer. */
    Optional<Object> take(String name) {
        Optional<Object> value = value(name);
        Field field = fields.remove(name);
        if (field != null && !field.getType().isPrimitive()) {
            set(field, null);
        }
        return value;
    }

    /** Fills what was emptied by classes loaded since the last call, except with objects whose classes are no longer the notebook's. */
    List<Lost> restore() {
        if (replaced.stream().anyMatch(this::declaresType)) {
            typeChanged = true;
            for (String snippet : replaced) {
                List<Class<?>> all = generations.get(snippet);
                former.addAll(all.subList(0, all.size() - 1));
            }
        }
        replaced.clear();
        List<Lost> lost = new ArrayList<>();
        FormerObjects objects = new FormerObjects(former);
        emptied.forEach((name, before) -> {
            Object value = get(before);
            Field field = fields.get(name);
            if (value == null) {
                return;
            }
            Optional<FormerObjects.Found> found = typeChanged ? objects.find(value) : Optional.empty();
            if (found.isPresent()) {
                lost.add(new Lost(name, found.get().type(), found.get().problem()));
            } else if (!set(field, before, value)) {
                lost.add(new Lost(name, value.getClass(), Problem.OTHER_TYPE));
            } else {
                leave(name, before);
            }
        });
        emptied.clear();
        return lost;
    }

    /** The class around a type has nothing else. */
    private boolean declaresType(String snippet) {
        Class<?> type = generations.get(snippet).get(0);
        return type.getDeclaredMethods().length == 0 && type.getDeclaredClasses().length > 0;
    }

    private static boolean set(Field field, Field before, Object value) {
        boolean fits = field.getType().isPrimitive()
                ? field.getType() == before.getType()
                : field.getType().isInstance(value);
        if (fits) {
            set(field, value);
        }
        return fits;
    }

    private static void set(Field field, Object value) {
        try {
            field.set(null, value);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Object get(Field field) {
        try {
            return field.get(null);
        } catch (IllegalAccessException e) {
            throw new IllegalStateException(e);
        }
    }
}
