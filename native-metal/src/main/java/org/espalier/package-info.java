/** What all parts of Espalier share: the exception whose message a user reads, how threads are made and files opened. */
package org.espalier;
