package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.dflib.jjava.jupyter.messages.HMACGenerator;

/** Messages as ZeroMQ frames: identities, delimiter, signature, header, parent header, metadata, content, buffers. */
final class WireFormat {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] DELIMITER = "<IDS|MSG>".getBytes(StandardCharsets.US_ASCII);

    /** More content than this is refused: code of that size belongs into a file. */
    static final int CONTENT_BYTES = 20_000_000;

    private final HMACGenerator signer;

    WireFormat(HMACGenerator signer) {
        this.signer = signer;
    }

    Message decode(List<byte[]> frames) throws WireException {
        int delimiter = 0;
        while (delimiter < frames.size() && !Arrays.equals(frames.get(delimiter), DELIMITER)) {
            delimiter++;
        }
        if (frames.size() < delimiter + 6) {
            throw new WireException("a message of " + frames.size() + " frames with its delimiter at " + delimiter
                    + ": expected a signature and four parts after it");
        }
        byte[] header = frames.get(delimiter + 2);
        byte[] parent = frames.get(delimiter + 3);
        byte[] metadata = frames.get(delimiter + 4);
        byte[] content = frames.get(delimiter + 5);
        byte[] expected = signature(header, parent, metadata, content);
        if (!MessageDigest.isEqual(expected, frames.get(delimiter + 1))) {
            throw new WireException("a message with a wrong signature");
        }
        List<byte[]> identities = List.copyOf(frames.subList(0, delimiter));
        ObjectNode headerFields = object("header", header, Optional.empty());
        Message request = new Message(identities, headerFields, Message.object(), Message.object(), Message.object());
        return new Message(
                identities,
                headerFields,
                object("parent header", parent, Optional.of(request)),
                object("metadata", metadata, Optional.of(request)),
                object("content", content, Optional.of(request)));
    }

    private static ObjectNode object(String part, byte[] json, Optional<Message> request) throws WireException {
        String what = request.map(Message::type).filter(type -> !type.isEmpty()).orElse("message");
        if (json.length > CONTENT_BYTES) {
            String message = String.format(
                    Locale.ROOT,
                    "the %s of this %s has %.1f MB: at most %d MB are taken",
                    part,
                    what,
                    json.length / 1e6,
                    CONTENT_BYTES / 1_000_000);
            throw new WireException(message, request);
        }
        try {
            if (JSON.readTree(json) instanceof ObjectNode object) {
                return object;
            }
            throw new WireException("the " + part + " of this " + what + " is not a JSON object", request);
        } catch (JsonProcessingException e) {
            String message = "the " + part + " of this " + what + " is not JSON: " + e.getOriginalMessage();
            throw new WireException(message, request);
        } catch (IOException e) {
            throw new WireException("the " + part + " of this " + what + " is not JSON: " + e.getMessage(), request);
        }
    }

    /** What subscriptions are compared with: the first frame, a byte a character. */
    static String topic(List<byte[]> frames) {
        return new String(frames.get(0), StandardCharsets.ISO_8859_1);
    }

    List<byte[]> encode(Message message) {
        byte[] header = bytes(message.header());
        byte[] parent = bytes(message.parentHeader());
        byte[] metadata = bytes(message.metadata());
        byte[] content = bytes(message.content());
        List<byte[]> frames = new ArrayList<>(message.identities());
        frames.addAll(
                List.of(DELIMITER, signature(header, parent, metadata, content), header, parent, metadata, content));
        return frames;
    }

    private byte[] signature(byte[]... parts) {
        return signer.calculateSignature(parts).getBytes(StandardCharsets.US_ASCII);
    }

    private static byte[] bytes(ObjectNode node) {
        try {
            return JSON.writeValueAsBytes(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
