/**
 * What a model and its shards read, keep and cost, asked of their programs, which are made from headers alone. Nothing else counts a
 * model's bytes.
 */
package org.espalier.plan;
