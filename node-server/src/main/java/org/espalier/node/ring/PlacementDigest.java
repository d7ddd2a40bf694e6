package org.espalier.node.ring;

import com.google.protobuf.ByteString;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import org.espalier.v1.LoadRequest;
import org.espalier.v1.ModelIdentity;
import org.espalier.v1.Shard;

/**
 * SHA-256 of what the nodes of a ring must agree on: which node holds what of which model, and how precisely it computes. Two clients can
 * place a deployment at the same moment under one epoch; then each node has taken one of the two, and no ring may be made of both.
 */
public final class PlacementDigest {

    private PlacementDigest() {}

    public static ByteString of(LoadRequest request) {
        MessageDigest sha = sha256();
        ModelIdentity model = request.getModel();
        for (String word : new String[] {
            model.getName(),
            model.getRevision(),
            model.getHash(),
            request.getPrecision(),
            request.getPlacement().getStrategy()
        }) {
            add(sha, word.getBytes(StandardCharsets.UTF_8));
        }
        add(sha, Integer.toString(request.getPlacement().getLayers()).getBytes(StandardCharsets.UTF_8));
        for (Shard shard : request.getPlacement().getShardsList()) {
            add(sha, shard.toByteArray()); // no maps and no unknown fields: equal messages have equal bytes
        }
        return ByteString.copyFrom(sha.digest());
    }

    private static void add(MessageDigest sha, byte[] bytes) {
        sha.update((bytes.length + ":").getBytes(StandardCharsets.US_ASCII));
        sha.update(bytes);
    }

    private static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException(e); // every Java has it
        }
    }
}
