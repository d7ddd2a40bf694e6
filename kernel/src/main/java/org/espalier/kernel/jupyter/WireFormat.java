package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.dflib.jjava.jupyter.messages.HMACGenerator;

/** Messages as ZeroMQ frames: identities, delimiter, signature, header, parent header, metadata, content, buffers. */
final class WireFormat {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final byte[] DELIMITER = "<IDS|MSG>".getBytes(StandardCharsets.US_ASCII);

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
        return new Message(
                List.copyOf(frames.subList(0, delimiter)),
                object("header", header),
                object("parent header", parent),
                object("metadata", metadata),
                object("content", content));
    }

    private static ObjectNode object(String part, byte[] json) throws WireException {
        try {
            JsonNode node = JSON.readTree(json);
            if (node instanceof ObjectNode object) {
                return object;
            }
            throw new WireException("the " + part + " of a message is not a JSON object");
        } catch (IOException e) {
            throw new WireException("the " + part + " of a message is not JSON");
        }
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
