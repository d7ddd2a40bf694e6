package org.espalier.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.espalier.v1.Frame;
import org.junit.jupiter.api.Test;

class ProtocolTest {

    /** SHA-256 of the messages and services as this version has them, comments left out. */
    private static final String MESSAGES = "63ad7b481faeecb5b7c0f4eceee93f19087b3174819a0480ae191920f12b065c";

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
