package org.espalier;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class EspalierExceptionTest {

    private static final Path NAMED = Path.of("/models/m");

    private static String reason(IOException e) {
        return EspalierException.reason(e, NAMED);
    }

    @Test
    void aReasonIsNotThePathAgain() {
        assertThat(reason(new AccessDeniedException("/models/m"))).isEqualTo("permission denied");
        assertThat(reason(new NoSuchFileException("/models/m"))).isEqualTo("no such file or folder");
        assertThat(reason(new NotDirectoryException("/models/m"))).isEqualTo("not a folder");
        assertThat(reason(new FileSystemException("/models/m", null, "No space left on device")))
                .isEqualTo("No space left on device");
        assertThat(reason(new FileSystemException("/models/m"))).isEqualTo("FileSystemException");
    }

    @Test
    void anotherFileThanTheOneThatIsNamedIsAdded() {
        assertThat(reason(new AccessDeniedException("/models/m/tokenizer.json")))
                .isEqualTo("permission denied (/models/m/tokenizer.json)");
    }

    @Test
    void whatIsNotOfAFileSpeaksForItself() {
        assertThat(reason(new IOException("Broken pipe"))).isEqualTo("Broken pipe");
        assertThat(reason(new IOException())).isEqualTo("IOException");
    }
}
