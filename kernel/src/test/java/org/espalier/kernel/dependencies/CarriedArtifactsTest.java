package org.espalier.kernel.dependencies;

import static org.assertj.core.api.Assertions.assertThat;

import org.eclipse.aether.artifact.DefaultArtifact;
import org.junit.jupiter.api.Test;

class CarriedArtifactsTest {

    @Test
    void anotherClassifierOrExtensionIsAnotherArtifact() {
        CarriedArtifacts carried = new CarriedArtifacts();
        String guava = "com.google.guava:guava:";
        assertThat(carried.version(new DefaultArtifact(guava + "jar:1.0"))).isPresent();
        assertThat(carried.version(new DefaultArtifact(guava + "jar:tests:1.0")))
                .isEmpty();
        assertThat(carried.version(new DefaultArtifact(guava + "zip:1.0"))).isEmpty();
    }
}
