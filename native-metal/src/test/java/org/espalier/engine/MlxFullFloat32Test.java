package org.espalier.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.jna.NativeLibrary;
import org.junit.jupiter.api.Test;

/** Where GPUs have TF32, MLX multiplies float32 with 10 bits of mantissa unless a variable says that it must not. */
final class MlxFullFloat32Test {

    private static final String VARIABLE = "MLX_ENABLE_TF32";

    @Test
    void float32IsAskedForInFullBeforeMlxMultiplies() {
        assumeTrue(System.getenv(VARIABLE) == null, VARIABLE + " is set, and stays as it is");
        MlxSuite.requireMlx();
        assertThat(NativeLibrary.getProcess().getFunction("getenv").invokeString(new Object[] {VARIABLE}, false))
                .isEqualTo("0");
    }
}
