/**
 * What is known of a model before anything runs: its strict {@link org.espalier.model.ModelConfig}, the catalogue that finds it by
 * name, and {@link org.espalier.model.Model}, which holds config, checkpoint, tokenizer and chat template together.
 */
package org.espalier.model;
