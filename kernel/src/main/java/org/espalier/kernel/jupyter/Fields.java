package org.espalier.kernel.jupyter;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;

/**
 * A request's content, read strictly: a field that is missing or null has its default, one of another type is an error.
 *
 * @param type of the request, for errors
 */
record Fields(String type, ObjectNode content) {

    private static final int SHOWN = 60;

    /** What is wrong with a request, in one sentence. */
    static final class InvalidRequest extends RuntimeException {
        InvalidRequest(String message) {
            super(message);
        }
    }

    static Fields of(Message request) {
        return new Fields(request.type(), request.content());
    }

    /** A text that has to be there. */
    String text(String name) {
        JsonNode value = content.path(name);
        if (!value.isTextual()) {
            throw wrong(name, "a text");
        }
        return value.textValue();
    }

    boolean flag(String name, boolean missing) {
        JsonNode value = content.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return missing;
        }
        if (!value.isBoolean()) {
            throw wrong(name, "true or false");
        }
        return value.booleanValue();
    }

    int number(String name, int missing) {
        JsonNode value = content.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return missing;
        }
        if (!value.isIntegralNumber()) {
            throw wrong(name, "a whole number");
        }
        return value.canConvertToInt()
                ? value.intValue()
                : value.bigIntegerValue().signum() < 0 ? Integer.MIN_VALUE : Integer.MAX_VALUE;
    }

    ObjectNode object(String name) {
        JsonNode value = content.path(name);
        if (value.isMissingNode() || value.isNull()) {
            return Message.object();
        }
        if (!(value instanceof ObjectNode object)) {
            throw wrong(name, "an object");
        }
        return object;
    }

    /** A place in the code: the protocol counts characters, Java code units. One outside the code is its nearest end. */
    int cursor(String code) {
        int characters = number("cursor_pos", Integer.MAX_VALUE);
        int all = code.codePointCount(0, code.length());
        return code.offsetByCodePoints(0, Math.max(0, Math.min(all, characters)));
    }

    private InvalidRequest wrong(String name, String expected) {
        String found = content.has(name) ? content.get(name).toString() : "missing";
        String shown = found.length() > SHOWN ? found.substring(0, SHOWN) + "..." : found;
        return new InvalidRequest(name + " of this " + type + " is " + shown + ": expected " + expected);
    }
}
