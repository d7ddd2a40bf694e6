/** What all parts of Espalier share: the one exception whose message a user reads, and what a mistyped name may have meant. */
package org.espalier;
