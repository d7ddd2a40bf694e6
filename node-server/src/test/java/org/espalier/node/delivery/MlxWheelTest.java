package org.espalier.node.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MlxWheelTest {

    @ParameterizedTest
    @CsvSource({
        "Mac OS X, aarch64, 26.2,   0.32.4-darwin-aarch64-macos26",
        "Mac OS X, aarch64, 27.0,   0.32.4-darwin-aarch64-macos26",
        "Mac OS X, aarch64, 26.1.3, 0.32.4-darwin-aarch64-macos15",
        "Mac OS X, aarch64, 26,     0.32.4-darwin-aarch64-macos15",
        "Mac OS X, aarch64, 15.7.1, 0.32.4-darwin-aarch64-macos15",
        "Mac OS X, aarch64, 14.0,   0.32.4-darwin-aarch64-macos14",
        "Mac OS X, aarch64, 14.6.1, 0.32.4-darwin-aarch64-macos14",
        // what macOS 26 tells programs that were built before it
        "Mac OS X, aarch64, 16.0,   0.32.4-darwin-aarch64-macos15",
        "Mac OS X, aarch64, 16.2,   0.32.4-darwin-aarch64-macos26",
        "Linux,    amd64,   6.1.0-9-amd64, 0.32.4-linux-x86-64-cpu",
        "Linux,    aarch64, 6.1.0,  0.32.4-linux-aarch64-cpu",
        "Mac OS X, aarch64, 13.6,   none",
        "Mac OS X, x86_64,  15.0,   none",
        "Windows 11, amd64, 10.0,   none",
    })
    void theNewestThatRunsHere(String system, String processor, String version, String folder) {
        assertThat(MlxWheel.of(system, processor, version).map(MlxWheel::folder).orElse("none"))
                .isEqualTo(folder);
    }

    @Test
    void theBuildUsesTheSameVersion() throws IOException {
        assertThat(Path.of("../pom.xml"))
                .content()
                .contains("<mlx.version>" + MlxWheel.all().get(0).version() + "</mlx.version>");
    }

    @Test
    void allAreOfOneVersion() {
        assertThat(MlxWheel.all()).hasSize(5).extracting(MlxWheel::version).containsOnly("0.32.4");
        List<String> hashes =
                MlxWheel.all().stream().map(wheel -> wheel.file().sha256()).toList();
        assertThat(hashes).doesNotHaveDuplicates().allMatch(hash -> hash.matches("[0-9a-f]{64}"));
    }
}
