package org.espalier.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads a {@code tiktoken.model} as Kimi K2 ships it (there is no {@code tokenizer.json}): lines of a token's bytes in base64 and its
 * rank, which is its id. Of all neighbours that form a token those with the lowest rank are joined first, so each token is listed with
 * every pair of tokens that it may be made of, in the order of ranks. The ids after the last rank are special tokens: those that {@code
 * added_tokens_decoder} of the config names, the others reserved.
 */
final class TiktokenRanks {

    /** Special tokens after the last rank, in Kimi's own code. */
    private static final int RESERVED = 256;

    private static final int MAX_TOKEN = 1024;

    private record Merge(int left, int right, int joined) {}

    private final String source;
    private final List<String> texts = new ArrayList<>();
    private final Map<String, Integer> ids = new HashMap<>();

    private TiktokenRanks(String source) {
        this.source = source;
    }

    /** @throws TokenizerException if a line is not a token with the next rank */
    static ByteLevelBpe read(byte[] model, JsonNode config, String source) {
        TiktokenRanks ranks = new TiktokenRanks(source);
        String[] lines = new String(model, StandardCharsets.ISO_8859_1).split("\n");
        for (int line = 0; line < lines.length; line++) {
            ranks.add(lines[line].strip(), line);
        }
        List<String> merges = ranks.merges();
        int[] types = ranks.addSpecialTokens(config.path("added_tokens_decoder"));
        return new ByteLevelBpe(new TokenTable(ranks.texts, types), merges, PreTokenizer.KIMI_K2);
    }

    private void add(String line, int rank) {
        int space = line.indexOf(' ');
        String token = null;
        if (space > 0 && line.substring(space + 1).equals(Integer.toString(rank))) {
            try {
                token = ByteSymbols.spell(Base64.getDecoder().decode(line.substring(0, space)));
            } catch (IllegalArgumentException e) {
                token = null; // said below
            }
        }
        if (token == null || token.isEmpty() || token.length() > MAX_TOKEN || ids.put(token, rank) != null) {
            throw new TokenizerException(
                    "line " + (rank + 1) + " of " + source + " is not a new token in base64 and the rank " + rank
                            + ": fetch it again from the published checkpoint");
        }
        texts.add(token);
    }

    private List<String> merges() {
        List<Merge> merges = new ArrayList<>(4 * texts.size());
        for (int id = 0; id < texts.size(); id++) {
            String token = texts.get(id);
            for (int cut = 1; cut < token.length(); cut++) {
                Integer left = ids.get(token.substring(0, cut));
                Integer right = ids.get(token.substring(cut));
                if (left != null && right != null) {
                    merges.add(new Merge(left, right, id));
                }
            }
        }
        merges.sort(Comparator.comparingInt(Merge::joined)
                .thenComparingInt(Merge::left)
                .thenComparingInt(Merge::right));
        return merges.stream()
                .map(merge -> texts.get(merge.left()) + " " + texts.get(merge.right()))
                .toList();
    }

    /** @return the types of all tokens */
    private int[] addSpecialTokens(JsonNode named) {
        int base = texts.size();
        int[] types = new int[base + RESERVED];
        for (int id = 0; id < types.length; id++) {
            types[id] = id < base ? TokenTable.NORMAL : TokenTable.CONTROL;
            if (id >= base) {
                String content =
                        named.path(Integer.toString(id)).path("content").asText();
                texts.add(content.isEmpty() ? "<|reserved_token_" + id + "|>" : content);
            }
        }
        return types;
    }
}
