package org.espalier.kernel.jshell;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import jdk.jshell.DeclarationSnippet;
import jdk.jshell.ImportSnippet;
import jdk.jshell.JShell;
import jdk.jshell.MethodSnippet;
import jdk.jshell.PersistentSnippet;
import jdk.jshell.Snippet;
import jdk.jshell.Snippet.Status;
import jdk.jshell.SnippetEvent;
import jdk.jshell.TypeDeclSnippet;
import jdk.jshell.VarSnippet;
import org.espalier.kernel.jshell.Variables.Lost;

/**
 * What a snippet does to those before it. JShell compiles again whatever depends on it, which may fail, and forgets the former declaration even
 * where the new one does not compile. Here such a failure is undone, and what is lost nevertheless is told.
 */
final class Redefinitions {

    private final JShell shell;
    private final LiveExecution execution;
    private final Origins origins;

    /** Variables that JShell dropped since their type could not be compiled, by name. */
    private final Map<String, VarSnippet> dormant = new LinkedHashMap<>();

    Redefinitions(JShell shell, LiveExecution execution, Origins origins) {
        this.shell = shell;
        this.execution = execution;
        this.origins = origins;
    }

    /**
     * Puts the declarations in order that an evaluation touched.
     *
     * @return for the user, what was lost
     */
    List<String> settle(List<SnippetEvent> events) {
        undo(events);
        Optional<SnippetEvent> main = events.stream()
                .filter(event -> event.causeSnippet() == null
                        && event.snippet() instanceof PersistentSnippet
                        && event.status() != Status.REJECTED)
                .findFirst();
        if (main.isEmpty()) {
            execution.takeLost();
            return List.of();
        }
        Change change = new Change(
                (PersistentSnippet) main.get().snippet(),
                events.stream().anyMatch(event -> event.status() == Status.OVERWRITTEN));
        if (change.snippet() instanceof VarSnippet variable) {
            dormant.remove(variable.name());
        }
        List<SnippetEvent> broken = events.stream()
                .filter(event -> event.causeSnippet() != null
                        && event.previousStatus() == Status.VALID
                        && event.status().isActive()
                        && event.status() != Status.VALID)
                .toList();
        for (SnippetEvent event : broken) {
            if (event.snippet() instanceof VarSnippet variable
                    && !event.status().isDefined()) {
                dormant.put(variable.name(), variable);
            }
        }
        wake();
        List<String> notes = new ArrayList<>();
        for (SnippetEvent event : broken) {
            if (!isDefined(event.snippet())) {
                notes.addAll(broken((DeclarationSnippet) event.snippet(), " any more, since " + change.text()));
            }
        }
        for (Lost lost : execution.takeLost()) {
            if (!(change.snippet() instanceof VarSnippet)
                    || !change.snippet().name().equals(lost.name())) {
                notes.add(lost(lost, change));
            }
        }
        return notes;
    }

    private record Change(PersistentSnippet snippet, boolean again) {

        String what() {
            if (snippet instanceof ImportSnippet) {
                return "import " + ((ImportSnippet) snippet).fullname();
            }
            return Redefinitions.kind(snippet) + " " + snippet.name();
        }

        String text() {
            if (snippet instanceof ImportSnippet) {
                return what() + " changes what names mean";
            }
            return what()
                    + (again
                            ? snippet instanceof VarSnippet ? " was declared again" : " was redefined"
                            : " was declared");
        }
    }

    private static String kind(Snippet snippet) {
        if (snippet instanceof TypeDeclSnippet) {
            return switch (snippet.subKind()) {
                case INTERFACE_SUBKIND -> "interface";
                case ENUM_SUBKIND -> "enum";
                case ANNOTATION_TYPE_SUBKIND -> "annotation";
                default -> snippet.subKind().name().startsWith("RECORD") ? "record" : "class";
            };
        }
        return snippet instanceof MethodSnippet ? "method" : "variable";
    }

