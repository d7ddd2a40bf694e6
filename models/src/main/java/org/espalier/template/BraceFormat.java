package org.espalier.template;

/** {@code "{} {0} {name}".format(...)}, without format specifications. */
final class BraceFormat {

    private BraceFormat() {}

    static String format(String format, Arguments arguments, Budget budget) {
        StringBuilder out = new StringBuilder();
        int next = 0;
        for (int i = 0; i < format.length(); i++) {
            char c = format.charAt(i);
            boolean doubled = i + 1 < format.length() && format.charAt(i + 1) == c;
            if ((c == '{' || c == '}') && doubled) {
                out.append(c);
                i++;
            } else if (c == '{') {
                int end = format.indexOf('}', i);
                if (end < 0) {
                    throw new TemplateException("a format has { without }: write {{ for the character");
                }
                String field = format.substring(i + 1, end);
                Object value = field.isEmpty() ? arguments.require(next++, "value") : field(field, arguments);
                String text = Text.of(value, budget);
                budget.grow(out.length(), text.length());
                out.append(text);
                i = end;
            } else if (c == '}') {
                throw new TemplateException("a format has } without {: write }} for the character");
            } else {
                out.append(c);
            }
        }
        return out.toString();
    }

    private static Object field(String field, Arguments arguments) {
        if (field.chars().allMatch(c -> c >= '0' && c <= '9') && field.length() < 4) {
            return arguments.require(Integer.parseInt(field), field);
        }
        if (!field.codePoints().allMatch(Character::isUnicodeIdentifierPart)) {
            throw new TemplateException("the format {" + field + "} is not supported: use {}, {0} or {name}");
        }
        return arguments.require(Integer.MAX_VALUE, field);
    }
}
