package org.espalier.weights;

/** A file of weights, read row by row from any thread. */
interface FileBytes {

    long size();

    /** Copies the bytes from {@code offset} on; they lie inside the file. */
    void read(long offset, byte[] into, int length);

    /** Frees what the file holds; a mapping goes with the last reference to it. */
    void close();
}
