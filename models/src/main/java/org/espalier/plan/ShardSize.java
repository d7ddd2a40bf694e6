package org.espalier.plan;

/**
 * Memory that a shard needs.
 *
 * @param weightBytes that stay resident
 * @param cacheBytes KV state of one planned conversation, see {@link ShardPlans#PLANNED_TOKENS}
 */
public record ShardSize(long weightBytes, long cacheBytes) {

    static final ShardSize NONE = new ShardSize(0, 0);

    ShardSize plus(ShardSize other) {
        return new ShardSize(weightBytes + other.weightBytes, cacheBytes + other.cacheBytes);
    }

    public long bytes() {
        return weightBytes + cacheBytes;
    }
}
