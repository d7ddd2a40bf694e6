package org.espalier.kernel.jshell;

import java.io.ByteArrayInputStream;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.net.JarURLConnection;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.net.URLConnection;
import java.net.URLStreamHandler;
import java.security.CodeSigner;
import java.security.CodeSource;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Enumeration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.jar.Manifest;
import jdk.jshell.execution.LoaderDelegate;
import jdk.jshell.spi.ExecutionControl.ClassBytecodes;
import jdk.jshell.spi.ExecutionControl.ClassInstallException;
import jdk.jshell.spi.ExecutionControl.InternalException;

/**
 * Holds the classes that JShell makes of cells and those of the jars that cells add, each as {@link GuardedClass} rewrites it. What is on the
 * kernel's own class path comes from the parent, unchanged.
 */
final class CellClassLoader extends URLClassLoader implements LoaderDelegate {

    static {
        registerAsParallelCapable();
    }

    private static final Set<String> OF_THE_KERNEL =
            Set.copyOf(Arrays.asList(System.getProperty("java.class.path").split(File.pathSeparator)));

    /** JShell's class files, by the name of their resource. */
    private final Map<String, byte[]> cells = new ConcurrentHashMap<>();

    CellClassLoader() {
        super(new URL[0], CellClassLoader.class.getClassLoader());
    }

    private static String resource(String className) {
        return className.replace('.', '/') + ".class";
    }

    @Override
    public void load(ClassBytecodes[] classes) throws ClassInstallException {
        classesRedefined(classes);
        boolean[] loaded = new boolean[classes.length];
        for (int i = 0; i < classes.length; i++) {
            try {
                loadClass(classes[i].name()).getDeclaredMethods(); // links it, so that what is wrong with it shows now
                loaded[i] = true;
            } catch (ClassNotFoundException | LinkageError e) {
                throw new ClassInstallException("load: " + e.getMessage(), loaded);
            }
        }
    }

    @Override
    public void classesRedefined(ClassBytecodes[] classes) {
        for (ClassBytecodes each : classes) {
            cells.put(resource(each.name()), each.bytecodes());
        }
    }

    /** What the parent loads already is left to it. */
    @Override
    public void addToClasspath(String path) throws InternalException {
        try {
            for (String entry : path.split(File.pathSeparator)) {
                if (!OF_THE_KERNEL.contains(entry)) {
                    addURL(new File(entry).toURI().toURL());
                }
            }
        } catch (MalformedURLException e) {
            throw new InternalException(e.toString());
        }
    }

    @Override
    public Class<?> findClass(String name) throws ClassNotFoundException {
        Class<?> loaded = findLoadedClass(name);
        if (loaded != null) {
            return loaded; // JShell asks for its classes by this method
        }
        String resource = resource(name);
        byte[] cell = cells.get(resource);
        if (cell != null) {
            return define(name, cell, null);
        }
        URL url = super.findResource(resource);
        if (url == null) {
            throw new ClassNotFoundException(name);
        }
        try {
            return fromJar(name, url);
        } catch (IOException e) {
            throw new ClassNotFoundException(name + " cannot be read from " + url, e);
        }
    }

    /** As URLClassLoader does it, for a class of a jar or a folder. */
    private Class<?> fromJar(String name, URL url) throws IOException {
        URLConnection connection = url.openConnection();
        byte[] bytes;
        try (InputStream in = connection.getInputStream()) {
            bytes = in.readAllBytes();
        }
        Manifest manifest = null;
        CodeSource source;
        if (connection instanceof JarURLConnection jar) {
            manifest = jar.getManifest();
            source = new CodeSource(jar.getJarFileURL(), jar.getJarEntry().getCodeSigners());
        } else {
            String file = url.toString();
            URL folder =
                    new URL(file.substring(0, file.length() - resource(name).length()));
            source = new CodeSource(folder, (CodeSigner[]) null);
        }
        int dot = name.lastIndexOf('.');
        if (dot > 0 && getDefinedPackage(name.substring(0, dot)) == null) {
            definePackageOnce(name.substring(0, dot), manifest, source.getLocation());
        }
        return define(name, bytes, source);
    }

    private void definePackageOnce(String name, Manifest manifest, URL url) {
        try {
            definePackage(name, manifest == null ? new Manifest() : manifest, url);
        } catch (IllegalArgumentException e) {
            // another thread was first
        }
    }

    private Class<?> define(String name, byte[] classFile, CodeSource source) {
        byte[] guarded = GuardedClass.of(classFile);
        return defineClass(name, guarded, 0, guarded.length, source);
    }

    @Override
    public URL findResource(String name) {
        return cells.containsKey(name) ? cellUrl(name) : super.findResource(name);
    }

    @Override
    public Enumeration<URL> findResources(String name) throws IOException {
        List<URL> found = new ArrayList<>(Collections.list(super.findResources(name)));
        if (cells.containsKey(name)) {
            found.add(cellUrl(name));
        }
        return Collections.enumeration(found);
    }

    /** Some libraries read the class file of a lambda's class. */
    private URL cellUrl(String name) {
        URLStreamHandler bytes = new URLStreamHandler() {
            @Override
            protected URLConnection openConnection(URL url) {
                return new URLConnection(url) {
                    @Override
                    public void connect() {}

                    @Override
                    public InputStream getInputStream() {
                        return new ByteArrayInputStream(cells.get(name));
                    }
                };
            }
        };
        try {
            return new URL(null, "jshell:/" + name, bytes);
        } catch (MalformedURLException e) {
            throw new IllegalStateException(e);
        }
    }
}
