package org.espalier.kernel;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.espalier.kernel.jupyter.Cell;

/** Standard input of the process: each line is asked of the user in the cell that runs. */
final class CellInput extends InputStream {

    private volatile Cell cell;
    private byte[] line = new byte[0];
    private int position;

    void begin(Cell next) {
        cell = next;
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public synchronized int read(byte[] into, int offset, int length) throws IOException {
        if (length == 0) {
            return 0;
        }
        if (position == line.length) {
            Cell running = cell;
            if (running == null) {
                throw new IOException("no cell has run that could ask for input");
            }
            try {
                line = (running.input("") + "\n").getBytes(StandardCharsets.UTF_8);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("input was interrupted", e);
            } catch (IllegalStateException e) {
                throw new IOException(e.getMessage(), e);
            }
            position = 0;
        }
        int count = Math.min(length, line.length - position);
        System.arraycopy(line, position, into, offset, count);
        position += count;
        return count;
    }

    @Override
    public int available() {
        return line.length - position;
    }
}
