/**
 * Extensions written for the base kernel, found on the class path by its own service interface: their magics become magics here. What
 * they may use is the base's stable part: registering magics, displaying, and updating what was displayed.
 */
package org.espalier.kernel.extension;
