package org.espalier.kernel.jshell;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class StringConstantsTest {

    private static final String MOST = "x".repeat(65_535);

    @Test
    void countsWhatTheCompilerMakesOneConstant() {
        assertThat(StringConstants.areTooLong("\"" + MOST + "\"")).isFalse();
        assertThat(StringConstants.areTooLong("\"" + MOST + "x\"")).isTrue();
        assertThat(StringConstants.areTooLong("\"\"\"\n" + MOST + "x\"\"\"")).isTrue();
        String indented =
                "\"\"\"\n" + "        a line\n".repeat(9_000) + "        \"\"\""; // 63,000 bytes without indentation
        assertThat(StringConstants.areTooLong(indented)).isFalse();
        assertThat(StringConstants.areTooLong("\"" + "ä".repeat(32_768) + "\"")).isTrue();
        assertThat(StringConstants.areTooLong("f(\"" + MOST + "\", \"" + MOST + "\")"))
                .isFalse();
        assertThat(StringConstants.areTooLong("\"" + MOST + "\" + n + \"" + MOST + "\""))
                .isFalse();
        assertThat(StringConstants.areTooLong("(\"" + MOST + "\") // \"\n + /* + */ \"x\""))
                .isTrue();
        assertThat(StringConstants.areTooLong("\"" + "\\u0041".repeat(65_535) + "\""))
                .isFalse();
        assertThat(StringConstants.areTooLong("// \"" + MOST + "x\n'\"' + \"\\\"\""))
                .isFalse();
        assertThat(StringConstants.areTooLong("\"" + MOST)).isFalse(); // not closed: another error
    }
}
