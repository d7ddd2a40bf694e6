package org.espalier.node.sampling;

/**
 * Random numbers by counter: the number of a (seed, position) pair needs no state, so a node that takes over a session draws what the
 * previous one would have drawn. The mixer is <a href="https://doi.org/10.1145/2660193.2660195">SplitMix64</a>'s.
 */
final class CounterRandom {

    /** 2^64 / golden ratio, odd: SplitMix64's step. */
    private static final long GAMMA = 0x9E3779B97F4A7C15L;

    private CounterRandom() {}

    /** Uniform in [0, 1), a multiple of 2^-53. */
    static double uniform(long seed, long position) {
        // Mixing the seed before the position keeps neighbouring seeds from sharing a shifted sequence.
        long bits = mix(mix(seed + GAMMA) + GAMMA * (position + 1));
        return (bits >>> 11) * 0x1p-53;
    }

    private static long mix(long z) {
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
