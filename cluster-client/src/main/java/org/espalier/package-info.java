/** What all parts of Espalier share: the one exception whose message a user reads. */
package org.espalier;
