package org.espalier.kernel.magic;

import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import org.espalier.EspalierException;

/** A cell's text in pieces: Java, magics, and commands of the system. */
public sealed interface CellPart {

    /** The line of the cell with which it begins, from 1. */
    int line();

    /**
     * Java code, one or several lines; magics inside its blocks are calls of {@link MagicStatement}, each in its own line.
     */
    record Java(String code, int line) implements CellPart {}

    /** {@code %name arguments}, or {@code %%name arguments} with the rest of the cell as body. */
    record Call(String name, String arguments, Optional<String> body, int line) implements CellPart {}

    /**
     * {@code !command}, unless it is Java that compiles.
     *
     * @param java the line and the Java below it, if it is Java
     * @param below the Java below it alone; may be blank
     */
    record Shell(String command, Java java, Java below) implements CellPart {
        @Override
        public int line() {
            return java.line();
        }
    }

    /**
     * Takes a cell apart, in time proportional to its length.
     *
     * @throws EspalierException for a cell magic that is not alone in its cell, and for a magic inside Java that cannot be there
     */
    static List<CellPart> of(String cell, Magics magics) {
        List<MagicLine> lines = MagicLine.all(cell, magics::isKnown);
        NavigableMap<Integer, MagicLine> nested = new TreeMap<>();
        List<MagicLine> between = new ArrayList<>();
        for (MagicLine line : lines) {
            if (line.isCellMagic()) {
                return List.of(new Call(
                        line.name(), line.arguments(), Optional.of(cell.substring(line.next(cell))), line.number()));
            }
            if (line.sign().equals("%%")) {
                throw new EspalierException("%%" + line.name() + " in line " + line.number()
                        + " takes all lines of its cell: only comments may stand above it");
            }
            if (line.place() == MagicLine.Place.NESTED) {
                nested.put(line.start(), line);
            } else {
                between.add(line);
            }
        }
        List<CellPart> parts = new ArrayList<>();
        int first = between.isEmpty() ? cell.length() : between.get(0).start();
        add(java(cell, 0, first, 1, nested, magics), parts);
        for (int i = 0; i < between.size(); i++) {
            MagicLine line = between.get(i);
            int end = i + 1 < between.size() ? between.get(i + 1).start() : cell.length();
            Java below = java(cell, line.next(cell), end, line.number() + 1, nested, magics);
            if (line.sign().equals("!")) {
                Java both = new Java(cell.substring(line.start(), line.next(cell)) + below.code(), line.number());
                parts.add(new Shell(line.arguments(), both, below));
            } else {
                parts.add(new Call(line.name(), line.arguments(), Optional.empty(), line.number()));
                add(below, parts);
            }
        }
        return parts;
    }

    private static Java java(
            String cell, int from, int to, int line, NavigableMap<Integer, MagicLine> nested, Magics magics) {
        StringBuilder code = new StringBuilder();
        int at = from;
        for (MagicLine magic : nested.subMap(from, to).values()) {
            code.append(cell, at, magic.start()).append(MagicStatement.source(magic, magics));
            at = magic.end();
        }
        return new Java(code.append(cell, at, to).toString(), line);
    }

    /** Without a single token there is nothing to run. */
    private static void add(Java java, List<CellPart> parts) {
        JavaText text = new JavaText(java.code());
        text.read(0, java.code().length());
        if (text.last() != 0) {
            parts.add(java);
        }
    }
}
