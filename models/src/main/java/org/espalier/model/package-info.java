/**
 * What is known of a model before anything runs: the catalogue that finds it by name, and {@link org.espalier.model.Model}, which holds
 * checkpoint, architecture, tokenizer and chat template together.
 */
package org.espalier.model;
