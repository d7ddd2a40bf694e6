package org.espalier.kernel.jshell;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Enumeration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;

/** The classes of a jar by package, read from its directory once; the jar stays open. */
final class JarClasses {

    private static final String SUFFIX = ".class";

    private final ZipFile jar;
    private final Map<String, List<String>> byPackage = new HashMap<>();

    /** @throws UncheckedIOException if it is no jar */
    JarClasses(Path file) {
        try {
            jar = new ZipFile(file.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        String folder = null; // of the entry before: those of a package stand together
        List<String> classes = null;
        for (Enumeration<? extends ZipEntry> entries = jar.entries(); entries.hasMoreElements(); ) {
            String entry = entries.nextElement().getName();
            if (!entry.endsWith(SUFFIX) || entry.startsWith("META-INF/") || entry.endsWith("module-info.class")) {
                continue;
            }
            int slash = entry.lastIndexOf('/');
            if (folder == null || folder.length() != slash || !entry.startsWith(folder)) {
                folder = entry.substring(0, Math.max(0, slash));
                classes = byPackage.computeIfAbsent(folder.replace('/', '.'), name -> new ArrayList<>());
            }
            classes.add(entry);
        }
    }

    /** The classes of a package as the compiler reads them; none if the jar has no such package. */
    List<JavaFileObject> of(String packageName) {
        List<JavaFileObject> files = new ArrayList<>();
        byPackage.getOrDefault(packageName, List.of()).forEach(entry -> files.add(new ClassInJar(jar, entry)));
        return files;
    }

    /** One class file. */
    static final class ClassInJar extends SimpleJavaFileObject {

        private final ZipFile jar;
        private final String entry;

        private ClassInJar(ZipFile jar, String entry) {
            super(URI.create("jar:///" + entry), Kind.CLASS);
            this.jar = jar;
            this.entry = entry;
        }

        String binaryName() {
            return entry.substring(0, entry.length() - SUFFIX.length()).replace('/', '.');
        }

        @Override
        public InputStream openInputStream() throws IOException {
            ZipEntry found = jar.getEntry(entry);
            if (found == null) {
                throw new IOException(jar.getName() + " has no " + entry);
            }
            return jar.getInputStream(found);
        }

        @Override
        public boolean isNameCompatible(String simpleName, Kind kind) {
            return kind == Kind.CLASS
                    && entry.substring(entry.lastIndexOf('/') + 1).equals(simpleName + SUFFIX);
        }
    }
}
