package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.UUID;

/**
 * One message of any channel. Content is kept as JSON: the base's typed replies lack fields that clients ask for.
 *
 * @param identities routing ids of the sender, to be given back in a reply
 */
public record Message(
        List<byte[]> identities, ObjectNode header, ObjectNode parentHeader, ObjectNode metadata, ObjectNode content) {

    /** The protocol's version that is spoken here. */
    public static final String PROTOCOL = "5.3";

    public String type() {
        return header.path("msg_type").asText();
    }

    /** A reply to this message, for the socket that it came from. */
    public Message reply(String type, ObjectNode replyContent) {
        return new Message(identities, header(type), header, object(), replyContent);
    }

    /** A message for all clients that this one caused. */
    public Message broadcast(String type, ObjectNode broadcastContent) {
        return new Message(List.of(), header(type), header, object(), broadcastContent);
    }

    /** Another message for all clients, caused by the same request as this one. */
    Message sibling(String type, ObjectNode siblingContent) {
        return new Message(List.of(), header(type), parentHeader, object(), siblingContent);
    }

    /** A message for all clients that no request caused. */
    static Message spontaneous(String type, ObjectNode content, String session) {
        ObjectNode header = header(type, session);
        return new Message(List.of(), header, object(), object(), content);
    }

    private ObjectNode header(String type) {
        return header(type, header.path("session").asText());
    }

    private static ObjectNode header(String type, String session) {
        return object().put("msg_id", UUID.randomUUID().toString())
                .put("session", session)
                .put("username", "kernel")
                .put("date", Instant.now().truncatedTo(ChronoUnit.MICROS).toString())
                .put("msg_type", type)
                .put("version", PROTOCOL);
    }

    public static ObjectNode object() {
        return JsonNodeFactory.instance.objectNode();
    }
}
