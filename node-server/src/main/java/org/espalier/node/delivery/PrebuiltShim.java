package org.espalier.node.delivery;

import com.sun.jna.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.espalier.EspalierException;
import org.espalier.engine.EngineException;
import org.espalier.hub.Sha256;

/**
 * The library that was built with this program.
 *
 * @param resource null where this build has none for the machine
 */
record PrebuiltShim(URL resource) implements ShimMaker {

    static PrebuiltShim ofThisBuild() {
        String name = "/" + Platform.RESOURCE_PREFIX + "/" + System.mapLibraryName("espalier-mlx");
        return new PrebuiltShim(PrebuiltShim.class.getResource(name));
    }

    @Override
    public String what() {
        return "the library of this build";
    }

    @Override
    public String version() {
        if (resource == null) {
            return "";
        }
        try (InputStream in = resource.openStream()) {
            return Sha256.of(in);
        } catch (IOException e) {
            throw new EngineException("cannot read " + resource + ": " + e.getMessage(), e);
        }
    }

    @Override
    public void make(MlxHome home, Path file) {
        if (resource == null) {
            throw new EngineException("there is none for this machine");
        }
        try (InputStream in = resource.openStream()) {
            Files.copy(in, file, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw new EngineException("it cannot be written to " + file + ": " + EspalierException.reason(e, file), e);
        }
    }
}
