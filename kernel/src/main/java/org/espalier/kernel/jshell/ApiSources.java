package org.espalier.kernel.jshell;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.tree.VariableTree;
import com.sun.source.util.DocTrees;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePath;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;

/**
 * Doc comments and sources of Espalier's own API, which come with the jar below {@code sources/}. JShell looks for Javadoc only in the
 * JDK's src.zip.
 */
final class ApiSources {

    /** What the poms put below {@code sources/}. */
    private static final List<String> PACKAGES = List.of(
            "org.espalier.cluster",
            "org.espalier.routing",
            "org.espalier.placement",
            "org.espalier.sampling",
            "org.espalier.score",
            "org.espalier.kernel.display",
            "org.espalier.node.service");

    private static final Pattern SIGNATURE = Pattern.compile("(?:.*\\s)?([\\w$.]+?)(?:<[^(]*>)?(?::.*|\\((.*)\\))?");

    private ApiSources() {}

    /**
     * A declaration of the API.
     *
     * @param comment its doc comment in plain text; empty if it has none
     */
    record Declaration(String comment, String source) {}

    /** @param signature as JShell writes it, {@code Generation Cluster.generate(Prompt prompt, GenerateOptions options)} */
    static Optional<Declaration> find(String signature) {
        Matcher parts = SIGNATURE.matcher(signature);
        if (!parts.matches()) {
            return Optional.empty();
        }
        List<String> names = List.of(parts.group(1).split("\\."));
        Optional<List<String>> parameters = Optional.ofNullable(parts.group(2)).map(ApiSources::types);
        return inPackage(names).flatMap(file -> declaration(file, parameters));
    }

    /** Simple names of the types in the parameter list of a signature. */
    static List<String> parameterTypes(String signature) {
        Matcher parts = SIGNATURE.matcher(signature);
        return parts.matches() && parts.group(2) != null ? types(parts.group(2)) : List.of();
    }

    /** A file, and the names below its package. */
    private record Found(String text, List<String> names) {}

    private static Optional<Found> inPackage(List<String> names) {
        for (String name : PACKAGES) {
            int length = name.split("\\.").length;
            boolean qualified = names.size() > length
                    && String.join(".", names.subList(0, length)).equals(name);
            List<String> inside = qualified ? names.subList(length, names.size()) : names;
            String file = "/sources/" + name.replace('.', '/') + "/" + inside.get(0) + ".java";
            try (InputStream stream = ApiSources.class.getResourceAsStream(file)) {
                if (stream != null) {
                    return Optional.of(new Found(new String(stream.readAllBytes(), StandardCharsets.UTF_8), inside));
                }
            } catch (IOException e) {
                throw new IllegalStateException("cannot read " + file + " of the kernel's jar", e);
            }
        }
        return Optional.empty();
    }

    private static Optional<Declaration> declaration(Found found, Optional<List<String>> parameters) {
        JavaFileObject file = new SimpleJavaFileObject(URI.create("string:///Api.java"), JavaFileObject.Kind.SOURCE) {
            @Override
            public CharSequence getCharContent(boolean ignoreEncodingErrors) {
                return found.text();
            }
        };
        JavacTask task = (JavacTask) ToolProvider.getSystemJavaCompiler()
                .getTask(null, null, errors -> {}, List.of("-proc:none"), null, List.of(file));
        CompilationUnitTree unit;
        try {
            unit = task.parse().iterator().next();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
        Tree tree = unit.getTypeDecls().get(0);
        List<String> names = found.names();
        for (int i = 1; i < names.size(); i++) {
            Optional<Tree> member = member((ClassTree) tree, names.get(i), parameters);
            if (member.isEmpty() || !(member.get() instanceof ClassTree) && i < names.size() - 1) {
                return component(task, unit, (ClassTree) tree, names.get(i));
            }
            tree = member.get();
        }
        if (tree instanceof ClassTree type && parameters.isPresent()) {
            Tree constructor = member(type, "<init>", parameters).orElse(tree);
            tree = comment(task, unit, constructor).isEmpty() ? tree : constructor;
        }
        return Optional.of(new Declaration(comment(task, unit, tree), source(task, unit, tree, found.text())));
    }

    private static Optional<Tree> member(ClassTree type, String name, Optional<List<String>> parameters) {
        for (Tree tree : type.getMembers()) {
            boolean same =
                    tree instanceof ClassTree inner && inner.getSimpleName().contentEquals(name)
                            || tree instanceof VariableTree field
                                    && parameters.isEmpty()
                                    && field.getName().contentEquals(name)
                            || tree instanceof MethodTree method
                                    && method.getName().contentEquals(name)
                                    && parameters.filter(types(method)::equals).isPresent();
            if (same) {
                return Optional.of(tree);
            }
        }
        return Optional.empty();
    }

    /** A record's accessor that is not written down is what the record says of its component. */
    private static Optional<Declaration> component(
            JavacTask task, CompilationUnitTree unit, ClassTree type, String name) {
        Matcher said = Pattern.compile("@param " + Pattern.quote(name) + "\\s+((?:(?!\\n\\s*@).)*)", Pattern.DOTALL)
                .matcher(comment(task, unit, type));
        return said.find() ? Optional.of(new Declaration(said.group(1).strip(), "")) : Optional.empty();
    }

    private static String comment(JavacTask task, CompilationUnitTree unit, Tree tree) {
        String comment = DocTrees.instance(task).getDocComment(TreePath.getPath(unit, tree));
        return comment == null ? "" : JavadocText.plain(comment);
    }

    private static String source(JavacTask task, CompilationUnitTree unit, Tree tree, String text) {
        var positions = DocTrees.instance(task).getSourcePositions();
        int start = (int) positions.getStartPosition(unit, tree);
        int lineStart = text.lastIndexOf('\n', start) + 1;
        return text.substring(lineStart, (int) positions.getEndPosition(unit, tree))
                .stripIndent();
    }

    private static List<String> types(MethodTree method) {
        return method.getParameters().stream()
                .map(parameter -> simple(parameter.getType().toString()))
                .toList();
    }

    /** Types of a parameter list without packages, type arguments and names. */
    private static List<String> types(String parameters) {
        List<String> types = new ArrayList<>();
        int depth = 0;
        int start = 0;
        for (int i = 0; i <= parameters.length(); i++) {
            char c = i < parameters.length() ? parameters.charAt(i) : ',';
            depth += c == '<' ? 1 : c == '>' ? -1 : 0;
            if (c == ',' && depth == 0) {
                String parameter = parameters.substring(start, i).strip();
                if (!parameter.isEmpty()) {
                    types.add(simple(parameter.replaceFirst("\\s+\\w+$", "")));
                }
                start = i + 1;
            }
        }
        return types;
    }

    private static String simple(String type) {
        return type.replaceAll("<.*>", "")
                .replaceAll("(?:\\w+\\.)+", "")
                .replace("...", "[]")
                .strip();
    }
}
