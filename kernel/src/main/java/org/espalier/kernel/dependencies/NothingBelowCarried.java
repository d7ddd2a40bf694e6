package org.espalier.kernel.dependencies;

import org.eclipse.aether.collection.DependencyCollectionContext;
import org.eclipse.aether.collection.DependencySelector;
import org.eclipse.aether.graph.Dependency;

/**
 * Leaves out what carried libraries need: it is in the kernel, and must take no part in choosing versions. Maven takes the nearest version of an
 * artifact, so one below a carried library would hide another that is needed elsewhere.
 */
final class NothingBelowCarried implements DependencySelector {

    private static final DependencySelector NOTHING = new DependencySelector() {
        @Override
        public boolean selectDependency(Dependency dependency) {
            return false;
        }

        @Override
        public DependencySelector deriveChildSelector(DependencyCollectionContext context) {
            return this;
        }
    };

    private final CarriedArtifacts carried;

    NothingBelowCarried(CarriedArtifacts carried) {
        this.carried = carried;
    }

    @Override
    public boolean selectDependency(Dependency dependency) {
        return true;
    }

    @Override
    public DependencySelector deriveChildSelector(DependencyCollectionContext context) {
        Dependency above = context.getDependency();
        return above != null && carried.version(above.getArtifact()).isPresent() ? NOTHING : this;
    }
}
