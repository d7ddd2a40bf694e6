package org.espalier.kernel.dependencies;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class DepsCommentTest {

    @Test
    void onlyLeadingCommentsCount() {
        assertThat(DepsComment.coordinates("""
                // what this needs
                //DEPS a:b:1  c:d:2
                /* a licence
                 * //DEPS not:this:1
                 */

                //DEPS e:f:3 // for its parser
                import java.util.List;
                //DEPS not:that:1
                """)).isEqualTo("a:b:1  c:d:2 e:f:3");
    }

    @Test
    void otherCellsHaveNone() {
        assertThat(DepsComment.coordinates("1 + 1")).isEmpty();
        assertThat(DepsComment.coordinates("//DEPSILON a:b:1\n// DEPS a:b:1\n//DEPS"))
                .isEmpty();
        assertThat(DepsComment.coordinates("")).isEmpty();
    }
}
