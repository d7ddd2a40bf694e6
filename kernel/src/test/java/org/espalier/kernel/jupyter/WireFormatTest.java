package org.espalier.kernel.jupyter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.dflib.jjava.jupyter.messages.HMACGenerator;
import org.junit.jupiter.api.Test;

class WireFormatTest {

    private final WireFormat format;

    WireFormatTest() throws Exception {
        format = new WireFormat(new HMACGenerator("hmac-sha256", "secret"));
    }

    private static Message message() {
        ObjectNode header =
                Message.object().put("msg_id", "1").put("session", "s").put("msg_type", "execute_request");
        ObjectNode content = Message.object().put("code", "String s = \"naïve 你好 \u0000\";");
        byte[] identity = {1, 2, 3};
        return new Message(List.of(identity), header, Message.object(), Message.object(), content);
    }

    @Test
    void aMessageSurvivesItsFrames() throws Exception {
        Message back = format.decode(format.encode(message()));
        assertThat(back.type()).isEqualTo("execute_request");
        assertThat(back.content()).isEqualTo(message().content());
        assertThat(back.identities()).hasSize(1);
        assertThat(back.identities().get(0)).containsExactly(1, 2, 3);
    }

    @Test
    void aReplyNamesItsRequestAndGoesBackToItsSender() {
        Message reply = message().reply("execute_reply", Message.object());
        assertThat(reply.parentHeader()).isEqualTo(message().header());
        assertThat(reply.header().path("session").asText()).isEqualTo("s");
        assertThat(reply.identities()).hasSize(1);
        assertThat(message().broadcast("status", Message.object()).identities()).isEmpty();
    }

    @Test
    void refusesWhatWasNotSignedWithTheKey() throws Exception {
        WireFormat other = new WireFormat(new HMACGenerator("hmac-sha256", "another"));
        assertThatThrownBy(() -> format.decode(other.encode(message())))
                .isInstanceOf(WireException.class)
                .hasMessage("a message with a wrong signature");
        List<byte[]> changed = new ArrayList<>(format.encode(message()));
        changed.set(changed.size() - 1, "{}".getBytes(StandardCharsets.UTF_8));
        assertThatThrownBy(() -> format.decode(changed)).isInstanceOf(WireException.class);
    }

    @Test
    void refusesFramesThatAreNoMessage() throws Exception {
        assertThatThrownBy(() -> format.decode(List.of())).isInstanceOf(WireException.class);
        List<byte[]> frames = format.encode(message());
        for (int length = 0; length < frames.size(); length++) {
            List<byte[]> cut = frames.subList(0, length);
            assertThatThrownBy(() -> format.decode(cut)).as("%d frames", length).isInstanceOf(WireException.class);
        }
    }

    @Test
    void refusesSignedPartsThatAreNoObjects() throws Exception {
        HMACGenerator signer = new HMACGenerator("hmac-sha256", "secret");
        for (String part : List.of("", "null", "[]", "\"x\"", "{", "\u0000", "{\"a\":".repeat(100_000))) {
            byte[] bytes = part.getBytes(StandardCharsets.UTF_8);
            byte[] signature =
                    signer.calculateSignature(bytes, bytes, bytes, bytes).getBytes(StandardCharsets.US_ASCII);
            byte[] delimiter = "<IDS|MSG>".getBytes(StandardCharsets.US_ASCII);
            List<byte[]> frames = List.of(delimiter, signature, bytes, bytes, bytes, bytes);
            assertThatThrownBy(() -> format.decode(frames)).isInstanceOf(WireException.class);
        }
    }

    @Test
    void randomFramesAreNeverMoreThanRefused() {
        Random random = new Random(7);
        for (int i = 0; i < 2000; i++) {
            List<byte[]> frames = new ArrayList<>();
            for (int f = random.nextInt(9); f > 0; f--) {
                byte[] frame = new byte[random.nextInt(40)];
                random.nextBytes(frame);
                frames.add(random.nextInt(4) == 0 ? "<IDS|MSG>".getBytes(StandardCharsets.US_ASCII) : frame);
            }
            assertThatThrownBy(() -> format.decode(frames)).isInstanceOf(WireException.class);
        }
    }
}
