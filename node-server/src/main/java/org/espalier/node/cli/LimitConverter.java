package org.espalier.node.cli;

import java.util.Arrays;
import java.util.stream.Collectors;
import org.espalier.node.service.Limit;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads the name of a {@link Limit}. */
final class LimitConverter implements ITypeConverter<Limit> {

    @Override
    public Limit convert(String name) {
        return Arrays.stream(Limit.values())
                .filter(limit -> limit.toString().equals(name))
                .findFirst()
                .orElseThrow(() -> new TypeConversionException("there is no limit '" + name + "': choose one of "
                        + Arrays.stream(Limit.values()).map(Limit::toString).collect(Collectors.joining(", "))));
    }
}
