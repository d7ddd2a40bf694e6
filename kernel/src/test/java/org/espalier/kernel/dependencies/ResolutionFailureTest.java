package org.espalier.kernel.dependencies;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.net.ConnectException;
import java.util.List;
import org.eclipse.aether.RepositoryException;
import org.eclipse.aether.repository.RemoteRepository;
import org.espalier.EspalierException;
import org.junit.jupiter.api.Test;

class ResolutionFailureTest {

    private static final String URL = "https://user:to@ken@host:8443/maven";

    @Test
    void noMessageHoldsTheCredentialsOfARepository() {
        RepositoryException failure = new RepositoryException(
                "no a:b:jar:1 in mine (" + URL + ")", new ConnectException("no answer from " + URL + "/a/b@1.jar"));
        EspalierException said = ResolutionFailure.of(
                failure, false, List.of(new RemoteRepository.Builder("mine", "default", URL).build()));

        assertThat(said)
                .hasMessageContaining("mine (https://host:8443/maven) cannot be reached")
                .hasMessageContaining("(no answer from https://host:8443/maven/a/b@1.jar)");
        StringWriter trace = new StringWriter();
        said.printStackTrace(new PrintWriter(trace));
        assertThat(trace.toString())
                .contains("ConnectException: no answer from https://host:8443/maven/a/b@1.jar")
                .doesNotContain("ken@");
    }
}
