package org.espalier.node.service;

/**
 * What models may have of a machine's memory.
 *
 * @param source what says so; empty where it is all of it
 */
record ModelMemory(long bytes, String source) {

    static ModelMemory all(long total) {
        return new ModelMemory(total, "");
    }

    /**
     * What the GPU of a Mac may keep in its working set.
     *
     * @param limit {@code iogpu.wired_limit_mb} as sysctl prints it: MiB, 0 for the system's own limit, which is about three quarters
     *     (Metal's {@code recommendedMaxWorkingSetSize}; less on small machines)
     */
    static ModelMemory ofMac(long total, String limit) {
        String digits = limit.strip();
        long set = digits.matches("[0-9]{1,9}") ? Long.parseLong(digits) << 20 : 0;
        return set > 0
                ? new ModelMemory(Math.min(set, total), "iogpu.wired_limit_mb")
                : new ModelMemory(total / 4 * 3, "about 75 %, as iogpu.wired_limit_mb is not set");
    }
}
