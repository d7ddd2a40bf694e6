package org.espalier.hub;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * What a repository holds at one commit.
 *
 * @param commit hexadecimal
 */
record HubListing(String commit, List<HubFile> files) {

    private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40}");

    /** From the answer of {@code /api/models/ORG/NAME/revision/REVISION?blobs=true}. */
    static HubListing of(JsonNode answer) {
        String commit = answer.path("sha").asText("");
        if (!COMMIT.matcher(commit).matches() || !answer.path("siblings").isArray()) {
            throw new HubException("the hub's answer is not a list of files: it has no commit or no siblings");
        }
        List<HubFile> files = new ArrayList<>();
        for (JsonNode sibling : answer.path("siblings")) {
            JsonNode large = sibling.path("lfs");
            boolean isLarge = large.hasNonNull("sha256");
            files.add(new HubFile(
                    sibling.path("rfilename").asText(""),
                    isLarge
                            ? large.path("size").asLong(-1)
                            : sibling.path("size").asLong(-1),
                    isLarge
                            ? large.path("sha256").asText()
                            : sibling.path("blobId").asText("")));
        }
        return new HubListing(commit, List.copyOf(files));
    }
}
