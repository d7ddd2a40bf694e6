/** What all parts of Espalier share: the exception whose message a user reads. */
package org.espalier;
