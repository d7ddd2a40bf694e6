package org.espalier.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.espalier.EspalierException;

/** Rows of token ids, one JSON array of integers a line; nothing is rounded, converted or skipped. */
final class TokenRows {

    static final String ENDING = ".jsonl";

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private TokenRows() {}

    /**
     * @param file that the text is of
     * @throws EspalierException naming the line that is not a row
     */
    static List<int[]> of(Path file, String text) {
        List<int[]> rows = new ArrayList<>();
        for (String line : text.lines().toList()) {
            rows.add(row(line, file + ", line " + (rows.size() + 1)));
        }
        return rows;
    }

    private static int[] row(String line, String where) {
        JsonNode array;
        try {
            array = JSON.readTree(line);
        } catch (JsonProcessingException e) {
            throw notARow(where, "", e);
        }
        if (!array.isArray()) {
            throw notARow(where, "", null);
        }
        int[] row = new int[array.size()];
        for (int i = 0; i < row.length; i++) {
            JsonNode id = array.get(i);
            if (!id.isIntegralNumber() || !id.canConvertToInt()) {
                throw notARow(where, ", found " + id, null);
            }
            row[i] = id.intValue();
        }
        return row;
    }

    private static EspalierException notARow(String where, String found, JsonProcessingException cause) {
        return new EspalierException(where + ": an array of token ids was expected, such as [1, 2, 3]" + found, cause);
    }
}
