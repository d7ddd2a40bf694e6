package org.espalier.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.espalier.v1.Frame;
import org.junit.jupiter.api.Test;

class ProtocolTest {

    /** SHA-256 of the messages and services as this version has them, comments left out. */
    private static final String MESSAGES = "84a37e1d60178953807f19b2762a2b99be8a667f89a2183d581dd36a45d4412f";

    @Test
    void whoeverChangesTheMessagesDecidesWhetherTheVersionRises() throws NoSuchAlgorithmException {
        byte[] file = Frame.getDescriptor().getFile().toProto().toByteArray();
        assertThat(HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(file)))
                .as(
                        "the messages have changed: raise Protocol.VERSION if a peer of version %s would misread them, then pin this",
                        Protocol.VERSION)
                .isEqualTo(MESSAGES);
    }
}
