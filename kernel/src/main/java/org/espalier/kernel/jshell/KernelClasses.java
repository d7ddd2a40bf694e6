package org.espalier.kernel.jshell;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import javax.tools.FileObject;
import javax.tools.ForwardingJavaFileManager;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import org.espalier.DaemonThreads;

/**
 * Shows the compiler the classes of the kernel's own jars by {@link JarClasses}. The compiler's own way, a walk through every file of
 * a zip file system, is a third of the time that JShell takes to come up with our jar. What is added to the class path later goes the
 * compiler's own way.
 */
final class KernelClasses extends ForwardingJavaFileManager<StandardJavaFileManager>
        implements StandardJavaFileManager {

    private final Map<Path, CompletableFuture<JarClasses>> jars = new LinkedHashMap<>();

    KernelClasses(StandardJavaFileManager compilers) {
        super(compilers);
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path file = Path.of(entry).toAbsolutePath().normalize();
            if (entry.endsWith(".jar") && Files.isRegularFile(file)) {
                jars.put(file, CompletableFuture.supplyAsync(() -> new JarClasses(file), KernelClasses::start));
            }
        }
        try {
            leaveOurs();
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static void start(Runnable work) {
        new DaemonThreads("espalier-jar-classes").newThread(work).start();
    }

    /** Takes our jars from the class path that the compiler walks. */
    private void leaveOurs() throws IOException {
        Collection<Path> others = new ArrayList<>();
        Iterable<? extends Path> all = fileManager.getLocationAsPaths(StandardLocation.CLASS_PATH);
        if (all != null) {
            for (Path path : all) {
                if (!jars.containsKey(path.toAbsolutePath().normalize())) {
                    others.add(path);
                }
            }
        }
        fileManager.setLocationFromPaths(StandardLocation.CLASS_PATH, others);
    }

    @Override
    public Iterable<JavaFileObject> list(
            Location location, String packageName, Set<JavaFileObject.Kind> kinds, boolean recurse) throws IOException {
        Iterable<JavaFileObject> others = super.list(location, packageName, kinds, recurse);
        if (location != StandardLocation.CLASS_PATH || recurse || !kinds.contains(JavaFileObject.Kind.CLASS)) {
            return others;
        }
        List<JavaFileObject> all = new ArrayList<>();
        jars.values().forEach(jar -> all.addAll(jar.join().of(packageName)));
        others.forEach(all::add);
        return all;
    }

    @Override
    public String inferBinaryName(Location location, JavaFileObject file) {
        return file instanceof JarClasses.ClassInJar ours ? ours.binaryName() : super.inferBinaryName(location, file);
    }

    @Override
    public boolean isSameFile(FileObject one, FileObject other) {
        return one instanceof JarClasses.ClassInJar || other instanceof JarClasses.ClassInJar
                ? one.toUri().equals(other.toUri())
                : super.isSameFile(one, other);
    }

    @Override
    public boolean handleOption(String option, Iterator<String> remaining) {
        boolean handled = super.handleOption(option, remaining);
        if (option.equals("-classpath")) { // JShell adds to the class path by stating all of it
            try {
                leaveOurs();
            } catch (IOException e) {
                throw new java.io.UncheckedIOException(e);
            }
        }
        return handled;
    }

    /** Ours too: JShell's index of names, for completion, reads them by itself. */
    @Override
    public Iterable<? extends Path> getLocationAsPaths(Location location) {
        Iterable<? extends Path> others = fileManager.getLocationAsPaths(location);
        if (location != StandardLocation.CLASS_PATH) {
            return others;
        }
        List<Path> all = new ArrayList<>(jars.keySet());
        if (others != null) {
            others.forEach(all::add);
        }
        return all;
    }

    // What follows is passed on: the forwarding class of the JDK knows the smaller interface only.

    @Override
    public Iterable<? extends JavaFileObject> getJavaFileObjectsFromFiles(Iterable<? extends File> files) {
        return fileManager.getJavaFileObjectsFromFiles(files);
    }

    @Override
    public Iterable<? extends JavaFileObject> getJavaFileObjects(File... files) {
        return getJavaFileObjectsFromFiles(Arrays.asList(files));
    }

    @Override
    public Iterable<? extends JavaFileObject> getJavaFileObjectsFromStrings(Iterable<String> names) {
        return fileManager.getJavaFileObjectsFromStrings(names);
    }

    @Override
    public Iterable<? extends JavaFileObject> getJavaFileObjects(String... names) {
        return getJavaFileObjectsFromStrings(Arrays.asList(names));
    }

    @Override
    public void setLocation(Location location, Iterable<? extends File> files) throws IOException {
        fileManager.setLocation(location, files);
    }

    @Override
    public void setLocationFromPaths(Location location, Collection<? extends Path> paths) throws IOException {
        fileManager.setLocationFromPaths(location, paths);
    }

    @Override
    public Iterable<? extends File> getLocation(Location location) {
        return fileManager.getLocation(location);
    }
}
