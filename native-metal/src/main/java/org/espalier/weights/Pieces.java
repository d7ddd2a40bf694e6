package org.espalier.weights;

import java.util.List;
import java.util.Objects;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;

/** The matrices of a weight: a stack in one file, or matrices that lie apart. */
public sealed interface Pieces {

    int count();

    /** Where matrix {@code index} lies. */
    Piece get(int index);

    /**
     * The matrices {@code indices}, in this order; a stack stays a stack if they are evenly spaced.
     *
     * @throws IndexOutOfBoundsException for a matrix that does not exist
     */
    Pieces pick(List<Integer> indices);

    /** The same matrices with each piece changed. */
    Pieces each(UnaryOperator<Piece> change);

    /**
     * Matrices one after the other.
     *
     * @param distance stored rows from the first of one matrix to the first of the next
     */
    record Stack(Piece first, long distance, int count) implements Pieces {

        public Stack {
            if (count < 1 || count > 1 && distance < 1) {
                throw new IllegalArgumentException(
                        "not a valid stack: " + count + " matrices, " + distance + " rows apart");
            }
        }

        @Override
        public Piece get(int index) {
            return first.skipRows(index * distance);
        }

        @Override
        public Pieces pick(List<Integer> indices) {
            indices.forEach(index -> Objects.checkIndex(index, count));
            if (indices.isEmpty()) {
                throw new IllegalArgumentException("a weight has at least one matrix");
            }
            int step = indices.size() < 2 ? 1 : indices.get(1) - indices.get(0);
            boolean equallyFar = step > 0
                    && IntStream.range(1, indices.size()).allMatch(i -> indices.get(i) - indices.get(i - 1) == step);
            return equallyFar
                    ? new Stack(get(indices.get(0)), step * distance, indices.size())
                    : new Apart(indices.stream().map(this::get).toList());
        }

        @Override
        public Pieces each(UnaryOperator<Piece> change) {
            return new Stack(change.apply(first), distance, count);
        }
    }

    /** Matrices anywhere, even in different files. */
    record Apart(List<Piece> all) implements Pieces {

        public Apart {
            all = List.copyOf(all);
            if (all.isEmpty()) {
                throw new IllegalArgumentException("a weight has at least one matrix");
            }
        }

        @Override
        public int count() {
            return all.size();
        }

        @Override
        public Piece get(int index) {
            return all.get(index);
        }

        @Override
        public Pieces pick(List<Integer> indices) {
            return new Apart(indices.stream().map(all::get).toList());
        }

        @Override
        public Pieces each(UnaryOperator<Piece> change) {
            return new Apart(all.stream().map(change).toList());
        }
    }
}
