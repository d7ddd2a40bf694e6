package org.espalier.node.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.PrimitiveIterator;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class ProbeTest {

    @Test
    void theFirstPassOfReadingDoesNotCountAndTheBestOfFiveDoes() {
        PrimitiveIterator.OfDouble rates = DoubleStream.of(9, 3, 5, 4, 6, 2, 8).iterator();
        assertThat(Probe.bestRate(rates::nextDouble)).isEqualTo(6);
        assertThat(rates.nextDouble()).as("what is left").isEqualTo(8);
    }
}
