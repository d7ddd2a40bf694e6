/** The magics: one class each, found in {@link org.espalier.kernel.magic.Magics}. They are thin skins over the cluster API. */
package org.espalier.kernel.magic;
