/**
 * Models from a Hugging Face-compatible hub, into the same cache as the Python client's: {@code models--ORG--NAME} with {@code blobs} named by
 * their hash, {@code snapshots/COMMIT} of links to them, and {@code refs}. What either client has fetched the other does not fetch again.
 */
package org.espalier.hub;
