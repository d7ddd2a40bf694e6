package org.espalier.transport;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import org.espalier.v1.Frame;
import org.junit.jupiter.api.Test;

class ProtocolTest {

    /** SHA-256 of the messages and services as this version has them, comments left out. */
    private static final String MESSAGES = "873c6ab6697c282dba3d55152c5de5927fffccf022b9ee09d11bacce29fc978c";

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
