package org.espalier.transport;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.espalier.EspalierException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NodeAddressTest {

    /** 192.0.2.0/24 is for documentation: no machine has it. */
    @ParameterizedTest
    @CsvSource({
        "127.0.0.1:41234, PLAIN, 127.0.0.1, 41234, 127.0.0.1:41234",
        "plain://127.0.0.1:41234, PLAIN, 127.0.0.1, 41234, 127.0.0.1:41234",
        "localhost:1, PLAIN, localhost, 1, localhost:1",
        "[::1]:65535, PLAIN, ::1, 65535, [::1]:65535",
        "tls://127.0.0.1:5, TLS, 127.0.0.1, 5, tls://127.0.0.1:5",
        "tls://mini-1.local:50515, TLS, mini-1.local, 50515, tls://mini-1.local:50515",
        "192.0.2.7:50515, TLS, 192.0.2.7, 50515, tls://192.0.2.7:50515",
        "tls://[fe80::1%bridge0]:5, TLS, fe80::1%bridge0, 5, tls://[fe80::1%bridge0]:5",
    })
    void loopbackIsPlainAndAllElseTls(String text, NodeAddress.Mode mode, String host, int port, String written) {
        assertThat(NodeAddress.parse(text))
                .isEqualTo(new NodeAddress(mode, host, port))
                .hasToString(written);
        assertThat(NodeAddress.parse(written)).isEqualTo(NodeAddress.parse(text));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "localhost",
                ":1",
                "127.0.0.1:",
                "127.0.0.1:x",
                "127.0.0.1:123456",
                "unix:/tmp/socket",
                "unix:///tmp/socket:1",
                "dns:localhost:1",
                "dns:///localhost:1",
                "tls://user@127.0.0.1:1",
                "tls://127.0.0.1:1/path",
                "tls:// 127.0.0.1:1",
                "tls://tls://127.0.0.1:1",
                "TLS://127.0.0.1:1",
                "::1:1",
                "127.0.0.1:1\n",
            })
    void whatIsNoAddressIsRefusedWithAnExample(String text) {
        assertThatThrownBy(() -> NodeAddress.parse(text))
                .isInstanceOf(EspalierException.class)
                .hasMessage("'" + text
                        + "' is not an address: write HOST:PORT, for instance 127.0.0.1:41234, or tls://HOST:PORT");
    }

    @Test
    void otherSchemesAndPlainTextOffLoopbackAreRefused() {
        assertThatThrownBy(() -> NodeAddress.parse("http://127.0.0.1:80"))
                .hasMessage("'http://127.0.0.1:80' has the unknown scheme http: write plain:// or tls://");
        assertThatThrownBy(() -> NodeAddress.parse("plain://192.0.2.7:80"))
                .hasMessage("plain text is for loopback only, and 192.0.2.7 is another machine's address: write"
                        + " tls://192.0.2.7:80");
        assertThatThrownBy(() -> NodeAddress.parse("127.0.0.1:0"))
                .hasMessage("port 0 in 127.0.0.1:0 is not one: write 1 to 65535");
        assertThatThrownBy(() -> NodeAddress.parse("no-such-host.invalid:80"))
                .hasMessage("unknown host no-such-host.invalid: check the name in no-such-host.invalid:80");
        assertThatThrownBy(() -> new NodeAddress(NodeAddress.Mode.PLAIN, "192.0.2.7", 80).loopback())
                .hasMessage("plain text is for loopback only, and 192.0.2.7 is another machine's address");
    }
}
