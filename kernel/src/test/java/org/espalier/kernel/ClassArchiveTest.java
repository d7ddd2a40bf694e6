package org.espalier.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClassArchiveTest {

    @TempDir
    private Path folder;

    private static List<String> command(ClassArchive archive) {
        List<String> command = new ArrayList<>(archive.options());
        command.addAll(List.of("-jar", "kernel.jar"));
        return command;
    }

    @Test
    void saysWhyItIsNotUsed() throws IOException {
        Path jar = Files.createFile(folder.resolve("kernel.jar"));
        ClassArchive archive = ClassArchive.in(folder);
        List<String> command = command(archive);
        assertThat(ClassArchive.unused(List.of("-jar", "kernel.jar"), jar)).isEmpty();
        String end = ", so the kernel started more slowly: installing the kernel again makes it anew";
        assertThat(ClassArchive.unused(command, jar))
                .contains("the class archive " + archive.file() + " is missing" + end);

        Files.createFile(archive.file());
        Files.setLastModifiedTime(archive.file(), Files.getLastModifiedTime(jar));
        assertThat(ClassArchive.unused(command, jar)).isEmpty();

        Files.setLastModifiedTime(jar, FileTime.fromMillis(1));
        assertThat(ClassArchive.unused(command, jar))
                .contains("the class archive " + archive.file() + " was made before " + jar + " changed" + end);

        Path former = Files.createFile(folder.resolve("classes-11.0.1+1.jsa"));
        assertThat(ClassArchive.unused(command(new ClassArchive(former)), jar))
                .contains("the class archive " + former + " is of another JVM than this " + Runtime.version() + end);
    }
}
