package org.espalier.build;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/**
 * What {@code mvn verify} says at its end: in one line, how many tests were skipped and why, over the reports of all modules (Surefire's,
 * Failsafe's and pytest's, all in JUnit's XML).
 */
public final class SkippedTests {

    /** pytest's words for a whole file that is skipped: a tuple of file, line and reason. */
    private static final Pattern WHOLE_FILE = Pattern.compile("['\"]Skipped: (.*)['\"]\\)", Pattern.DOTALL);

    private int tests;
    private final Map<String, Integer> countByReason = new TreeMap<>();

    private SkippedTests() {}

    /** @param arguments the folder of all modules; when the build began, since reports of former builds stay there */
    public static void main(String[] arguments) throws IOException {
        System.out.println(line(Path.of(arguments[0]), Instant.parse(arguments[1])));
    }

    /** @return for instance {@code skipped: 3 of 2000 tests: no JDK newer than 17 (1); needs PyTorch (2)} */
    static String line(Path root, Instant since) throws IOException {
        SkippedTests skipped = new SkippedTests();
        for (Path report : reports(root, since)) {
            skipped.read(report);
        }
        return skipped.line();
    }

    private static List<Path> reports(Path root, Instant since) throws IOException {
        try (Stream<Path> files = Files.find(
                root,
                4,
                (file, attributes) ->
                        file.toString().replace('\\', '/').matches(".*/target/[a-z]+-reports/TEST-.*\\.xml")
                                && !attributes.lastModifiedTime().toInstant().isBefore(since))) {
            return files.sorted().toList();
        }
    }

    private void read(Path report) throws IOException {
        NodeList cases = document(report).getElementsByTagName("testcase");
        tests += cases.getLength();
        for (int i = 0; i < cases.getLength(); i++) {
            NodeList skips = ((Element) cases.item(i)).getElementsByTagName("skipped");
            if (skips.getLength() > 0) {
                countByReason.merge(reason((Element) skips.item(0)), 1, Integer::sum);
            }
        }
    }

    private static Document document(Path report) throws IOException {
        try {
            DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
            factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
            DocumentBuilder builder = factory.newDocumentBuilder();
            builder.setErrorHandler(new DefaultHandler()); // which throws, and prints nothing of its own
            return builder.parse(report.toFile());
        } catch (SAXException | ParserConfigurationException e) {
            throw new IOException("the test report " + report + " is not XML: " + e.getMessage(), e);
        }
    }

    /** JUnit has an exception with its trace, or a message where a test is disabled; pytest has a message. */
    private static String reason(Element skipped) {
        String text = skipped.getTextContent().strip();
        Matcher wholeFile = WHOLE_FILE.matcher(text);
        if (wholeFile.find()) {
            return wholeFile.group(1);
        }
        String message = skipped.getAttribute("message").isBlank() ? text : skipped.getAttribute("message");
        String first = message.lines().findFirst().orElse("");
        String reason =
                first.replaceFirst("^[\\w.$]+(Exception|Error)(: |$)", "").replaceFirst("^Assumption failed(: |$)", "");
        return reason.isBlank() ? "no reason given" : reason;
    }

    private String line() {
        int skipped =
                countByReason.values().stream().mapToInt(Integer::intValue).sum();
        if (skipped == 0) {
            return "skipped: none of " + tests + " tests";
        }
        return countByReason.entrySet().stream()
                .map(reason -> reason.getKey() + " (" + reason.getValue() + ")")
                .collect(Collectors.joining("; ", "skipped: " + skipped + " of " + tests + " tests: ", ""));
    }
}
