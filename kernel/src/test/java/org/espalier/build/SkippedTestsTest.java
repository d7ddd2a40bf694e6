package org.espalier.build;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SkippedTestsTest {

    private static final Instant START = Instant.parse("2026-01-02T03:04:05Z");

    @TempDir
    private Path root;

    @Test
    void groupsTheReasonsOfAllModulesAndKinds() throws IOException {
        report("one/target/surefire-reports/TEST-a.xml", """
                <testsuite tests="3" skipped="2">
                  <testcase name="runs"/>
                  <testcase name="assumes"><skipped type="org.opentest4j.TestAbortedException"><![CDATA[org.opentest4j.TestAbortedException: Assumption failed: no data
                \tat org.junit.jupiter.api.Assumptions.throwAssumptionFailed(Assumptions.java:340)]]></skipped></testcase>
                  <testcase name="disabled"><skipped message="later"/></testcase>
                </testsuite>
                """);
        report("two/target/failsafe-reports/TEST-b.xml", """
                <testsuite><testcase name="aborts"><skipped type="org.opentest4j.TestAbortedException">org.opentest4j.TestAbortedException: no data
                \tat here</skipped></testcase><testcase name="says nothing"><skipped/></testcase></testsuite>
                """);
        report(
                "two/target/failsafe-reports/failsafe-summary.xml",
                "<failsafe-summary><skipped>1</skipped></failsafe-summary>");
        report("two/target/pytest-reports/TEST-notebooks.xml", """
                <testsuites><testsuite>
                  <testcase name="test_jdk"><skipped type="pytest.skip" message="no JDK newer than 17">/a/test_b.py:38: no JDK newer than 17</skipped></testcase>
                  <testcase name="test_card"><skipped type="pytest.skip" message="collection skipped">('/a/test_card.py', 7, 'Skipped: needs PyTorch: pip install it')</skipped></testcase>
                </testsuite></testsuites>
                """);
        assertThat(SkippedTests.line(root, START))
                .isEqualTo(
                        "skipped: 6 of 7 tests: later (1); needs PyTorch: pip install it (1); no JDK newer than 17 (1);"
                                + " no data (2); no reason given (1)");
    }

    @Test
    void saysThatNothingWasSkipped() throws IOException {
        report(
                "one/target/surefire-reports/TEST-a.xml",
                "<testsuite><testcase name='a'/><testcase name='b'/></testsuite>");
        assertThat(SkippedTests.line(root, START)).isEqualTo("skipped: none of 2 tests");
    }

    @Test
    void reportsOfFormerBuildsDoNotCount() throws IOException {
        Path old = report(
                "one/target/surefire-reports/TEST-a.xml",
                "<testsuite><testcase name='a'><skipped/></testcase></testsuite>");
        Files.setLastModifiedTime(old, FileTime.from(START.minusSeconds(1)));
        assertThat(SkippedTests.line(root, START)).isEqualTo("skipped: none of 0 tests");
    }

    @Test
    void aReportThatIsBrokenIsNamed() throws IOException {
        Path broken = report("one/target/surefire-reports/TEST-a.xml", "<testsuite>");
        assertThatThrownBy(() -> SkippedTests.line(root, START))
                .isInstanceOf(IOException.class)
                .hasMessageStartingWith("the test report " + broken + " is not XML: ");
    }

    private Path report(String name, String xml) throws IOException {
        Path file = root.resolve(name);
        Files.createDirectories(file.getParent());
        return Files.writeString(file, xml);
    }
}