    /** Declares again what a snippet overwrote that does not compile; its code does not run again. */
    private void undo(List<SnippetEvent> events) {
        events.stream()
                .filter(event ->
                        event.status() == Status.OVERWRITTEN && shell.status(event.causeSnippet()) == Status.REJECTED)
                .map(SnippetEvent::snippet)
                .forEach(snippet -> declare(snippet, snippet.source()));
    }

    /** A variable that JShell gave up, for instance since the type of its {@code var} is another class now, is declared by its type. */
    private void wake() {
        dormant.keySet().removeIf(this::isVariable);
        for (VarSnippet variable : dormant.values()) {
            declare(variable, variable.typeName() + " " + variable.name() + ";");
            if (!isVariable(variable.name())) { // its type has no name
                declare(variable, variable.source());
            }
        }
        dormant.keySet().removeIf(this::isVariable);
    }

    private boolean isVariable(String name) {
        return shell.variables()
                .anyMatch(variable ->
                        variable.name().equals(name) && shell.status(variable).isDefined());
    }

    private boolean isDefined(Snippet snippet) {
        return snippet instanceof VarSnippet variable
                ? isVariable(variable.name())
                : shell.status(snippet) == Status.VALID;
    }

    private void declare(Snippet snippet, String source) {
        Origin origin = origins.of(snippet);
        execution.withoutRunning(() -> origins.remember(shell.eval(source), origin));
    }

    private List<String> broken(DeclarationSnippet snippet, String since) {
        String what = kind(snippet) + " " + snippet.name();
        CompileErrors errors = CompileErrors.of(shell.diagnostics(snippet), origins.of(snippet));
        if (!errors.isEmpty()) {
            List<String> lines = new ArrayList<>();
            lines.add(what + " does not compile" + since + ":");
            lines.addAll(errors.lines());
            return lines;
        }
        String missing = missing(snippet);
        return List.of(what + " cannot be used" + since + (missing.isEmpty() ? "" : ": it needs " + missing));
    }

    /** Why a name is not there that a compile error misses, if it was declared. */
    List<String> reasons(CompileErrors missing) {
        List<String> lines = new ArrayList<>();
        shell.snippets()
                .filter(snippet -> snippet instanceof DeclarationSnippet
                        && shell.status(snippet) == Status.RECOVERABLE_NOT_DEFINED
                        && missing.mentions(kind(snippet) + " " + ((DeclarationSnippet) snippet).name()))
                .forEach(snippet -> lines.addAll(broken((DeclarationSnippet) snippet, "")));
        return lines;
    }

    /** What a declaration waits for: {@code method g(int)}. */
    String missing(DeclarationSnippet snippet) {
        return String.join(", ", shell.unresolvedDependencies(snippet).toList());
    }

    private String lost(Lost lost, Change change) {
        Class<?> element = lost.type();
        while (element.isArray()) {
            element = element.getComponentType();
        }
        String type = SnippetNames.clean(element.getName()).replace('$', '.');
        String reason = switch (lost.problem()) {
            case FORMER_CLASS ->
                element.isHidden() || element.isAnonymousClass()
                        ? "it holds code that was compiled before " + change.text()
                        : (change.snippet() instanceof TypeDeclSnippet
                                        && change.snippet().name().equals(type))
                                ? change.what() + ", of which it holds objects, was redefined"
                                : "class " + type + ", of which it holds objects, was compiled again since "
                                        + change.text();
            case CLOSED ->
                change.text() + ", and whether it holds objects of the former class cannot be seen in a " + type;
            case TOO_MANY ->
                change.text() + ", and it holds more than " + FormerObjects.LIMIT
                        + " objects, too many to look through for those of the former class";
            case INTERRUPTED ->
                change.text() + ", and the look through it for objects of the former class was interrupted";
            case OTHER_TYPE -> "its type was compiled again since " + change.text();
        };
        return lost.name() + " was reset to null: " + reason + again(lost.name());
    }

    private String again(String name) {
        return shell.variables()
                .filter(variable -> variable.name().equals(name))
                .map(origins::of)
                .filter(origin -> !origin.source().isEmpty())
                .map(origin -> " (made in " + origin.source() + ")")
                .findFirst()
                .orElse("");
    }
}
